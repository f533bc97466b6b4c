//! The owner link.

use serde_json::json;

use crate::support::TestServer;

testing::on_both_databases! {
    async fn the_first_owner_gets_in_by_the_link(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let me = owner.get("/api/v1/auth/me").await.ok(200);
        assert_eq!(me["principal"]["kind"], "user");
        assert_eq!(me["roles"], json!(["operator", "owner"]));
        assert_eq!(me["org"]["slug"], "home");
        let people = owner.get("/api/v1/users").await.ok(200);
        let first = &people["items"][0];
        assert!(first["last_login_at"].as_str() >= first["created_at"].as_str(), "{people}");
        server.finish().await;
    }

    async fn of_a_hundred_redemptions_one_succeeds(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let token = server.link_token().await;
        let anonymous = server.anonymous().with("origin", server.url());
        let racers = (0..100).map(|_| {
            let (caller, token) = (anonymous.clone(), token.clone());
            telemetry::spawn("test", async move { caller.post("/api/v1/auth/link", json!({ "token": token })).await.status.as_u16() })
        });
        let mut statuses = Vec::new();
        for racer in racers.collect::<Vec<_>>() {
            statuses.push(racer.await.unwrap());
        }
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 99, "{statuses:?}");
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM users").await, 1);
        assert_eq!(tamper.number("SELECT count(*) FROM sessions").await, 1);
        server.finish().await;
    }
}

#[tokio::test]
async fn a_newer_link_voids_the_older_and_each_works_once() {
    let server = TestServer::sqlite().await;
    let anonymous = server.anonymous().with("origin", server.url());
    let (old, new) = (server.link_token().await, server.link_token().await);
    anonymous.post("/api/v1/auth/link", json!({ "token": old })).await.refused(401, "invalid_link");
    anonymous.post("/api/v1/auth/link", json!({ "token": new })).await.ok(200);
    anonymous.post("/api/v1/auth/link", json!({ "token": new })).await.refused(401, "invalid_link");
    server.finish().await;
}

#[tokio::test]
async fn a_link_dies_after_half_an_hour() {
    let server = TestServer::sqlite().await;
    let token = server.link_token().await;
    server.clock.advance(std::time::Duration::from_secs(30 * 60 + 1));
    let anonymous = server.anonymous().with("origin", server.url());
    anonymous.post("/api/v1/auth/link", json!({ "token": token })).await.refused(401, "invalid_link");
    server.finish().await;
}

#[tokio::test]
async fn another_sites_page_cannot_redeem_a_link() {
    let server = TestServer::sqlite().await;
    let token = server.link_token().await;
    for origin in ["http://evil.example", "null"] {
        let caller = server.anonymous().with("origin", origin);
        let answer = caller.post("/api/v1/auth/link", json!({ "token": token })).await;
        answer.refused(403, "cross_site_request");
    }
    server.finish().await;
}

#[tokio::test]
async fn the_link_lies_in_a_private_file_until_it_is_used() {
    use std::os::unix::fs::PermissionsExt;
    let server = TestServer::sqlite().await;
    let path = server.database.directory().join("owner-link");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert!(std::fs::read_to_string(&path).unwrap().contains("/console/welcome#"));
    server.owner().await;
    assert!(!path.exists());
    server.finish().await;
}
