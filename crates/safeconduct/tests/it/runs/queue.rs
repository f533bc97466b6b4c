//! When runs are worked on: delay, keys, repetition; and what becomes of those that are given up.

use serde_json::{Value, json};

use crate::functions::{FUNCTIONS, made, queue, run};
use crate::support::{Caller, TestServer};

const FAILS: &str =
    "def handler(input, context):\n    print('attempt', context.attempt)\n    raise ValueError('no')\n";
const SLEEPS: &str = "import time\ndef handler(input, context):\n    time.sleep(600)\n";

fn written(name: &str, code: &str) -> Value {
    json!({ "namespace": "ops", "name": name, "code": code })
}

async fn execute(caller: &Caller, function: &str, body: Value) -> Value {
    let caller = caller.with("prefer", "respond-async");
    caller.post(&format!("{FUNCTIONS}/{function}/execute"), body).await.ok(202)
}

async fn in_state(caller: &Caller, run: &Value, state: &str) -> Value {
    let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
    loop {
        let found = caller.get(&path).await.ok(200);
        if found["status"] == state {
            return found;
        }
        assert!(!matches!(found["status"].as_str(), Some("succeeded" | "cancelled")), "{found:#}");
        tokio::task::yield_now().await;
    }
}

fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

testing::on_both_databases! {
    async fn a_failing_function_is_tried_again_and_then_a_dead_letter(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let mut body = written("fails", FAILS);
        body["retry"] = json!({ "max_attempts": 3, "initial_seconds": 0 });
        let function = made(&owner, body).await;
        // The caller waits through the attempts.
        let dead = run(&owner, &function, json!({})).await;
        assert_eq!((&dead["status"], &dead["attempts"], &dead["max_attempts"]), (&json!("dead"), &json!(3), &json!(3)));
        assert_eq!(dead["error"]["kind"], "raised");
        let id = dead["id"].as_str().unwrap();
        let log = owner.get(&format!("/api/v1/runs/{id}/logs")).await.ok(200);
        let said: Vec<&str> = log["items"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap()).collect();
        assert!(said[1].contains("Attempt 1 of 3 ended with raised"), "{said:?}");
        assert_eq!(said.iter().filter(|line| line.starts_with("attempt ")).count(), 3, "{said:?}");

        let queues = owner.get("/api/v1/queues").await.ok(200);
        assert_eq!((&queues["items"][0]["name"], &queues["items"][0]["dead"]), (&json!("function"), &json!(1)));
        let letters = owner.get("/api/v1/queues/function/dead").await.ok(200);
        assert_eq!(ids(&letters), [id]);
        owner.get("/api/v1/queues/nothing/dead").await.refused(404, "not_found");
        let (_, member) = server.person(server.home().await, &["member"]).await;
        assert_eq!(member.get("/api/v1/queues/function/dead").await.ok(200)["items"], json!([]), "not theirs");
        assert_eq!(member.get("/api/v1/queues").await.ok(200)["items"], json!([]));

        // Again, by hand: the same run, with further attempts.
        let reader = server.agent(&owner, "reader", &["runs:read:all"]).await;
        let reader = server.as_agent(&reader).await;
        for act in ["retry", "flush"] {
            let path = format!("/api/v1/runs/{id}/{act}");
            reader.post(&path, json!({})).await.refused(403, "permission_denied");
            server.stranger().await.post(&path, json!({})).await.refused(404, "not_found");
            owner.with("if-match", "\"999\"").post(&path, json!({})).await.refused(412, "stale_revision");
        }
        let again = owner.post(&format!("/api/v1/runs/{id}/retry"), json!({})).await.ok(200);
        assert_eq!((&again["id"], &again["status"]), (&dead["id"], &json!("queued")));
        let dead = in_state(&owner, &dead, "dead").await;
        assert_eq!(dead["attempts"], 6);

        let aside = owner.post(&format!("/api/v1/runs/{id}/flush"), json!({})).await.ok(200);
        assert_eq!(aside["status"], "dead", "it stays on record");
        assert!(aside["flushed_at"].is_string());
        owner.post(&format!("/api/v1/runs/{id}/flush"), json!({})).await.refused(409, "run_not_dead");
        assert_eq!(owner.get("/api/v1/queues/function/dead").await.ok(200)["items"], json!([]));
        assert_eq!(owner.get("/api/v1/queues").await.ok(200)["items"], json!([]));
        server.house().ledger.drain().await.unwrap();
        let tamper = server.database.tamper().await;
        let of: types::RunId = id.parse().unwrap();
        let facts = tamper.rows(&format!("SELECT kind, actor_kind FROM facts WHERE run = {} ORDER BY id", tamper.uuid(types::Id::uuid(of)))).await;
        let kinds: Vec<String> = facts.into_iter().map(|row| format!("{} {}", row[0].as_deref().unwrap(), row[1].as_deref().unwrap())).collect();
        assert_eq!(kinds, ["run.dead system", "run.retried user", "run.dead system", "run.flushed user"]);
        server.finish().await;
    }

    async fn one_attempt_is_a_failure_and_no_letter(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = made(&owner, written("fails", FAILS)).await;
        let failed = run(&owner, &function, json!({})).await;
        assert_eq!((&failed["status"], &failed["attempts"]), (&json!("failed"), &json!(1)));
        assert_eq!(owner.get("/api/v1/queues").await.ok(200)["items"], json!([]));
        let path = format!("/api/v1/runs/{}", failed["id"].as_str().unwrap());
        owner.post(&format!("{path}/flush"), json!({})).await.refused(409, "run_not_dead");
        let again = owner.post(&format!("{path}/retry"), json!({})).await.ok(200);
        assert_eq!(again["status"], "queued");
        server.finish().await;
    }

    async fn an_open_run_under_the_same_key_is_the_answer_to_its_caller_only(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let function = made(&owner, written("sleeps", SLEEPS)).await;
        let agent = server.agent(&owner, "worker", &["functions:execute:all", "runs:*:own"]).await;
        let agent = server.as_agent(&agent).await;
        let body = json!({ "input": {}, "deduplication_key": "invoice 7" });
        let first = execute(&owner, &function, body.clone()).await;
        let racers = futures::future::join_all((0..20).map(|_| execute(&owner, &function, body.clone())));
        for answer in racers.await {
            assert_eq!(answer["id"], first["id"]);
        }
        let keyed = owner.with("idempotency-key", "ask once");
        assert_eq!(execute(&keyed, &function, body.clone()).await["id"], first["id"]);
        let theirs = execute(&agent, &function, body.clone()).await;
        assert_ne!(theirs["id"], first["id"], "somebody else's run is nobody's answer");
        owner.post(&format!("/api/v1/runs/{}/cancel", first["id"].as_str().unwrap()), json!({})).await.ok(200);
        assert_eq!(execute(&keyed, &function, body.clone()).await["id"], first["id"], "the answer that was given");
        let next = execute(&owner, &function, body).await;
        assert_ne!(next["id"], first["id"]);
        server.finish().await;
    }

    async fn runs_wait_for_their_time_and_their_turn(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let mut body = written("sleeps", SLEEPS);
        body["concurrency"] = json!(2);
        let function = made(&owner, body).await;
        let later = execute(&owner, &function, json!({ "delay_seconds": 3600, "priority": 9 })).await;
        assert_eq!((&later["status"], &later["priority"]), (&json!("queued"), &json!(9)));
        assert!(later["due_at"].is_string());
        let mut running = Vec::new();
        for _ in 0..2 {
            let run = execute(&owner, &function, json!({})).await;
            running.push(in_state(&owner, &run, "running").await);
        }
        let third = execute(&owner, &function, json!({})).await;
        // Of another key: as many again.
        let other = execute(&owner, &function, json!({ "concurrency_key": "other" })).await;
        in_state(&owner, &other, "running").await;
        let queues = owner.get("/api/v1/queues").await.ok(200);
        let queue = &queues["items"][0];
        assert_eq!((&queue["ready"], &queue["delayed"], &queue["running"]), (&json!(1), &json!(1), &json!(3)), "{queue:#}");
        assert_eq!(queue["oldest_ready_at"], third["queued_at"]);
        let path = format!("/api/v1/runs/{}/cancel", running[0]["id"].as_str().unwrap());
        owner.post(&path, json!({})).await.ok(200);
        in_state(&owner, &third, "running").await;
        server.finish().await;
    }

    async fn runs_over_the_rate_of_their_function_wait(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let mut body = written("rated", "def handler(input, context):\n    return context.attempt\n");
        body["rate"] = json!({ "starts": 2, "per_seconds": 86_400 });
        let function = made(&owner, body).await;
        let read = owner.get(&format!("{FUNCTIONS}/{function}")).await.ok(200);
        assert_eq!(read["version"]["rate"], json!({ "starts": 2, "per_seconds": 86_400 }));
        for _ in 0..2 {
            assert_eq!(run(&owner, &function, json!({})).await["status"], "succeeded");
        }
        let third = execute(&owner, &function, json!({})).await;
        let hasty = owner.with("prefer", "wait=1").post(&format!("{FUNCTIONS}/{function}/execute"), json!({})).await.ok(202);
        assert_eq!(hasty["status"], "queued", "it waits, and is not lost");
        // Another function of the same organization goes on.
        let free = made(&owner, written("free", "def handler(input, context):\n    return 1\n")).await;
        for _ in 0..2 {
            assert_eq!(run(&owner, &free, json!({})).await["status"], "succeeded");
        }
        let queue = owner.get("/api/v1/queues").await.ok(200)["items"][0].clone();
        assert_eq!((&queue["ready"], &queue["rated"], &queue["running"]), (&json!(2), &json!(2), &json!(0)), "{queue:#}");
        // A version without a rate; the runs that were accepted keep theirs.
        let publish = json!({ "code": "def handler(input, context):\n    return 2\n", "rate": { "starts": 0 } });
        let next = owner.post(&format!("{FUNCTIONS}/{function}/versions"), publish).await.ok(201);
        assert_eq!(next["version"]["rate"], Value::Null);
        assert_eq!(run(&owner, &function, json!({})).await["output"], 2);
        for waiting in [&third, &hasty] {
            let path = format!("/api/v1/runs/{}", waiting["id"].as_str().unwrap());
            assert_eq!(owner.get(&path).await.ok(200)["status"], "queued");
            owner.post(&format!("{path}/cancel"), json!({})).await.ok(200);
        }
        server.finish().await;
    }

    async fn a_replay_is_a_new_run_on_the_callers_authority(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let code = "def handler(input, context):\n    return {'got': input, 'by': context.agent_id or context.user_id}\n";
        let function = made(&owner, written("tells", code)).await;
        let large = "x".repeat(900_000);
        for input in [json!({ "n": 1 }), json!({ "large": large })] {
            let first = run(&owner, &function, input.clone()).await;
            let path = format!("/api/v1/runs/{}/replay", first["id"].as_str().unwrap());
            let publish = json!({ "code": "def handler(input, context):\n    return 'another'\n" });
            owner.post(&format!("{FUNCTIONS}/{function}/versions"), publish).await.ok(201);
            let agent = server.agent(&owner, &format!("replays-{}", input.to_string().len()), &["functions:execute:all", "runs:read:all"]).await;
            let agent = server.as_agent(&agent).await;
            let replay = agent.with("idempotency-key", "once").with("prefer", "respond-async").post(&path, json!({})).await.ok(202);
            assert_eq!((&replay["replay_of"], &replay["version"]), (&first["id"], &first["version"]), "the version that ran");
            assert_eq!(replay["trigger"], "manual");
            let again = agent.with("idempotency-key", "once").with("prefer", "respond-async").post(&path, json!({})).await.ok(202);
            assert_eq!(again["id"], replay["id"]);
            let ended = crate::functions::ended(&agent, replay["id"].as_str().unwrap()).await;
            assert_eq!(ended["status"], "succeeded", "{ended:#}");
            assert_eq!(ended["input_size"], first["input_size"]);
            assert_eq!(ended["principal"]["kind"], "agent");
        }
        // Who may run but not read that run learns nothing of it.
        let first = run(&owner, &function, json!({ "secret": 1 })).await;
        let path = format!("/api/v1/runs/{}/replay", first["id"].as_str().unwrap());
        let blind = server.agent(&owner, "blind", &["functions:execute:all", "runs:read:own"]).await;
        server.as_agent(&blind).await.post(&path, json!({})).await.refused(404, "not_found");
        let idle = server.agent(&owner, "idle", &["runs:read:all"]).await;
        server.as_agent(&idle).await.post(&path, json!({})).await.refused(403, "permission_denied");
        server.finish().await;
    }

    async fn cancelling_reaches_the_runs_that_a_run_asked_for(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let slow = made(&owner, written("slow", SLEEPS)).await;
        let code = r#"
import json, time, urllib.request
def handler(input, context):
    body = json.dumps({"input": {}}).encode()
    headers = {"Authorization": "Bearer " + context.access_token, "Content-Type": "application/json", "Prefer": "respond-async"}
    url = context.api_url + "/api/v1/functions/ops:slow/execute"
    with urllib.request.urlopen(urllib.request.Request(url, data=body, headers=headers)) as answer:
        print(json.load(answer)["id"], flush=True)
    time.sleep(600)
"#;
        let mut body = written("asks", code);
        body["permissions"] = json!(["functions:execute"]);
        let asks = made(&owner, body).await;
        let parent = queue(&owner, &asks, json!({})).await;
        let children = format!("/api/v1/runs?parent={parent}");
        let child = loop {
            let list = owner.get(&children).await.ok(200);
            if let Some(child) = list["items"].as_array().unwrap().iter().find(|run| run["status"] == "running") {
                break child.clone();
            }
            tokio::task::yield_now().await;
        };
        assert_eq!((&child["parent"], &child["function"]), (&json!(parent), &json!(slow)));
        owner.post(&format!("/api/v1/runs/{parent}/cancel"), json!({})).await.ok(200);
        let child = owner.get(&format!("/api/v1/runs/{}", child["id"].as_str().unwrap())).await.ok(200);
        assert_eq!(child["status"], "cancelled", "when the answer comes nothing of the family runs");
        server.finish().await;
    }
}

