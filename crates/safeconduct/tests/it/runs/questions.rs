//! What a run asks over HTTP: who sees it, who answers it, what an answer must be, and that nothing is lost.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::functions::{function, made, queue};
use crate::support::{Caller, Start, TestServer};

const DEPLOYS: &str = r#"
def handler(input, context):
    schema = {"type": "object", "required": ["deploy"], "additionalProperties": False,
              "properties": {"deploy": {"type": "boolean"}, "reason": {"type": "string"}}}
    answer = context.ask("Deploy " + input["what"] + "?", schema=schema)
    again = context.ask("Really?")
    return [context.attempt, answer, again]
"#;

/// The run once it asks the question of this number.
async fn asks(caller: &Caller, run: &str, number: i64) -> Value {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let found = caller.get(&format!("/api/v1/runs/{run}")).await.ok(200);
        if found["status"] == "awaiting_input" && found["question"]["number"] == number {
            return found;
        }
        assert!(Instant::now() < until, "{found:#}");
        assert!(found["ended_at"].is_null(), "{found:#}");
    }
}

async fn ended(caller: &Caller, run: &str) -> Value {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let found = caller.get(&format!("/api/v1/runs/{run}")).await.ok(200);
        if !found["ended_at"].is_null() {
            return found;
        }
        assert!(Instant::now() < until, "{found:#}");
    }
}

