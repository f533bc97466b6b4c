//! Logs and states, live.

use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};

use crate::functions::{function, queue};
use crate::support::{Caller, TestServer, claims};

/// One server-sent event.
#[derive(Debug)]
struct Event {
    name: String,
    id: String,
    data: Value,
}

/// Reads a stream of events until `enough` says so or it ends.
async fn events(
    caller: &Caller,
    path: &str,
    last: Option<&str>,
    enough: impl Fn(&[Event]) -> bool,
) -> Vec<Event> {
    let mut request = caller.http.get(format!("{}{path}", caller.url)).header("accept", "text/event-stream");
    if let Some(cookie) = &caller.cookie {
        request = request.header("cookie", cookie);
    }
    if let Some(bearer) = &caller.bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut pieces = response.bytes_stream();
    let (mut text, mut found) = (String::new(), Vec::new());
    while !enough(&found) {
        let Some(piece) =
            tokio::time::timeout(Duration::from_secs(60), pieces.next()).await.expect("an event")
        else {
            break;
        };
        text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
        while let Some((block, rest)) = text.split_once("\n\n") {
            found.extend(event(block));
            text = rest.to_owned();
        }
    }
    found
}

fn event(block: &str) -> Option<Event> {
    let field = |name: &str| {
        block.lines().find_map(|line| line.strip_prefix(name)).map(|text| text.trim().to_owned())
    };
    let data = serde_json::from_str(&field("data:")?).unwrap();
    Some(Event { name: field("event:")?, id: field("id:").unwrap_or_default(), data })
}

const TALKS: &str = r#"
import sys, time
def handler(input, context):
    print("one")
    print("two", file=sys.stderr)
    context.log("three", level="warning", row=7)
    time.sleep(input["wait"])
    print("four")
    return 1
"#;

const REPORTS: &str = r#"
import time
def handler(input, context):
    for step in range(200):
        context.progress(step / 1000, "warming up")
    context.progress(0.4, "four of ten")
    time.sleep(input["wait"])
    context.progress(1, "done")
    return 1
"#;

