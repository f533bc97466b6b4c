//! The stream of changes: in order, for those who may see them, resumed by id.

use futures::StreamExt;
use futures::stream::BoxStream;
use serde_json::{Value, json};

use super::{NOTES, STATE, member, notes};
use crate::support::{Caller, TestServer};

/// An open stream, read event by event.
struct Watch {
    body: BoxStream<'static, reqwest::Result<Vec<u8>>>,
    text: String,
}

impl Watch {
    async fn open(caller: &Caller, query: &str, last: Option<&str>) -> Self {
        let mut request = caller.http.get(format!("{}{STATE}/notes/watch{query}", caller.url));
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
        let body = response.bytes_stream().map(|bytes| bytes.map(Vec::from)).boxed();
        Self { body, text: String::new() }
    }

    /// Name, id and data of the next event; `None` when the stream is over.
    async fn next(&mut self) -> Option<(String, String, Value)> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field =
                    |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                if let (Some(event), Some(id), Some(data)) = (field("event:"), field("id:"), field("data:")) {
                    return Some((event.to_owned(), id.to_owned(), serde_json::from_str(data).unwrap()));
                }
            }
            let bytes = self.body.next().await?.ok()?;
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    async fn key(&mut self) -> (String, String) {
        let (event, _, data) = self.next().await.expect("an event");
        (event, data["key"].as_str().unwrap().to_owned())
    }
}

fn told(event: &str, key: &str) -> (String, String) {
    (event.to_owned(), key.to_owned())
}

testing::on_both_databases! {
    async fn changes_are_told_in_order_and_resumed(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        let mut watch = Watch::open(&owner, "", None).await;
        owner.put(&format!("{NOTES}/a/1"), json!({ "value": "tangerine" })).await.ok(200);
        owner.post(&format!("{STATE}/notes/increment/n"), json!({})).await.ok(200);
        owner.delete(&format!("{NOTES}/a/1")).await.ok(200);
        let (event, id, data) = watch.next().await.unwrap();
        assert_eq!((event.as_str(), &data["key"], &data["revision"]), ("written", &json!("a/1"), &json!(1)));
        assert!(!data.to_string().contains("tangerine"), "{data}");
        assert_eq!(watch.key().await, told("written", "n"));
        assert_eq!(watch.key().await, told("deleted", "a/1"));
        let mut resumed = Watch::open(&owner, "", Some(&id)).await;
        assert_eq!(resumed.key().await, told("written", "n"));
        let mut prefixed = Watch::open(&owner, "?prefix=a/&after=0", None).await;
        assert_eq!(prefixed.key().await, told("written", "a/1"));
        assert_eq!(prefixed.key().await, told("deleted", "a/1"));
        owner.get(&format!("{STATE}/nowhere/watch")).await.refused(404, "not_found");
        let odd = owner.with("last-event-id", "x").get(&format!("{STATE}/notes/watch")).await;
        odd.refused(400, "malformed_request");
        server.finish().await;
    }

    async fn a_watcher_hears_of_what_they_may_see(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        let (_, ada) = member(&server).await;
        let (_, bert) = member(&server).await;
        let (hers, shown) = (format!("{NOTES}/hers"), format!("{NOTES}/shown"));
        ada.put(&hers, json!({ "value": 1 })).await.ok(200);
        ada.put(&shown, json!({ "value": 1, "visibility": "organization" })).await.ok(200);
        ada.delete(&hers).await.ok(200);
        ada.patch(&shown, json!({ "value": 2 })).await.ok(200);
        // Another namespace, and another organization's of the same name.
        owner.post(STATE, json!({ "name": "other", "default_visibility": "organization" })).await.ok(201);
        owner.put("/api/v1/state/other/entries/x", json!({ "value": 1 })).await.ok(200);
        let stranger = server.stranger().await;
        notes(&stranger, json!({ "default_visibility": "organization" })).await;
        stranger.put(&format!("{NOTES}/theirs"), json!({ "value": 1 })).await.ok(200);
        bert.put(&format!("{NOTES}/last"), json!({ "value": 1 })).await.ok(200);
        let mut watch = Watch::open(&bert, "?after=0", None).await;
        let mut heard = Vec::new();
        while heard.last() != Some(&told("written", "last")) {
            heard.push(watch.key().await);
        }
        assert_eq!(heard, [told("written", "shown"), told("written", "shown"), told("written", "last")]);
        let mut watch = Watch::open(&ada, "?after=0", None).await;
        assert_eq!(watch.key().await, told("written", "hers"));
        server.finish().await;
    }

    async fn a_killed_watcher_hears_nothing_more(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        let agent = server.agent(&owner, "watcher", &["state:read:all"]).await;
        let mut watch = Watch::open(&server.as_agent(&agent).await, "", None).await;
        owner.put(&format!("{NOTES}/a"), json!({ "value": 1 })).await.ok(200);
        assert_eq!(watch.key().await, told("written", "a"));
        owner.post(&format!("/api/v1/agents/{}/kill", agent.id), json!({})).await.ok(200);
        owner.put(&format!("{NOTES}/b"), json!({ "value": 1 })).await.ok(200);
        assert_eq!(watch.next().await, None);
        server.finish().await;
    }
}
