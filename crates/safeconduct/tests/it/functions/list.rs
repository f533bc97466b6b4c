//! Lists: filters, pages, and nothing that the caller may not read.

use serde_json::json;

use super::{FUNCTIONS, made};
use crate::support::{Caller, TestServer};

async fn names(caller: &Caller, query: &str) -> Vec<String> {
    let list = caller.get(&format!("{FUNCTIONS}{query}")).await.ok(200);
    let name = |item: &serde_json::Value| item["name"].as_str().unwrap().to_owned();
    list["items"].as_array().unwrap().iter().map(name).collect()
}

testing::on_both_databases! {
    async fn lists_are_filtered_paged_and_narrowed(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let code = "def handler(input, context):\n    return 1\n";
        for (namespace, name, tag) in [("ops", "one", "a"), ("ops", "two", "b"), ("web", "three", "a")] {
            made(&owner, json!({ "namespace": namespace, "name": name, "code": code, "tags": [tag] })).await;
        }
        assert_eq!(names(&owner, "").await, ["three", "two", "one"]);
        assert_eq!(names(&owner, "?namespace=ops").await, ["two", "one"]);
        assert_eq!(names(&owner, "?tag=a").await, ["three", "one"]);
        assert_eq!(names(&owner, "?q=TW").await, ["two"]);
        let first = owner.get(&format!("{FUNCTIONS}?limit=2")).await.ok(200);
        assert!(first["items"][0].get("version").is_none(), "no code in lists");
        let cursor = first["next_cursor"].as_str().unwrap();
        assert_eq!(names(&owner, &format!("?limit=2&cursor={cursor}")).await, ["one"]);
        owner.get(&format!("{FUNCTIONS}?cursor=x{cursor}")).await.refused(400, "invalid_cursor");
        owner.get(&format!("{FUNCTIONS}?colour=red")).await.refused(422, "validation_failed");

        assert_eq!(names(&server.stranger().await, "").await, Vec::<String>::new());
        let agent = server.agent(&owner, "narrow", &["functions/ops/*:read:all"]).await;
        assert_eq!(names(&server.as_agent(&agent).await, "").await, ["two", "one"]);
        server.finish().await;
    }
}
