//! Lists: filters, words, and whose facts one sees.

use serde_json::{Value, json};

use crate::support::{Caller, TestServer, claims};

async fn kinds(caller: &Caller, query: &str) -> Vec<String> {
    let page = caller.get(&format!("/api/v1/audit/events?{query}")).await.ok(200);
    let items = page["items"].as_array().expect("items");
    items.iter().map(|item| item["kind"].as_str().expect("a kind").to_owned()).collect()
}

testing::on_both_databases! {
    async fn filters_find_what_they_name(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let agent = server.agent(&owner, "reporter", &["agents:read:all", "agents:create:all"]).await;
        let caller = server.as_agent(&agent).await;
        let body = json!({ "name": "made", "display_name": "Ärger Bot" });
        let made = caller.post("/api/v1/agents", body).await.ok(201);
        server.house().ledger.drain().await.expect("the ledger drains");
        let token = claims(caller.bearer.as_deref().expect("a token"));
        let (jti, made) = (token["jti"].as_str().expect("a jti"), made["id"].as_str().expect("an id"));
        for (query, expected) in [
            (format!("actor={}&kind=agent.created", agent.id), vec!["agent.created"]),
            (format!("agent={}", agent.id), vec!["agent.created", "token.issued"]),
            (format!("target={made}"), vec!["agent.created"]),
            (format!("jti={jti}"), vec!["agent.created", "token.issued"]),
            (format!("txn={}", token["txn"].as_str().expect("a txn")), vec!["agent.created", "token.issued"]),
            ("q=%C3%84RGER".into(), vec!["agent.created"]),
            ("q=bot+%C3%A4rger".into(), vec!["agent.created"]),
            ("q=%C3%A4rge".into(), vec![]),
            ("ip=127.0.0.1&kind=token.issued".into(), vec!["token.issued"]),
            ("ip=192.0.2.7".into(), vec![]),
            ("outcome=denied".into(), vec![]),
            ("severity=critical".into(), vec![]),
            ("from=2100-01-01T00:00:00.000Z".into(), vec![]),
            ("to=2000-01-01T00:00:00.000Z".into(), vec![]),
        ] {
            assert_eq!(kinds(&owner, &query).await, expected, "{query}");
        }
        let activity = owner.get(&format!("/api/v1/tokens/{jti}/activity")).await.ok(200);
        assert_eq!(activity["items"].as_array().expect("items").len(), 2);
        for bad in ["outcome=fine", "ip=nowhere", "run=x", "from=today", "colour=red"] {
            owner.get(&format!("/api/v1/audit/events?{bad}")).await.refused(422, "validation_failed");
        }
        server.finish().await;
    }

    async fn one_sees_ones_own_or_ones_organizations(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let (person, member) = server.person(server.home().await, &["member"]).await;
        owner.post("/api/v1/agents", json!({ "name": "theirs" })).await.ok(201);
        member.post("/api/v1/agents", json!({ "name": "own" })).await.ok(201);
        server.house().ledger.drain().await.expect("the ledger drains");
        let seen = member.get("/api/v1/audit/events?count=true").await.ok(200);
        let items = seen["items"].as_array().expect("items");
        assert!(!items.is_empty() && seen["total"] == json!(items.len()));
        assert!(items.iter().all(|item| item["actor"]["id"] == json!(person.id)), "{seen:#}");
        let all = owner.get("/api/v1/audit/events?kind=agent.created").await.ok(200);
        let theirs = all["items"].as_array().expect("items").iter().find(|item| item["target"]["name"] == "theirs");
        let id = theirs.expect("the owner sees it")["id"].as_str().expect("an id");
        member.get(&format!("/api/v1/audit/events/{id}")).await.refused(404, "not_found");
        member.get("/api/v1/audit/export").await.refused(404, "not_found");

        let stranger = server.stranger().await;
        stranger.get(&format!("/api/v1/audit/events/{id}")).await.refused(404, "not_found");
        stranger.get(&format!("/api/v1/audit/proof/inclusion?fact={id}")).await.refused(404, "not_found");
        server.house().ledger.drain().await.expect("the ledger drains");
        let elsewhere: Value = stranger.get("/api/v1/audit/events?limit=200").await.ok(200);
        let home = server.home().await;
        assert!(elsewhere["items"].as_array().expect("items").iter().all(|item| item["org"] != json!(home)));
        server.finish().await;
    }
}

#[tokio::test]
async fn refused_sign_ins_are_one_fact_a_minute() {
    let server = TestServer::sqlite().await;
    let anonymous = server.anonymous().with("origin", server.url());
    for _ in 0..20 {
        let body = json!({ "token": "0".repeat(43) });
        anonymous.post("/api/v1/auth/link", body).await.refused(401, "invalid_link");
    }
    let owner = server.owner().await;
    server.house().ledger.drain().await.expect("the ledger drains");
    assert_eq!(kinds(&owner, "kind=auth.refused").await.len(), 1);
    server.clock.advance(std::time::Duration::from_secs(120));
    server.house().ledger.drain().await.expect("the ledger drains");
    let page = owner.get("/api/v1/audit/events?kind=auth.refused").await.ok(200);
    assert_eq!(page["items"].as_array().expect("items").len(), 2, "{page:#}");
    assert_eq!(page["items"][0]["repeated"]["count"], 19, "{page:#}");
    server.finish().await;
}
