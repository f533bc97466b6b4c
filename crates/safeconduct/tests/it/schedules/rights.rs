//! A schedule never outlives its owner's rights, and is nobody's ladder to another's.

use std::time::Duration;

use serde_json::{Value, json};
use web::PrincipalId;

use super::{SCHEDULES, WAITS, facts, outcomes, schedule, tells, ticks};
use crate::functions::{ended, function, made};
use crate::policies::in_force;
use crate::support::TestServer;

const MINUTE: Duration = Duration::from_secs(60);

/// Asks our own API with its token, and tells the status.
const ASKS: &str = r#"
import urllib.request, urllib.error
def handler(input, context):
    request = urllib.request.Request(context.api_url + input["path"])
    request.add_header("Authorization", "Bearer " + context.access_token)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
"#;

testing::on_both_databases! {
    async fn it_stops_when_its_owner_loses_the_right_and_goes_on_when_they_have_it_back(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = tells(&owner).await;
        let worker = server.agent(&owner, "worker", &["schedules:create:own", "schedules:read:own", "functions:read", "functions:execute"]).await;
        let by_worker = server.as_agent(&worker).await;
        let id = schedule(&by_worker, "often", &function, json!({})).await;
        server.clock.advance(MINUTE);
        assert_eq!(outcomes(&ticks(&owner, &id, 1).await), ["ran"]);
        let agent = format!("/api/v1/agents/{}", worker.id);
        owner.patch(&agent, json!({ "permissions": ["schedules:read:own"] })).await.ok(200);
        for so_far in [2, 3] {
            server.clock.advance(MINUTE);
            let seen = ticks(&owner, &id, so_far).await;
            assert_eq!(seen[so_far - 1]["outcome"], "refused", "{seen:#?}");
            assert_eq!(seen[so_far - 1]["code"], "permission_denied");
            assert_eq!(seen[so_far - 1]["run"], Value::Null);
        }
        assert_eq!(facts(&server, "schedule.refused").await, 1, "told once");
        assert_eq!(owner.get(&format!("{SCHEDULES}/{id}")).await.ok(200)["refusal"], "permission_denied");
        owner.patch(&agent, json!({ "permissions": ["functions:execute"] })).await.ok(200);
        server.clock.advance(MINUTE);
        assert_eq!(outcomes(&ticks(&owner, &id, 4).await), ["ran", "refused", "refused", "ran"]);
        assert_eq!(owner.get(&format!("{SCHEDULES}/{id}")).await.ok(200)["refusal"], Value::Null);
        // Another reason is told anew.
        owner.post(&format!("{agent}/suspend"), json!({})).await.ok(200);
        server.clock.advance(MINUTE);
        assert_eq!(ticks(&owner, &id, 5).await[4]["code"], "trigger_orphaned");
        assert_eq!(facts(&server, "schedule.refused").await, 2);
        owner.post(&format!("{SCHEDULES}/{id}/run"), json!({})).await.refused(410, "trigger_orphaned");
        server.finish().await;
    }

    async fn whoever_changes_what_it_does_answers_for_it(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        let function = tells(&owner).await;
        let id = schedule(&owner, "often", &function, json!({})).await;
        let path = format!("{SCHEDULES}/{id}");
        let before = owner.get(&path).await.ok(200)["owner"].clone();
        let (person, editor) = server.person(home, &[]).await;
        let them = PrincipalId::User(person.id);
        server.grant(home, them, "schedules:write:all").await;
        server.grant(home, them, "functions:read:all").await;
        let named = editor.patch(&path, json!({ "description": "theirs", "timing": { "every_seconds": 90 } })).await.ok(200);
        assert_eq!(named["owner"], before, "what it does is as before");
        for patch in [json!({ "input": { "x": "mine" } }), json!({ "function": function }), json!({ "permissions": [] })] {
            editor.patch(&path, patch).await.refused(403, "permission_denied");
        }
        server.grant(home, them, "functions:execute:all").await;
        let exceeded = json!({ "permissions": ["agents:read:all"] });
        editor.patch(&path, exceeded).await.refused(403, "authority_exceeded");
        let taken = editor.patch(&path, json!({ "input": { "x": "mine" } })).await.ok(200);
        assert_eq!(taken["owner"], json!(person.id));
        server.clock.advance(Duration::from_secs(90));
        let run = ticks(&owner, &id, 1).await[0]["run"].as_str().unwrap().to_owned();
        assert_eq!(ended(&owner, &run).await["principal"]["id"], json!(person.id));
        server.finish().await;
    }

    async fn its_runs_may_do_what_it_was_given_and_no_more(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let body = json!({ "namespace": "ops", "name": "asks", "code": ASKS, "permissions": ["agents:read:all", "state:read:all"] });
        let function = made(&owner, body).await;
        let asks = |path: &str, permissions: Value| json!({ "input": { "path": path }, "permissions": permissions });
        for (name, body, status) in [
            ("nothing", asks("/api/v1/agents", json!([])), 403),
            ("agents", asks("/api/v1/agents", json!(["agents:read"])), 200),
            ("other", asks("/api/v1/state", json!(["agents:read"])), 403),
            // Given, and not in the function's own.
            ("beyond", asks("/api/v1/groups", json!(["groups:read"])), 403),
        ] {
            let id = schedule(&owner, name, &function, body).await;
            let run = owner.post(&format!("{SCHEDULES}/{id}/run"), json!({})).await.ok(202);
            let run = ended(&owner, run["run"].as_str().unwrap()).await;
            assert_eq!(run["output"], json!(status), "{name}: {run:#}");
        }
        server.finish().await;
    }

    async fn a_run_makes_no_schedule(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let code = ASKS.replace("input[\"path\"])", "\"/api/v1/schedules\", data=input[\"body\"].encode(), method=\"POST\")")
            .replace("    try:", "    request.add_header(\"Content-Type\", \"application/json\")\n    try:");
        let body = json!({ "namespace": "ops", "name": "worm", "code": code, "permissions": ["schedules:create", "functions:execute"] });
        let function = made(&owner, body).await;
        let wanted = json!({ "name": "kept", "function": function, "timing": { "every_seconds": 60 } }).to_string();
        let ran = crate::functions::run(&owner, &function, json!({ "body": wanted })).await;
        assert_eq!(ran["output"], 403, "{ran:#}");
        assert_eq!(owner.get(SCHEDULES).await.ok(200)["items"], json!([]));
        server.finish().await;
    }

    async fn with_it_end_its_runs_and_their_tokens(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = function(&owner, "waits", WAITS).await;
        let id = schedule(&owner, "often", &function, json!({})).await;
        let run = owner.post(&format!("{SCHEDULES}/{id}/run"), json!({})).await.ok(202);
        let run = run["run"].as_str().unwrap();
        while owner.get(&format!("/api/v1/runs/{run}")).await.ok(200)["status"] != "running" {
            tokio::task::yield_now().await;
        }
        owner.delete(&format!("{SCHEDULES}/{id}")).await.ok(200);
        let run = ended(&owner, run).await;
        assert_ne!(run["status"], "succeeded", "{run:#}");
        server.finish().await;
    }

    async fn an_organization_on_its_way_out_does_nothing_by_itself(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let stranger = server.stranger().await;
        let here = schedule(&owner, "often", &tells(&owner).await, json!({})).await;
        let there = schedule(&stranger, "often", &tells(&stranger).await, json!({})).await;
        let body = json!({ "slug": "elsewhere" }).to_string();
        let gone = stranger.send(reqwest::Method::DELETE, "/api/v1/orgs/elsewhere", Some(body)).await.ok(200);
        assert_eq!(gone["status"], "leaving");
        server.clock.advance(MINUTE);
        assert_eq!(outcomes(&ticks(&owner, &here, 1).await), ["ran"]);
        server.clock.advance(MINUTE);
        assert_eq!(outcomes(&ticks(&owner, &here, 2).await), ["ran", "ran"]);
        let tamper = server.database.tamper().await;
        let there = tamper.uuid(there.parse::<types::ScheduleId>().map(types::Id::uuid).unwrap());
        let ticked = format!("SELECT count(*) FROM schedule_ticks WHERE schedule = {there}");
        assert_eq!(tamper.number(&ticked).await, 0);
        server.finish().await;
    }

    async fn policies_are_asked_at_each_tick(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = tells(&owner).await;
        let id = schedule(&owner, "often", &function, json!({})).await;
        in_force(&owner, "package safeconduct.functions\ndeny contains \"not today\" if input.operation == \"functions.execute\"").await;
        server.clock.advance(MINUTE);
        let seen = ticks(&owner, &id, 1).await;
        assert_eq!((&seen[0]["outcome"], &seen[0]["code"]), (&json!("refused"), &json!("policy_denied")));
        server.finish().await;
    }

    async fn a_schedule_is_its_owners_and_not_the_neighbours(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = tells(&owner).await;
        let id = schedule(&owner, "often", &function, json!({})).await;
        let stranger = server.stranger().await;
        let (person, member) = server.person(server.home().await, &[]).await;
        server.grant(server.home().await, PrincipalId::User(person.id), "schedules:manage:own").await;
        for somebody in [&stranger, &member] {
            let path = format!("{SCHEDULES}/{id}");
            somebody.get(&path).await.refused(404, "not_found");
            somebody.get(&format!("{path}/ticks")).await.refused(404, "not_found");
            somebody.patch(&path, json!({ "name": "mine" })).await.refused(404, "not_found");
            for act in ["pause", "resume", "run"] {
                somebody.post(&format!("{path}/{act}"), json!({})).await.refused(404, "not_found");
            }
            somebody.delete(&path).await.refused(404, "not_found");
            assert_eq!(somebody.get(SCHEDULES).await.ok(200)["items"], json!([]));
        }
        // Nobody schedules what they may not run.
        let body = json!({ "name": "mine", "function": function, "timing": { "every_seconds": 60 } });
        member.post(SCHEDULES, body).await.refused(404, "not_found");
        server.finish().await;
    }
}
