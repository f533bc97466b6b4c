//! What did this token do?

use serde_json::{Value, json};

use super::papers::{Papers, parts, text, with_token};
use crate::support::{Caller, TestServer};

async fn acts(caller: &Caller, jti: &str) -> Vec<String> {
    let answer = caller.get(&format!("/api/v1/tokens/{jti}/activity")).await.ok(200);
    answer["items"].as_array().unwrap().iter().map(|act| text(act, "kind")).collect()
}

testing::on_both_databases! {
    async fn everything_done_with_a_token_and_to_it_is_listed(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let papers = Papers::of(&owner, "worker", &["agents:manage:own", "agents:create:all"]).await;
        let (token, other) = (papers.token(&server).await, papers.token(&server).await);
        let jti = text(&parts(&token).1, "jti");
        let person = owner.get("/api/v1/auth/me").await.ok(200);
        let body = json!({ "name": "child", "owner": person["principal"]["id"] });
        with_token(&server, &token).post("/api/v1/agents", body.clone()).await.ok(201);
        with_token(&server, &other).post("/api/v1/agents", json!({ "name": "other", "owner": body["owner"] })).await.ok(201);
        papers.about(&server.anonymous(), "revoke", &token).await;
        server.house().ledger.drain().await.unwrap();
        assert_eq!(acts(&owner, &jti).await, ["token.revoked", "agent.created", "token.issued"]);

        let path = format!("/api/v1/tokens/{jti}/activity?limit=2");
        let first = owner.get(&path).await.ok(200);
        assert_eq!(first["items"].as_array().unwrap().len(), 2);
        let next = owner.get(&format!("{path}&cursor={}", text(&first, "next_cursor"))).await.ok(200);
        assert_eq!((&next["items"][0]["kind"], &next["next_cursor"]), (&json!("token.issued"), &Value::Null));
        let act = &first["items"][1];
        assert_eq!((&act["actor"]["id"], &act["target"]["name"]), (&json!(papers.agent), &json!("child")));
        server.finish().await;
    }
}

#[tokio::test]
async fn a_tokens_acts_are_for_its_holder_the_owner_and_who_may_read_tokens() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let worker = Papers::of(&owner, "worker", &["tokens:read:own"]).await;
    let reader = Papers::of(&owner, "reader", &["tokens:read:all"]).await.caller(&server).await;
    let own_reader = Papers::of(&owner, "own-reader", &["tokens:read:own"]).await.caller(&server).await;
    let none = Papers::of(&owner, "none", &["agents:read:all"]).await.caller(&server).await;
    let (_, member) = server.person(server.home().await, &["member"]).await;
    let token = worker.token(&server).await;
    let jti = text(&parts(&token).1, "jti");
    let path = format!("/api/v1/tokens/{jti}/activity");
    // Asked for at once: the index is waited for.
    assert_eq!(acts(&with_token(&server, &token), &jti).await, ["token.issued"]);
    assert_eq!(acts(&owner, &jti).await, ["token.issued"]);
    assert_eq!(acts(&reader, &jti).await, ["token.issued"]);
    own_reader.get(&path).await.refused(404, "not_found");
    member.get(&path).await.refused(404, "not_found");
    none.get(&path).await.refused(403, "permission_denied");
    server.stranger().await.get(&path).await.refused(404, "not_found");
    for unknown in ["tok_01h455vb4pex5vsknk084sn02q", "agt_01h455vb4pex5vsknk084sn02q", "x"] {
        owner.get(&format!("/api/v1/tokens/{unknown}/activity")).await.refused(404, "not_found");
    }
    server.finish().await;
}