#[tokio::test]
async fn what_is_asked_for_is_checked_and_input_is_read_as_meant() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let mut body = written("adds", "def handler(input, context):\n    return input['n'] + 1\n");
    body["input_schema"] =
        json!({ "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"] });
    let function = made(&owner, body).await;
    let sum = run(&owner, &function, json!({ "n": "41" })).await;
    assert_eq!(
        (&sum["output"], &sum["input"]),
        (&json!(42), &json!({ "n": 41 })),
        "kept as it was understood"
    );
    let path = format!("{FUNCTIONS}/{function}/execute");
    owner.post(&path, json!({ "input": { "n": "41x" } })).await.refused(422, "input_invalid");
    for (field, value) in [
        ("priority", json!(101)),
        ("delay_seconds", json!(-1)),
        ("delay_seconds", json!(2_592_001)),
        ("deduplication_key", json!("")),
        ("concurrency_key", json!("k".repeat(201))),
    ] {
        let refused = owner.post(&path, json!({ "input": { "n": 1 }, field: value })).await;
        assert_eq!(refused.refused(422, "validation_failed")["errors"][0]["field"], format!("/{field}"));
    }
    for (field, value) in [
        ("retry", json!({ "max_attempts": 0 })),
        ("retry", json!({ "max_attempts": 21 })),
        ("retry", json!({ "max_attempts": 2, "initial_seconds": -1 })),
        ("retry", json!({ "max_attempts": 2, "surprise": 1 })),
        ("concurrency", json!(-1)),
        ("rate", json!({ "starts": -1 })),
        ("rate", json!({ "starts": 10_001 })),
        ("rate", json!({ "starts": 1, "per_seconds": 0 })),
        ("rate", json!({ "starts": 1, "per_seconds": 86_401 })),
        ("rate", json!({ "per_seconds": 60 })),
    ] {
        let mut body = written("odd", "def handler(input, context): pass\n");
        body[field] = value;
        owner.post(FUNCTIONS, body).await.refused(422, "validation_failed");
    }
    let read = owner.get(&format!("{FUNCTIONS}/{function}")).await.ok(200);
    assert_eq!((&read["version"]["retry"], &read["version"]["concurrency"]), (&Value::Null, &Value::Null));
    let publish = json!({ "code": "def handler(input, context): pass\n", "retry": { "max_attempts": 4 }, "concurrency": 3 });
    let next = owner.post(&format!("{FUNCTIONS}/{function}/versions"), publish).await.ok(201);
    let retry = json!({ "max_attempts": 4, "initial_seconds": 1, "max_seconds": 300 });
    assert_eq!((&next["version"]["retry"], &next["version"]["concurrency"]), (&retry, &json!(3)));
    let kept = json!({ "code": "def handler(input, context): return 1\n" });
    let next = owner.post(&format!("{FUNCTIONS}/{function}/versions"), kept).await.ok(201);
    assert_eq!(next["version"]["retry"], retry, "what is left out stays");
    let off = json!({ "code": "def handler(input, context): return 2\n", "retry": { "max_attempts": 1 }, "concurrency": 0 });
    let next = owner.post(&format!("{FUNCTIONS}/{function}/versions"), off).await.ok(201);
    assert_eq!((&next["version"]["retry"], &next["version"]["concurrency"]), (&Value::Null, &Value::Null));
    server.finish().await;
}