testing::on_both_databases! {
    async fn a_run_asks_and_goes_on_with_the_answer(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let id = function(&owner, "deploys", DEPLOYS).await;
        // Whoever waits for the run is told of the question at once.
        let execute = format!("/api/v1/functions/{id}/execute");
        let begun = owner.post(&execute, json!({ "input": { "what": "Zürich" } })).await.ok(202);
        let run = begun["id"].as_str().unwrap();
        assert_eq!((&begun["status"], &begun["question"]["prompt"]), (&json!("awaiting_input"), &json!("Deploy Zürich?")));
        assert_eq!(begun["question"]["schema"]["required"], json!(["deploy"]));
        let listed = owner.get("/api/v1/runs?status=awaiting_input").await.ok(200);
        assert_eq!((&listed["items"][0]["id"], &listed["items"][0]["question"]), (&begun["id"], &Value::Null));
        let queues = owner.get("/api/v1/queues").await.ok(200);
        assert_eq!((&queues["items"][0]["awaiting"], &queues["items"][0]["running"]), (&json!(1), &json!(0)));

        let path = format!("/api/v1/runs/{run}/continue");
        let misfit = json!({ "input": { "deploy": "perhaps", "colour": "red" } });
        let refused = owner.post(&path, misfit).await.refused(422, "input_invalid");
        let fields: Vec<&str> =
            refused["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert!(fields.contains(&"/input/deploy") && fields.iter().any(|field| field.starts_with("/input")), "{refused:#}");
        owner.post(&path, json!({ "question": 1 })).await.refused(422, "validation_failed");
        owner.post(&path, json!({ "input": {}, "run": 1 })).await.refused(422, "validation_failed");
        owner.post(&path, json!({ "input": { "deploy": true }, "question": 2 })).await.refused(409, "run_not_awaiting");
        owner.with("if-match", "\"1\"").post(&path, json!({ "input": { "deploy": true } })).await.refused(412, "stale_revision");

        let keyed = owner.with("idempotency-key", "yes");
        let answer = json!({ "input": { "deploy": true, "reason": "it is time" }, "question": 1 });
        let first = keyed.post(&path, answer.clone()).await.ok(200);
        assert_eq!(keyed.post(&path, answer.clone()).await.ok(200), first, "the same answer twice is one");
        let second = asks(&owner, run, 2).await;
        assert_eq!((&second["question"]["prompt"], &second["question"]["schema"]), (&json!("Really?"), &Value::Null));
        // A form that shows the first question is late.
        owner.post(&path, answer).await.refused(409, "run_not_awaiting");
        owner.post(&path, json!({ "input": [1.5, null] })).await.ok(200);
        let ended = ended(&owner, run).await;
        assert_eq!(ended["output"], json!([1, { "deploy": true, "reason": "it is time" }, [1.5, null]]), "{ended:#}");
        assert!(ended["question"].is_null());
        owner.post(&path, json!({ "input": 1 })).await.refused(409, "run_not_awaiting");

        server.house().ledger.drain().await.unwrap();
        let tamper = server.database.tamper().await;
        let raw = tamper.uuid(types::Id::uuid(run.parse::<types::RunId>().unwrap()));
        let kinds = tamper.rows(&format!("SELECT kind, actor_kind FROM facts WHERE run = {raw} ORDER BY id")).await;
        let kinds: Vec<String> = kinds.into_iter().map(|row| row.into_iter().flatten().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(kinds, ["run.continued user", "run.continued user", "run.succeeded user"]);
        server.finish().await;
    }

    async fn an_answer_is_for_those_who_may_give_it(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let id = function(&owner, "deploys", DEPLOYS).await;
        let run = queue(&owner, &id, json!({ "what": "it" })).await;
        asks(&owner, &run, 1).await;
        let path = format!("/api/v1/runs/{run}/continue");
        let yes = json!({ "input": { "deploy": true } });
        server.stranger().await.post(&path, yes.clone()).await.refused(404, "not_found");
        server.anonymous().post(&path, yes.clone()).await.refused(401, "unauthenticated");
        for (name, permissions) in [
            ("reader", vec!["runs:read:all", "runs:update:all"]),
            ("own", vec!["runs:read:all", "runs:continue:own"]),
        ] {
            let agent = server.agent(&owner, name, &permissions).await;
            server.as_agent(&agent).await.post(&path, yes.clone()).await.refused(403, "permission_denied");
        }
        assert_eq!(asks(&owner, &run, 1).await["attempts"], 1);
        let agent = server.agent(&owner, "answers", &["runs:continue:all"]).await;
        server.as_agent(&agent).await.post(&path, yes).await.ok(200);
        asks(&owner, &run, 2).await;
        owner.post(&format!("/api/v1/runs/{run}/cancel"), json!({})).await.ok(200);
        owner.post(&path, json!({ "input": 1 })).await.refused(409, "run_not_awaiting");
        server.finish().await;
    }

    async fn no_run_answers_for_its_caller(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let id = function(&owner, "deploys", DEPLOYS).await;
        let run = queue(&owner, &id, json!({ "what": "it" })).await;
        asks(&owner, &run, 1).await;
        let code = r#"
import json, urllib.request, urllib.error
def handler(input, context):
    request = urllib.request.Request(
        context.api_url + "/api/v1/runs/" + input + "/continue", b'{"input": {"deploy": true}}',
        {"Authorization": "Bearer " + context.access_token, "Content-Type": "application/json"})
    try:
        return urllib.request.urlopen(request, timeout=20).status
    except urllib.error.HTTPError as error:
        return json.load(error)["code"]
"#;
        let body = json!({ "namespace": "ops", "name": "says_yes", "code": code, "permissions": ["runs:continue", "runs:read"] });
        let says_yes = made(&owner, body).await;
        let tried = owner.post(&format!("/api/v1/functions/{says_yes}/execute"), json!({ "input": run })).await.ok(200);
        assert_eq!(tried["output"], "permission_denied", "{tried:#}");
        asks(&owner, &run, 1).await;
        owner.post(&format!("/api/v1/runs/{run}/cancel"), json!({})).await.ok(200);
        server.finish().await;
    }

    async fn without_its_process_a_run_begins_again_under_a_new_token(database: TestDatabase) {
        let server = TestServer::start_with(database, &[("functions.question_wait_seconds", "0")]).await;
        let owner = server.owner().await;
        let code = "def handler(input, context):\n    print(context.access_token)\n    told = yield {'prompt': 'one?'}\n    return told\n";
        let id = function(&owner, "tokens", code).await;
        let run = queue(&owner, &id, json!({})).await;
        let waits = asks(&owner, &run, 1).await;
        // Until its process is gone its place is taken.
        let until = Instant::now() + Duration::from_secs(60);
        while owner.get(&format!("/api/v1/runs/{run}")).await.ok(200)["attempts"] != 0 {
            assert!(Instant::now() < until, "{waits:#}");
        }
        let log = async || {
            let lines = owner.get(&format!("/api/v1/runs/{run}/logs")).await.ok(200);
            let text = |line: &Value| line["text"].as_str().unwrap().to_owned();
            lines["items"].as_array().unwrap().iter().map(text).collect::<Vec<String>>()
        };
        let before = log().await;
        let stale = Caller { bearer: Some(before.concat()), ..server.anonymous() };
        stale.get("/api/v1/auth/me").await.refused(401, "invalid_token");
        owner.post(&format!("/api/v1/runs/{run}/continue"), json!({ "input": 7 })).await.ok(200);
        let ended = ended(&owner, &run).await;
        assert_eq!((&ended["output"], &ended["attempts"]), (&json!(7), &json!(1)), "{ended:#}");
        let after = log().await;
        assert_eq!(after.len(), 2 * before.len());
        assert_ne!(after[0], after[before.len()]);
        server.finish().await;
    }

    async fn a_question_and_its_answers_survive_kill_nine(database: TestDatabase) {
        let start = Start::of(&database).set("functions.max_concurrent", "4");
        let mut process = start.run().expect("the server starts");
        let owner = process.owner(database.directory()).await;
        let id = function(&owner, "deploys", DEPLOYS).await;
        let run = queue(&owner, &id, json!({ "what": "it" })).await;
        asks(&owner, &run, 1).await;
        let path = format!("/api/v1/runs/{run}/continue");
        owner.post(&path, json!({ "input": { "deploy": false } })).await.ok(200);
        asks(&owner, &run, 2).await;
        process.kill();
        let process = start.run().expect("the server starts again");
        let owner = process.owner(database.directory()).await;
        asks(&owner, &run, 2).await;
        owner.post(&format!("/api/v1/runs/{run}/continue"), json!({ "input": "yes" })).await.ok(200);
        let ended = ended(&owner, &run).await;
        // Where the lost node's lease had not ended yet when the answer came, that was an attempt.
        assert_eq!(ended["output"].as_array().unwrap()[1..], [json!({ "deploy": false }), json!("yes")], "{ended:#}");
        assert_eq!(process.stop(), Some(0));
    }
}

#[tokio::test]
async fn what_is_asked_is_bounded_and_the_same_in_every_attempt() {
    let server =
        TestServer::start_with(testing::TestDatabase::sqlite(), &[("functions.question_wait_seconds", "0")])
            .await;
    let owner = server.owner().await;
    let code = "import os\ndef handler(input, context):\n    try:\n        context.ask('x' * 5000)\n    except ValueError as error:\n        print(error)\n    context.ask(os.urandom(8).hex())\n";
    let id = function(&owner, "changes", code).await;
    let run = queue(&owner, &id, json!({})).await;
    asks(&owner, &run, 1).await;
    owner
        .post(&format!("/api/v1/runs/{run}/continue"), json!({ "input": "x".repeat(70_000) }))
        .await
        .refused(422, "input_invalid");
    owner.post(&format!("/api/v1/runs/{run}/continue"), json!({ "input": 1 })).await.ok(200);
    let ended = ended(&owner, &run).await;
    assert_eq!(
        (&ended["status"], &ended["error"]["kind"]),
        (&json!("failed"), &json!("question_changed")),
        "{ended:#}"
    );
    let log = owner.get(&format!("/api/v1/runs/{run}/logs")).await.ok(200);
    assert_eq!(log["items"][0]["text"], "a prompt has 1 to 4000 characters", "{log:#}");
    server.finish().await;
}
