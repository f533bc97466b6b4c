//! What becomes of ticks, by a steered clock.

use std::time::Duration;

use serde_json::{Value, json};

use super::{SCHEDULES, WAITS, facts, outcomes, schedule, tells, ticks};
use crate::functions::{ended, function};
use crate::support::TestServer;

const MINUTE: Duration = Duration::from_secs(60);

testing::on_both_databases! {
    async fn a_tick_runs_the_function_for_its_owner(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = tells(&owner).await;
        let id = schedule(&owner, "often", &function, json!({ "input": { "x": 1 } })).await;
        assert_eq!(owner.get(&format!("{SCHEDULES}/{id}/ticks")).await.ok(200)["items"], json!([]));
        server.clock.advance(MINUTE);
        let seen = ticks(&owner, &id, 1).await;
        assert_eq!((&seen[0]["outcome"], &seen[0]["number"]), (&json!("ran"), &json!(1)));
        let run = ended(&owner, seen[0]["run"].as_str().unwrap()).await;
        let me = owner.get("/api/v1/auth/me").await.ok(200);
        let me = me["principal"]["id"].as_str().unwrap();
        assert_eq!((&run["status"], &run["trigger"], &run["principal"]["id"]), (&json!("succeeded"), &json!("schedule"), &json!(me)));
        let told = json!({ "input": { "x": 1 }, "trigger": "SCHEDULE", "id": id, "user": me });
        assert_eq!(run["output"], told);
        assert_eq!(run["trigger_id"], json!(id));
        // The chain on the run's fact says that the schedule acted for the owner.
        server.house().ledger.drain().await.unwrap();
        let found = owner.get("/api/v1/audit/events?kind=run.succeeded").await.ok(200);
        let fact = format!("/api/v1/audit/events/{}", found["items"][0]["id"].as_str().unwrap());
        let fact = owner.get(&fact).await.ok(200);
        assert_eq!(fact["actor"]["id"], json!(me), "{fact:#}");
        assert_eq!(fact["act"][0]["kind"], "schedule", "{fact:#}");
        assert_eq!(fact["act"][0]["id"], json!(id), "{fact:#}");
        server.finish().await;
    }

    async fn a_run_that_is_still_open_leaves_the_tick_out_or_lets_it_wait_or_does_not_matter(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = function(&owner, "waits", WAITS).await;
        let mut ids = Vec::new();
        for overlap in ["skip", "queue", "allow"] {
            ids.push(schedule(&owner, overlap, &function, json!({ "overlap": overlap })).await);
        }
        let mut open = Vec::new();
        server.clock.advance(MINUTE);
        for id in &ids {
            open.push(ticks(&owner, id, 1).await[0]["run"].as_str().unwrap().to_owned());
        }
        server.clock.advance(MINUTE);
        let skipped = ticks(&owner, &ids[0], 2).await;
        assert_eq!(outcomes(&skipped), ["ran", "skipped"]);
        let by_hand = owner.post(&format!("{SCHEDULES}/{}/run", ids[0]), json!({})).await.refused(409, "run_open");
        assert_eq!(by_hand["run"], json!(open[0]));
        let waiting = ticks(&owner, &ids[1], 2).await[1]["run"].as_str().unwrap().to_owned();
        let beside = ticks(&owner, &ids[2], 2).await[1]["run"].as_str().unwrap().to_owned();
        let status = async |run: &str| owner.get(&format!("/api/v1/runs/{run}")).await.ok(200)["status"].clone();
        while status(&beside).await != "running" {
            tokio::task::yield_now().await;
        }
        assert_eq!(status(&waiting).await, "queued", "the one before it is open");
        for run in open.iter().chain([&beside]) {
            owner.post(&format!("/api/v1/runs/{run}/cancel"), json!({})).await.ok(200);
        }
        while status(&waiting).await != "running" {
            tokio::task::yield_now().await;
        }
        owner.post(&format!("/api/v1/runs/{waiting}/cancel"), json!({})).await.ok(200);
        server.clock.advance(MINUTE);
        let third = ticks(&owner, &ids[0], 3).await;
        assert_eq!(outcomes(&third), ["ran", "skipped", "ran"], "it goes on when the run has ended");
        server.finish().await;
    }

    async fn what_nobody_was_there_for_is_skipped_made_up_for_once_or_one_by_one(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = tells(&owner).await;
        let hourly = |missed: &str| json!({ "timing": { "every_seconds": 3600 }, "missed": missed, "backfill": 2, "overlap": "queue" });
        let mut ids = Vec::new();
        for missed in ["skip", "run_once", "backfill"] {
            ids.push(schedule(&owner, missed, &function, hourly(missed)).await);
        }
        // Five ticks and a half later: as if no server had run.
        server.clock.advance(Duration::from_secs(5 * 3600 + 1800));
        let owner = server.owner().await;
        let skipped = ticks(&owner, &ids[0], 1).await;
        assert_eq!(outcomes(&skipped), ["missed"]);
        let at = |tick: &Value, member: &str| -> types::Timestamp { tick[member].as_str().unwrap().parse().unwrap() };
        assert_eq!(at(&skipped[0], "until").since(at(&skipped[0], "tick")), Duration::from_secs(4 * 3600));
        let once = ticks(&owner, &ids[1], 1).await;
        assert_eq!(outcomes(&once), ["ran"]);
        let both = ticks(&owner, &ids[2], 2).await;
        assert_eq!(outcomes(&both), ["ran", "ran"]);
        assert_eq!(at(&both[1], "tick").since(at(&both[0], "tick")), Duration::from_secs(3600));
        for id in &ids {
            let shown = owner.get(&format!("{SCHEDULES}/{id}")).await.ok(200);
            let now = server.house().world.now();
            assert!(at(&json!({ "next": shown["next"][0] }), "next") > now, "{shown:#}");
        }
        server.finish().await;
    }

    async fn a_clock_that_jumps_back_doubles_nothing(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = tells(&owner).await;
        let id = schedule(&owner, "often", &function, json!({})).await;
        server.clock.advance(MINUTE);
        ticks(&owner, &id, 1).await;
        server.clock.jump_back(MINUTE);
        // A schedule that is due first says that the clock was looked at again.
        let soon = schedule(&owner, "soon", &function, json!({ "timing": { "every_seconds": 1 } })).await;
        let until = std::time::Instant::now() + MINUTE;
        while owner.get(&format!("{SCHEDULES}/{soon}/ticks")).await.ok(200)["items"].as_array().unwrap().is_empty() {
            assert!(std::time::Instant::now() < until);
            tokio::task::yield_now().await;
        }
        assert_eq!(ticks(&owner, &id, 1).await[0]["number"], 1);
        server.finish().await;
    }

    async fn once_means_once(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = tells(&owner).await;
        let at = server.house().world.now().plus(MINUTE);
        let id = schedule(&owner, "once", &function, json!({ "timing": { "at": at.to_string() } })).await;
        server.clock.advance(MINUTE);
        ticks(&owner, &id, 1).await;
        let shown = owner.get(&format!("{SCHEDULES}/{id}")).await.ok(200);
        assert_eq!((&shown["state"], &shown["next"]), (&json!("ended"), &json!([])));
        owner.post(&format!("{SCHEDULES}/{id}/resume"), json!({})).await.refused(422, "validation_failed");
        // A new time wakes it.
        let later = server.house().world.now().plus(MINUTE);
        let again = json!({ "timing": { "at": later.to_string() } });
        assert_eq!(owner.patch(&format!("{SCHEDULES}/{id}"), again).await.ok(200)["state"], "active");
        server.clock.advance(MINUTE);
        assert_eq!(outcomes(&ticks(&owner, &id, 2).await), ["ran", "ran"]);
        server.finish().await;
    }

    async fn somebody_sets_it_off_by_hand_for_its_owner(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = tells(&owner).await;
        let id = schedule(&owner, "asleep", &function, json!({ "active": false })).await;
        let (_, other) = server.person(server.home().await, &[]).await;
        let path = format!("{SCHEDULES}/{id}/run");
        other.post(&path, json!({})).await.refused(403, "permission_denied");
        let run = owner.post(&path, json!({})).await.ok(202);
        let run = ended(&owner, run["run"].as_str().unwrap()).await;
        assert_eq!((&run["status"], &run["trigger_id"]), (&json!("succeeded"), &json!(id)));
        assert_eq!(outcomes(&ticks(&owner, &id, 1).await), ["ran"]);
        assert_eq!(facts(&server, "schedule.run_now").await, 1);
        // A repeat with the same key sets off nothing more.
        let keyed = owner.with("idempotency-key", "once");
        let first = keyed.post(&path, json!({})).await.ok(202);
        assert_eq!(keyed.post(&path, json!({})).await.ok(202), first);
        assert_eq!(facts(&server, "schedule.run_now").await, 2);
        server.finish().await;
    }

    async fn one_that_cannot_be_read_holds_up_nobody_else(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = tells(&owner).await;
        let broken = schedule(&owner, "broken", &function, json!({})).await;
        let sound = schedule(&owner, "sound", &function, json!({})).await;
        let tamper = server.database.tamper().await;
        // As if its organization's key were gone.
        tamper.run("UPDATE schedules SET input = function_name WHERE name = 'broken'").await.ok();
        tamper.run("UPDATE schedules SET input = convert_to('x', 'UTF8') WHERE name = 'broken'").await.ok();
        server.clock.advance(MINUTE);
        assert_eq!(outcomes(&ticks(&owner, &sound, 1).await), ["ran"]);
        server.clock.advance(MINUTE);
        assert_eq!(outcomes(&ticks(&owner, &sound, 2).await), ["ran", "ran"]);
        let named = format!("SELECT count(*) FROM schedule_ticks WHERE schedule = {}", tamper.uuid(broken.parse::<types::ScheduleId>().map(types::Id::uuid).unwrap()));
        assert_eq!(tamper.number(&named).await, 0);
        server.finish().await;
    }

    async fn of_many_ticks_the_last_thousand_are_kept(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = tells(&owner).await;
        let id = schedule(&owner, "often", &function, json!({})).await;
        server.clock.advance(MINUTE);
        ticks(&owner, &id, 1).await;
        let tamper = server.database.tamper().await;
        tamper.run("UPDATE schedules SET ticks = 1000").await.unwrap();
        server.house().triggers.sweep().await;
        assert_eq!(tamper.number("SELECT count(*) FROM schedule_ticks").await, 1);
        tamper.run("UPDATE schedules SET ticks = 1001").await.unwrap();
        server.house().triggers.sweep().await;
        assert_eq!(tamper.number("SELECT count(*) FROM schedule_ticks").await, 0);
        server.finish().await;
    }
}
