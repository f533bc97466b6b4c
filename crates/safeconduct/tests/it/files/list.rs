//! Files are found by name, tag, text and metadata.

use serde_json::json;

use super::{FILES, names, put, reports};
use crate::support::TestServer;

testing::on_both_databases! {
    async fn files_are_found(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({})).await;
        for (name, query) in [
            ("a/1", "tags=red,round&metadata=%7B%22n%22%3A1%7D"),
            ("a/2", "tags=red&metadata=%7B%22n%22%3A2%7D&description=The%20Second_one"),
            ("b/%25", "tags=reddish&visibility=organization"),
            ("Z", ""),
        ] {
            put(&owner, &format!("{name}?{query}"), "x").await.ok(200);
        }
        let found = async |query: &str| names(&owner.get(&format!("{FILES}?{query}")).await.ok(200));
        assert_eq!(found("").await, ["Z", "a/1", "a/2", "b/%"]);
        assert_eq!(found("prefix=a/").await, ["a/1", "a/2"]);
        assert_eq!(found("prefix=A/").await, [""; 0]);
        assert_eq!(found("tags=red").await, ["a/1", "a/2"]);
        assert_eq!(found("tags=red,round").await, ["a/1"]);
        assert_eq!(found("q=second_").await, ["a/2"]);
        assert_eq!(found("q=b/%25").await, ["b/%"]);
        assert_eq!(found("pointer=/n").await, ["a/1", "a/2"]);
        assert_eq!(found("pointer=/n&equals=2").await, ["a/2"]);
        assert_eq!(found("visibility=organization").await, ["b/%"]);
        let first = owner.get(&format!("{FILES}?limit=3&count=true")).await.ok(200);
        assert_eq!((names(&first).len(), &first["total"]), (3, &json!(4)));
        assert_eq!(found(&format!("cursor={}", first["next_cursor"].as_str().unwrap())).await, ["b/%"]);
        for wrong in ["equals=1", "pointer=n", "pointer=/n&equals=x", "owner=me"] {
            owner.get(&format!("{FILES}?{wrong}")).await.refused(422, "validation_failed");
        }
        server.finish().await;
    }
}
