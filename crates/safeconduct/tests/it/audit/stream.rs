//! The live stream: resumes by id, ends when somebody dies.

use futures::StreamExt;
use serde_json::{Value, json};

use crate::support::{Caller, TestServer};

async fn open(caller: &Caller, last: Option<&str>) -> reqwest::Response {
    let mut request = caller.http.get(format!("{}/api/v1/audit/stream?after=0", caller.url));
    if let Some(bearer) = &caller.bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    if let Some(cookie) = &caller.cookie {
        request = request.header("cookie", cookie);
    }
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    request.send().await.expect("the server answers")
}

/// Events until one of this kind came: `(id, fact)`.
async fn until(response: reqwest::Response, kind: &str) -> Vec<(String, Value)> {
    let mut body = response.bytes_stream();
    let (mut text, mut events) = (String::new(), Vec::new());
    while let Some(bytes) = body.next().await {
        text.push_str(std::str::from_utf8(&bytes.expect("bytes")).expect("text"));
        while let Some((event, rest)) = text.split_once("\n\n") {
            let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            if let (Some(id), Some(data)) = (field("id:"), field("data:")) {
                let fact: Value = serde_json::from_str(data).expect("JSON");
                let found = fact["kind"] == kind;
                events.push((id.to_owned(), fact));
                if found {
                    return events;
                }
            }
            text = rest.to_owned();
        }
    }
    events
}

testing::on_both_databases! {
    async fn a_stream_follows_and_resumes(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let response = open(&owner, None).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let writer = owner.clone();
        let wrote = telemetry::spawn("test", async move { writer.post("/api/v1/agents", json!({ "name": "one" })).await.ok(201) });
        let events = until(response, "agent.created").await;
        wrote.await.expect("it is written");
        let numbers: Vec<u64> = events.iter().map(|(id, _)| id.parse().expect("a number")).collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "in order, from the start");

        let last = numbers.len().to_string();
        owner.post("/api/v1/agents", json!({ "name": "two" })).await.ok(201);
        let resumed = until(open(&owner, Some(&last)).await, "agent.created").await;
        assert_eq!(resumed.len(), 1);
        assert_eq!(resumed[0].1["target"]["name"], "two");
        server.finish().await;
    }

    async fn a_killed_agents_stream_ends(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let agent = server.agent(&owner, "listener", &["audit:read:all"]).await;
        let listener = server.as_agent(&agent).await;
        let response = open(&listener, None).await;
        assert_eq!(response.status().as_u16(), 200);
        owner.post(&format!("/api/v1/agents/{}/kill", agent.id), json!({})).await.ok(200);
        // Ends by itself: nothing of this kind will ever come.
        until(response, "nothing.of.this.kind").await;
        assert_eq!(open(&listener, None).await.status().as_u16(), 401);
        server.finish().await;
    }

    async fn a_stream_ends_with_the_right_to_read_it_and_nobody_elses(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let agent = server.agent(&owner, "listener", &["audit:read:all"]).await;
        let other = server.agent(&owner, "other", &["audit:read:all"]).await;
        let listener = server.as_agent(&agent).await;
        let response = open(&listener, None).await;
        let staying = until(open(&server.as_agent(&other).await, None).await, "agent.decommissioned");
        let changes = async {
            let less = json!({ "permissions": ["agents:read:all"] });
            owner.patch(&format!("/api/v1/agents/{}", agent.id), less).await.ok(200);
            until(response, "nothing.of.this.kind").await;
            owner.delete(&format!("/api/v1/agents/{}", agent.id)).await.ok(200);
        };
        let (stayed, ()) = futures::join!(staying, changes);
        assert_eq!(stayed.last().expect("events").1["kind"], "agent.decommissioned");
        assert_eq!(open(&listener, None).await.status().as_u16(), 401);
        assert_eq!(open(&owner, Some("yesterday")).await.status().as_u16(), 400);
        server.finish().await;
    }
}
