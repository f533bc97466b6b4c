//! Lists: order, pages, and each filter.

use serde_json::{Value, json};

use super::{NOTES, keys, notes};
use crate::support::TestServer;

testing::on_both_databases! {
    async fn entries_are_found_by_what_they_are(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        for (key, body) in [
            ("a/1", json!({ "value": { "status": "open", "n": 1, "list": [{ "x/y": null }] }, "tags": ["case", "new"], "relevance_score": 0.5 })),
            ("a/2", json!({ "value": { "status": "closed", "n": 1.0 }, "tags": ["case"], "relevance_score": 0.9 })),
            ("A/3", json!({ "value": { "status": "Open" }, "description": "100% of it" })),
            ("b_1", json!({ "value": "text", "tags": ["Case"] })),
            ("é", json!({ "value": [10, 20], "relevance_score": 0.9 })),
        ] {
            owner.put(&format!("{NOTES}/{key}"), body).await.ok(200);
        }
        for (query, found) in [
            ("", vec!["A/3", "a/1", "a/2", "b_1", "é"]),
            ("order=relevance", vec!["a/2", "é", "a/1", "A/3", "b_1"]),
            ("prefix=a%2F", vec!["a/1", "a/2"]),
            ("prefix=%C3%A9", vec!["é"]),
            ("prefix=a%25", vec![]),
            ("tags=case", vec!["a/1", "a/2"]),
            ("tags=case,new", vec!["a/1"]),
            ("q=100%25", vec!["A/3"]),
            ("q=B_", vec!["b_1"]),
            ("q=closed", vec!["a/2"]),
            ("pointer=/status", vec!["A/3", "a/1", "a/2"]),
            ("pointer=/status&equals=%22open%22", vec!["a/1"]),
            ("pointer=/n&equals=1", vec!["a/1", "a/2"]),
            ("pointer=/list/0/x~1y&equals=null", vec!["a/1"]),
            ("pointer=/1&equals=20", vec!["é"]),
            ("pointer=/-1", vec![]),
            ("pointer=/01", vec![]),
            ("pointer=&equals=%22text%22", vec!["b_1"]),
            ("pointer=&equals=%5B10,20.0%5D", vec!["é"]),
            ("visibility=organization", vec![]),
        ] {
            let page = owner.get(&format!("{NOTES}?{query}&count=true")).await.ok(200);
            assert_eq!(keys(&page), found, "{query}");
            assert_eq!(page["total"], found.len(), "{query}");
            assert!(page["items"].as_array().unwrap().iter().all(|item| item.get("value").is_none()), "{query}");
        }
        let page = owner.get(&format!("{NOTES}?values=true&prefix=b")).await.ok(200);
        assert_eq!(page["items"][0]["value"], "text");
        server.finish().await;
    }

    async fn pages_follow_each_other(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        let put = |n: u32| json!({ "op": "put", "key": format!("k{n:02}"), "value": n, "relevance_score": f64::from(n % 3) / 10.0 });
        let batch: Vec<Value> = (0..20).map(put).collect();
        owner.post("/api/v1/state/notes/batch", json!({ "operations": batch })).await.ok(200);
        for order in ["key", "relevance"] {
            let whole = keys(&owner.get(&format!("{NOTES}?order={order}")).await.ok(200));
            assert_eq!(whole.len(), 20);
            let (mut pages, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = owner.get(&format!("{NOTES}?order={order}&limit=6{cursor}")).await.ok(200);
                pages.extend(keys(&page));
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(pages, whole, "{order}");
        }
        server.finish().await;
    }
}

#[tokio::test]
async fn what_is_no_filter_is_refused() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    notes(&owner, json!({})).await;
    for query in [
        "limit=0",
        "limit=201",
        "values=true&limit=51",
        "pointer=status",
        "pointer=/a~2",
        "equals=1",
        "pointer=/a&equals=open",
        "owner=somebody",
        "order=size",
        "else=1",
    ] {
        owner.get(&format!("{NOTES}?{query}")).await.refused(422, "validation_failed");
    }
    owner.get(&format!("{NOTES}?cursor=AAAA")).await.refused(400, "invalid_cursor");
    server.finish().await;
}
