//! Making, showing, changing and removing schedules; what is refused.

use serde_json::{Value, json};

use super::{SCHEDULES, facts, schedule, tells};
use crate::support::TestServer;

testing::on_both_databases! {
    async fn a_schedule_is_made_shown_changed_and_removed(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = tells(&owner).await;
        let made = owner.post(SCHEDULES, json!({
            "name": "nightly", "function": "ops:tells", "timing": { "cron": "0 2 * * *" }, "time_zone": "Europe/Berlin",
            "input": { "day": 1 }, "missed": "backfill", "backfill": 3, "jitter_seconds": 60,
        })).await.ok(201);
        assert_eq!((&made["function"], &made["function_name"]), (&json!(function), &json!("ops/tells")));
        assert_eq!((&made["state"], &made["overlap"], &made["backfill"]), (&json!("active"), &json!("skip"), &json!(3)));
        assert_eq!(made["timing"], json!({ "cron": "0 2 * * *" }));
        assert_eq!(made["next"].as_array().unwrap().len(), 5);
        let path = format!("{SCHEDULES}/{}", made["id"].as_str().unwrap());
        assert_eq!(owner.get(&path).await.ok(200), made);
        let patch = json!({ "timing": { "every_seconds": 90 }, "missed": null, "backfill": null, "description": "often" });
        let changed = owner.patch(&path, patch).await.ok(200);
        assert_eq!((&changed["missed"], &changed["backfill"], &changed["revision"]), (&json!("skip"), &json!(10), &json!(2)));
        assert_eq!(changed["timing"], json!({ "every_seconds": 90 }));
        assert_ne!(changed["next"], made["next"]);
        owner.with("if-match", "\"1\"").patch(&path, json!({ "name": "x" })).await.refused(412, "stale_revision");
        let paused = owner.post(&format!("{path}/pause"), json!({})).await.ok(200);
        assert_eq!((&paused["state"], &paused["next"]), (&json!("paused"), &json!([])));
        let quiet = owner.patch(&path, json!({ "timing": { "every_seconds": 1 } })).await.ok(200);
        assert_eq!((&quiet["state"], &quiet["next"]), (&json!("paused"), &json!([])), "a paused one stays so");
        let resumed = owner.post(&format!("{path}/resume"), json!({})).await.ok(200);
        assert_eq!(resumed["state"], "active");
        owner.delete(&path).await.ok(200);
        owner.get(&path).await.refused(404, "not_found");
        assert_eq!(owner.get(SCHEDULES).await.ok(200)["items"], json!([]));
        for (kind, count) in [
            ("schedule.created", 1), ("schedule.updated", 2), ("schedule.paused", 1), ("schedule.resumed", 1),
            ("schedule.deleted", 1),
        ] {
            assert_eq!(facts(&server, kind).await, count, "{kind}");
        }
        server.finish().await;
    }

    async fn lists_are_narrowed_and_turned_over(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = tells(&owner).await;
        for name in ["one", "two", "three"] {
            schedule(&owner, name, &function, json!({ "description": format!("about {name}") })).await;
        }
        schedule(&owner, "asleep", &function, json!({ "active": false })).await;
        let names = |page: Value| -> Vec<String> {
            page["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(owner.get(SCHEDULES).await.ok(200)), ["asleep", "three", "two", "one"]);
        assert_eq!(names(owner.get(&format!("{SCHEDULES}?state=paused")).await.ok(200)), ["asleep"]);
        assert_eq!(names(owner.get(&format!("{SCHEDULES}?q=ABOUT%20T")).await.ok(200)), ["three", "two"]);
        assert_eq!(names(owner.get(&format!("{SCHEDULES}?function={function}&q=one")).await.ok(200)), ["one"]);
        let first = owner.get(&format!("{SCHEDULES}?limit=3")).await.ok(200);
        let cursor = first["next_cursor"].as_str().unwrap();
        assert_eq!(names(owner.get(&format!("{SCHEDULES}?limit=3&cursor={cursor}")).await.ok(200)), ["one"]);
        server.finish().await;
    }

    async fn what_makes_no_schedule_is_refused_by_field(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = tells(&owner).await;
        let body = |more: Value| {
            let mut body = json!({ "name": "x", "function": function, "timing": { "every_seconds": 60 } });
            for (member, value) in more.as_object().unwrap() {
                body[member] = value.clone();
            }
            body
        };
        let field = |problem: Value| problem["errors"][0]["field"].as_str().unwrap_or_default().to_owned();
        for (more, pointer) in [
            (json!({ "timing": { "cron": "61 * * * *" } }), "/timing/cron"),
            (json!({ "timing": { "cron": "every day" } }), "/timing/cron"),
            (json!({ "timing": { "at": "2001-01-01T00:00:00Z" } }), "/timing"),
            (json!({ "timing": { "cron": "0 0 30 2 *" } }), "/timing"),
            (json!({ "time_zone": "Mars/Olympus" }), "/time_zone"),
            (json!({ "starts_at": "2199-01-02T00:00:00Z", "ends_at": "2199-01-01T00:00:00Z" }), "/ends_at"),
            (json!({ "ends_at": "2001-01-01T00:00:00Z" }), "/ends_at"),
            (json!({ "permissions": ["roles:create"] }), "/permissions/0"),
            (json!({ "permissions": ["runs:read", "*:read"] }), "/permissions/1"),
            (json!({ "permissions": ["agents:manage:own"] }), "/permissions/0"),
        ] {
            let refused = owner.post(SCHEDULES, body(more.clone())).await.refused(422, "validation_failed");
            assert_eq!(field(refused), pointer, "{more}");
        }
        for more in [
            json!({ "timing": {} }),
            json!({ "timing": { "cron": "* * * * *", "every_seconds": 60 } }),
            json!({ "timing": { "every_seconds": 0 } }),
            json!({ "jitter_seconds": 3601 }),
            json!({ "backfill": 101 }),
            json!({ "name": "" }),
            json!({ "overlap": "sometimes" }),
            json!({ "function": "no reference" }),
            json!({ "owner": "somebody" }),
        ] {
            let refused = owner.post(SCHEDULES, body(more.clone())).await;
            assert_eq!(refused.status, 422, "{more}: {}", refused.text);
        }
        owner.post(SCHEDULES, body(json!({ "function": "ops:nothing" }))).await.refused(404, "not_found");
        schedule(&owner, "taken", &function, json!({})).await;
        owner.post(SCHEDULES, body(json!({ "name": "taken" }))).await.refused(409, "schedule_exists");
        let over = schedule(&owner, "over", &function, json!({ "active": false })).await;
        let ended = owner.patch(&format!("{SCHEDULES}/{over}"), json!({ "timing": null })).await;
        assert_eq!(field(ended.refused(422, "validation_failed")), "/timing");
        assert_eq!(facts(&server, "schedule.created").await, 2);
        server.finish().await;
    }

    async fn an_input_that_the_function_would_not_take_is_refused(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let wants = |properties: Value| json!({
            "namespace": "ops", "name": "typed", "code": "def handler(input, context):\n    return input\n",
            "input_schema": { "type": "object", "required": ["day"], "properties": properties },
        });
        let wanted = wants(json!({ "day": { "type": "integer" }, "to": { "type": "array", "items": { "type": "string" } } }));
        owner.post("/api/v1/functions", wanted).await.ok(201);
        let body = |input: Value| json!({
            "name": "typed", "function": "ops:typed", "timing": { "every_seconds": 3600 }, "input": input,
        });
        let fields = |problem: Value| -> Vec<String> {
            problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
        };
        let wrong = body(json!({ "day": "first", "to": ["a", {}] }));
        let refused = owner.post(SCHEDULES, wrong).await.refused(422, "input_invalid");
        let mut found = fields(refused);
        found.sort();
        assert_eq!(found, ["/input/day", "/input/to/1"]);
        assert_eq!(fields(owner.post(SCHEDULES, body(json!({}))).await.refused(422, "input_invalid")), ["/input"]);
        assert_eq!(owner.get(SCHEDULES).await.ok(200)["items"], json!([]));
        // What a call would read as the right thing is read so here.
        let made = owner.post(SCHEDULES, body(json!({ "day": "1" }))).await.ok(201);
        let path = format!("{SCHEDULES}/{}", made["id"].as_str().unwrap());
        let refused = owner.patch(&path, json!({ "input": { "day": null } })).await.refused(422, "input_invalid");
        assert_eq!(fields(refused), ["/input/day"]);
        assert_eq!(owner.get(&path).await.ok(200)["input"], json!({ "day": "1" }));
        // Another function has another schema.
        let other = json!({
            "namespace": "ops", "name": "other", "code": "def handler(input, context):\n    return input\n",
            "input_schema": { "type": "object", "additionalProperties": false },
        });
        owner.post("/api/v1/functions", other).await.ok(201);
        owner.patch(&path, json!({ "function": "ops:other" })).await.refused(422, "input_invalid");
        let both = json!({ "function": "ops:other", "input": {} });
        assert_eq!(owner.patch(&path, both).await.ok(200)["function_name"], "ops/other");
        // A newer version is the ticks' affair: what needs no right is changed, and so is what its runs may do.
        let code = "def handler(input, context):\n    return input\n";
        let newer = json!({ "code": code, "input_schema": { "type": "object", "required": ["all"] } });
        owner.post("/api/v1/functions/ops:other/versions", newer).await.ok(201);
        owner.patch(&path, json!({ "description": "still there", "permissions": ["runs:read:own"] })).await.ok(200);
        owner.patch(&path, json!({ "input": {} })).await.refused(422, "input_invalid");
        assert_eq!((facts(&server, "schedule.created").await, facts(&server, "schedule.updated").await), (1, 2));
        server.finish().await;
    }

    async fn jitter_comes_after_the_tick_and_is_bounded(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = tells(&owner).await;
        for number in 0..20 {
            schedule(&owner, &format!("often {number}"), &function, json!({ "jitter_seconds": 30 })).await;
        }
        let tamper = server.database.tamper().await;
        let number = async |what: &str| tamper.number(&format!("SELECT {what} FROM schedules")).await;
        assert!(number("min(due_at - next_at)").await >= 0);
        assert!(number("max(due_at - next_at)").await <= 30_000);
        assert!(number("count(DISTINCT due_at - next_at)").await > 5);
        server.finish().await;
    }

    async fn a_preview_says_what_the_clock_of_the_zone_will_do(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let asked = json!({
            "timing": { "cron": "30 2 * * *" }, "time_zone": "Europe/Berlin", "starts_at": "2199-03-30T00:00:00Z", "count": 3,
        });
        let ticks = owner.post(&format!("{SCHEDULES}/preview"), asked).await.ok(200)["ticks"].clone();
        // 2199-03-31 is the last Sunday of March: 02:30 is left out there.
        assert_eq!(ticks, json!(["2199-03-30T01:30:00.000Z", "2199-03-31T01:00:00.000Z", "2199-04-01T00:30:00.000Z"]));
        let wrong = json!({ "timing": { "cron": "30 25 * * *" } });
        owner.post(&format!("{SCHEDULES}/preview"), wrong).await.refused(422, "validation_failed");
        server.finish().await;
    }
}