testing::on_both_databases! {
    async fn a_run_says_how_far_it_is(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let id = function(&owner, "reports", REPORTS).await;
        let run = queue(&owner, &id, json!({ "wait": 600 })).await;
        let path = format!("/api/v1/runs/{run}");
        let half = |found: &[Event]| found.last().is_some_and(|event| event.data["fraction"] == 0.4);
        let live = events(&owner, &format!("{path}/events"), None, half).await;
        let said: Vec<&Event> = live.iter().filter(|event| event.name == "progress").collect();
        assert!(said.len() <= 10, "a few times a second at the most: {said:?}");
        assert!(said.iter().all(|event| event.id.is_empty()), "a stream is resumed by states");
        let last = said.last().unwrap();
        assert_eq!((&last.data["fraction"], &last.data["message"]), (&json!(0.4), &json!("four of ten")));
        let shown = owner.get(&path).await.ok(200);
        assert_eq!(shown["progress"], last.data, "as the stream told it");
        let state = live.iter().rfind(|event| event.name == "run").unwrap();
        assert_eq!(state.data["revision"], shown["revision"], "how far it is is no new revision");
        // Whoever resumes after the last state is told how far it is.
        let resumed = events(&owner, &format!("{path}/events"), Some(&state.id), |found| !found.is_empty()).await;
        assert_eq!((resumed[0].name.as_str(), &resumed[0].data), ("progress", &last.data));
        let list = owner.get("/api/v1/runs").await.ok(200);
        assert_eq!(list["items"][0].get("progress"), None, "not in lists");
        owner.post(&format!("{path}/cancel"), json!({})).await.ok(200);
        let cancelled = owner.get(&path).await.ok(200);
        assert_eq!(cancelled["progress"]["fraction"], 0.4, "how far it came");
        // The last word of a run that ends is kept with its end.
        let done = queue(&owner, &id, json!({ "wait": 0 })).await;
        let done = crate::functions::ended(&owner, &done).await;
        assert_eq!((&done["progress"]["fraction"], &done["progress"]["message"]), (&json!(1.0), &json!("done")));
        server.finish().await;
    }

    async fn another_attempt_begins_with_no_progress(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let mut body = json!({ "namespace": "ops", "name": "repeats", "code": "def handler(input, context):\n    if context.attempt == 1:\n        context.progress(0.7, 'nearly')\n        raise ValueError('no')\n    return 1\n" });
        body["retry"] = json!({ "max_attempts": 2, "initial_seconds": 0 });
        let id = crate::functions::made(&owner, body).await;
        let run = crate::functions::run(&owner, &id, json!({})).await;
        assert_eq!((&run["status"], &run["attempts"]), (&json!("succeeded"), &json!(2)));
        assert_eq!(run.get("progress"), None, "{run:#}");
        server.finish().await;
    }

    async fn a_log_is_followed_while_it_grows(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let id = function(&owner, "talks", TALKS).await;
        let run = queue(&owner, &id, json!({ "wait": 600 })).await;
        let path = format!("/api/v1/runs/{run}/logs");
        // The run sleeps: what comes now comes live.
        let live = events(&owner, &path, None, |found| found.len() == 3).await;
        let of = |event: &Event| (event.data["source"].as_str().unwrap().to_owned(), event.data["text"].as_str().unwrap().to_owned());
        let texts: Vec<_> = live.iter().map(of).collect();
        let line = |source: &str, text: &str| (source.to_owned(), text.to_owned());
        assert_eq!(texts, [line("stdout", "one"), line("stderr", "two"), line("log", "three")]);
        assert_eq!((&live[2].data["level"], &live[2].data["fields"]["row"]), (&json!("warning"), &json!(7)));
        assert_eq!(live.iter().map(|event| event.id.as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
        let resumed = events(&owner, &path, Some("2"), |found| found.len() == 1).await;
        assert_eq!(resumed[0].id, "3");

        owner.post(&format!("/api/v1/runs/{run}/cancel"), json!({})).await.ok(200);
        let whole = events(&owner, &path, None, |_| false).await;
        assert_eq!(whole.len(), 4);
        assert_eq!((whole[3].name.as_str(), &whole[3].data), ("end", &json!({ "status": "cancelled" })));
        let stored = owner.get(&format!("{path}?limit=2")).await.ok(200);
        assert_eq!(stored["items"][1]["text"], "two");
        let cursor = stored["next_cursor"].as_str().unwrap();
        let rest = owner.get(&format!("{path}?limit=2&cursor={cursor}")).await.ok(200);
        assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &Value::Null));
        server.stranger().await.get(&path).await.refused(404, "not_found");
        server.finish().await;
    }

    async fn states_are_followed_to_the_end(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let id = function(&owner, "talks", TALKS).await;
        let run = queue(&owner, &id, json!({ "wait": 0 })).await;
        let path = format!("/api/v1/runs/{run}/events");
        let all = events(&owner, &path, None, |_| false).await;
        let last = all.last().unwrap();
        assert_eq!((&last.data["status"], &last.data["output"]), (&json!("succeeded"), &json!(1)));
        let revisions: Vec<i64> = all.iter().map(|event| event.id.parse().unwrap()).collect();
        assert!(revisions.is_sorted_by(|one, next| one < next), "{revisions:?}");
        let resumed = events(&owner, &path, Some(&last.id), |_| false).await;
        assert!(resumed.is_empty(), "nothing after the last: {resumed:?}");
        server.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_its_readers_rights() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let id = function(&owner, "talks", TALKS).await;
    let run = queue(&owner, &id, json!({ "wait": 600 })).await;
    let agent = server.agent(&owner, "reader", &["runs:read:all"]).await;
    let reader = server.as_agent(&agent).await;
    let path = format!("/api/v1/runs/{run}/logs");
    let killed = async {
        events(&owner, &path, None, |found| found.len() == 3).await;
        owner.post(&format!("/api/v1/agents/{}/kill", agent.id), json!({})).await.ok(200);
    };
    let (read, ()) = futures::join!(events(&reader, &path, None, |_| false), killed);
    assert!(read.iter().all(|event| event.name == "line"), "cut off, not ended: {read:?}");
    owner.post(&format!("/api/v1/runs/{run}/cancel"), json!({})).await.ok(200);
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_its_readers_session() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let id = function(&owner, "talks", TALKS).await;
    let run = queue(&owner, &id, json!({ "wait": 600 })).await;
    // Two more sessions of the same person: one with a cookie, one behind a token.
    let (by_cookie, by_token) = (server.owner().await, server.owner_by_token().await);
    let path = format!("/api/v1/runs/{run}/logs");
    for reader in [by_cookie, by_token] {
        let session = match &reader.bearer {
            Some(token) => claims(token)["sid"].clone(),
            None => reader.get("/api/v1/auth/me").await.ok(200)["session"]["id"].clone(),
        };
        let ended = async {
            events(&owner, &path, None, |found| found.len() == 3).await;
            let session = session.as_str().unwrap();
            owner.delete(&format!("/api/v1/auth/sessions/{session}")).await.ok(200);
        };
        let (read, ()) = futures::join!(events(&reader, &path, None, |_| false), ended);
        assert!(read.iter().all(|event| event.name == "line"), "cut off, not ended: {read:?}");
    }
    owner.post(&format!("/api/v1/runs/{run}/cancel"), json!({})).await.ok(200);
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_when_its_readers_rights_change_and_goes_on_where_they_remain() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let id = function(&owner, "talks", TALKS).await;
    let run = queue(&owner, &id, json!({ "wait": 600 })).await;
    let path = format!("/api/v1/runs/{run}/logs");
    let (less, more) = (json!(["agents:read:all"]), json!(["agents:read:all", "runs:read:all"]));
    for (name, permissions, remains) in [("loses", less, false), ("keeps", more, true)] {
        let agent = server.agent(&owner, name, &["runs:read:all"]).await;
        let reader = server.as_agent(&agent).await;
        let changed = async {
            events(&owner, &path, None, |found| found.len() == 3).await;
            owner
                .patch(&format!("/api/v1/agents/{}", agent.id), json!({ "permissions": permissions }))
                .await
                .ok(200);
        };
        let (read, ()) = futures::join!(events(&reader, &path, None, |_| false), changed);
        assert!(read.iter().all(|event| event.name == "line"), "cut off, not ended: {read:?}");
        if remains {
            events(&reader, &path, Some("2"), |found| found.len() == 1).await;
        } else {
            reader.get(&path).await.refused(403, "permission_denied");
        }
    }
    owner
        .with("last-event-id", "two")
        .with("accept", "text/event-stream")
        .get(&path)
        .await
        .refused(400, "malformed_request");
    owner.post(&format!("/api/v1/runs/{run}/cancel"), json!({})).await.ok(200);
    server.finish().await;
}
