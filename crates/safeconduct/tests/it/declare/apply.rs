//! All of a document is brought about, or nothing of it.

use serde_json::{Value, json};

use super::{APPLY, EVERYTHING, PLAN, apply, changes, document, facts, facts_of, lines, plan};
use crate::support::TestServer;

testing::on_both_databases! {
    async fn everything_of_a_file_is_brought_about_in_one_go(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let text = document("acme", EVERYTHING);
        let made = [
            "create roles/note-taker", "create groups/Operations", "create functions/ops/greet",
            "create state_namespaces/notes", "create collections/reports", "create agents/ops/reporter",
            "create schedules/nightly",
        ];
        let before = facts(&server).await;
        assert_eq!(changes(&plan(&owner, &text).await), made);
        assert_eq!(facts(&server).await, before, "a plan changes nothing");
        let applied = apply(&owner, &text).await.ok(200);
        assert_eq!(changes(&applied), made);
        assert_eq!(facts(&server).await, before + 8);
        for kind in [
            "role.created", "group.created", "function.created", "state.namespace_created", "files.collection_created",
            "agent.created", "schedule.created", "config.applied",
        ] {
            assert_eq!(facts_of(&server, kind).await, 1, "{kind}");
        }
        let agent = owner.get("/api/v1/agents/ops:reporter").await.ok(200);
        assert_eq!((&agent["roles"], &agent["owner"]["kind"]), (&json!(["note-taker", "viewer"]), &json!("group")));
        assert_eq!(agent["id"], applied["changes"][5]["id"], "ids of what was made are told");
        let schedules = owner.get("/api/v1/schedules").await.ok(200);
        assert_eq!(schedules["items"][0]["function_name"], "ops/greet");
        let function = owner.get("/api/v1/functions/ops:greet").await.ok(200);
        assert_eq!(function["version"]["retry"]["max_attempts"], 3);
        let run = json!({ "input": { "name": "Ada" } });
        let ran = owner.post("/api/v1/functions/ops:greet/execute", run).await.ok(200);
        assert_eq!(ran["output"], json!({ "hello": { "name": "Ada" } }));
        // Applied again it is nothing.
        let before = facts(&server).await;
        let again = apply(&owner, &text).await.ok(200);
        assert_eq!((changes(&again), &again["unchanged"]), (Vec::new(), &json!(7)));
        assert_eq!(facts(&server).await, before);
        server.finish().await;
    }

    /// The last thing fails: nothing of those before it is left, and all that is wrong is told at once.
    async fn nothing_of_a_file_is_kept_when_one_thing_is_refused(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let spec = EVERYTHING
            .replace("          return {\"hello\": input}", "          return {")
            .replace("Europe/Berlin", "Europe/Nowhere");
        let text = document("acme", &spec);
        let before = facts(&server).await;
        let refused = apply(&owner, &text).await.refused(422, "syntax_error");
        let found = lines(&refused["findings"]);
        // The schedule stands on the function, so it is not blamed.
        assert_eq!(found, [(17, "/spec/functions/0/code".to_owned())], "{refused:#}");
        assert_eq!(facts(&server).await, before);
        for path in ["groups", "functions", "agents", "schedules", "state", "collections"] {
            let listed = owner.get(&format!("/api/v1/{path}")).await.ok(200);
            assert_eq!(listed["items"], json!([]), "{path}");
        }
        owner.get("/api/v1/roles/note-taker").await.refused(404, "not_found");
        let text = text.replace("          return {", "          return {}");
        let refused = apply(&owner, &text).await.refused(422, "validation_failed");
        assert_eq!(lines(&refused["findings"]), [(43, "/spec/schedules/0/time_zone".to_owned())], "{refused:#}");
        assert_eq!(facts(&server).await, before);
        apply(&owner, &text.replace("Nowhere", "Rome")).await.ok(200);
        server.finish().await;
    }

    async fn what_changed_is_changed_and_told_field_by_field(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        apply(&owner, &document("acme", EVERYTHING)).await.ok(200);
        let spec = EVERYTHING
            .replace("\"functions/ops/*:execute\"]", "\"functions/ops/greet:execute\"]")
            .replace("Who is called at night", "Who is called")
            .replace("return {\"hello\": input}", "return {\"bye\": input}")
            .replace("    retry: {max_attempts: 3}\n", "    mode: cold\n    rate: {starts: 100}\n")
            .replace("    input_schema: {type: object, required: [name], properties: {name: {type: string}}}\n", "")
            .replace("history_depth: 5", "ttl_seconds: 60")
            .replace("[\"text/csv\", \"image/*\"]", "[]")
            .replace("roles: [note-taker, viewer]", "roles: [note-taker]")
            .replace("{team: {name: ops, floor: 3}}", "{team: {name: ops}}")
            .replace("    input: {name: night}\n", "    active: false\n");
        let text = document("acme", &spec);
        let planned = plan(&owner, &text).await;
        let told = |at: usize| {
            let fields = planned["changes"][at]["fields"].as_array().expect("fields");
            fields.iter().map(|one| one["field"].as_str().expect("a field").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(changes(&planned).len(), 7, "{planned:#}");
        assert!(changes(&planned).iter().all(|change| change.starts_with("update ")));
        assert_eq!(told(0), ["/permissions"]);
        let rights = &planned["changes"][0];
        assert_eq!(rights["fields"][0]["gained"], json!(["functions/ops/greet:execute"]));
        assert_eq!(rights["fields"][0]["lost"], json!(["functions/ops/*:execute"]));
        assert_eq!(rights["changes_rights"], true);
        assert_eq!(planned["changes"][1]["changes_rights"], false);
        assert_eq!(told(2), ["/code", "/input_schema", "/mode", "/rate", "/retry"]);
        assert_eq!(told(3), ["/history_depth", "/ttl_seconds"]);
        assert_eq!(told(5), ["/metadata/team", "/roles"]);
        assert_eq!(planned["changes"][5]["fields"][1]["lost"], json!(["viewer"]));
        assert_eq!(told(6), ["/active", "/input"]);
        assert_eq!(changes(&apply(&owner, &text).await.ok(200)), changes(&planned));
        assert_eq!(changes(&plan(&owner, &text).await), Vec::<String>::new());
        let ran = owner.post("/api/v1/functions/ops:greet/execute", json!({ "input": 1 })).await.ok(200);
        assert_eq!(ran["output"], json!({ "bye": 1 }), "its input may be anything again");
        let agent = owner.get("/api/v1/agents/ops:reporter").await.ok(200);
        assert_eq!(agent["metadata"], json!({ "team": { "name": "ops" } }));
        let schedule = owner.get("/api/v1/schedules").await.ok(200)["items"][0].clone();
        assert_eq!((&schedule["state"], &schedule["input"]), (&json!("paused"), &json!({})));
        assert_eq!(facts_of(&server, "schedule.paused").await, 1);
        let function = owner.get("/api/v1/functions/ops:greet").await.ok(200);
        let version = &function["version"];
        assert_eq!((&version["mode"], &version["rate"]["per_seconds"]), (&json!("cold"), &json!(60)));
        // What a file says no more of is as if it had never been said.
        apply(&owner, &document("acme", EVERYTHING)).await.ok(200);
        let function = owner.get("/api/v1/functions/ops:greet").await.ok(200);
        let version = &function["version"];
        assert_eq!((&version["mode"], version["rate"].is_null()), (&json!("fork"), true));
        server.finish().await;
    }

    /// Two apply the same at the same time, again and again: it is there once, and both succeed.
    async fn racers_bring_about_one_thing(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        for round in 0..4 {
            let spec = format!("roles:\n  - {{name: raced-{round}, permissions: ['agents:read:all']}}\n");
            let text = document("races", &spec);
            let answers = futures::future::join_all((0..4).map(|_| apply(&owner, &text))).await;
            let made: usize = answers.iter().map(|answer| changes(&answer.ok(200)).len()).sum();
            assert_eq!(made, 1, "round {round}");
        }
        assert_eq!(facts_of(&server, "role.created").await, 4);
        assert_eq!(facts_of(&server, "config.applied").await, 4);
        server.finish().await;
    }

    async fn a_repeat_with_the_same_key_is_answered_alike(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await.with("idempotency-key", "apply-once");
        let body = json!({ "document": document("acme", "roles:\n  - {name: a, permissions: []}\n") });
        let first = owner.post(APPLY, body.clone()).await;
        assert_eq!(changes(&first.ok(200)), ["create roles/a"]);
        let again = owner.post(APPLY, body).await;
        assert_eq!((again.header("idempotency-replayed"), &again.text), ("true", &first.text));
        server.finish().await;
    }

    async fn names_are_filled_in_by_whoever_sends_them(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let spec = "functions:\n  - {name: told, description: 'For ${WHO}, not $${WHO}', code: '${file:code/told.py}'}\n";
        let body = |who: Option<&str>| {
            let variables = who.map_or_else(|| json!({}), |who| json!({ "WHO": who }));
            let code = "def handler(input, context):\n    return '${WHO}'\n";
            json!({ "document": document("acme", spec), "variables": variables, "files": { "code/told.py": code } })
        };
        let refused = owner.post(PLAN, body(None)).await.refused(422, "config_invalid");
        assert_eq!(refused["findings"][0]["line"], 7, "{refused:#}");
        owner.post(APPLY, body(Some("roles:\n- x"))).await.ok(200);
        let function = owner.get("/api/v1/functions/default:told").await.ok(200);
        assert_eq!(function["description"], "For roles:\n- x, not ${WHO}", "filled in as text");
        let ran = owner.post("/api/v1/functions/default:told/execute", json!({})).await.ok(200);
        assert_eq!(ran["output"], Value::from("${WHO}"), "and once");
        server.finish().await;
    }
}
