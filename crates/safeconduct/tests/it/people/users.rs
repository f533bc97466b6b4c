//! Operators and the people of the instance.

use serde_json::json;

use crate::support::TestServer;

testing::on_both_databases! {
    async fn a_suspension_cuts_every_session_everywhere(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let operator = server.owner().await;
        let (_, token) = server.owner_tokens().await;
        let (ada, her) = server.person(server.home().await, &["member"]).await;
        let elsewhere = server.stranger().await;
        let path = format!("/api/v1/system/users/{}", ada.id);
        for other in [&her, &elsewhere] {
            let denied = other.post(&format!("{path}/suspend"), json!({})).await.refused(403, "permission_denied");
            assert_eq!(denied["permission"], "system:users");
        }
        let known = operator.get(&path).await.ok(200);
        assert_eq!((&known["status"], known["orgs"].as_array().unwrap().len()), (&json!("active"), 1));
        let gone = operator.post(&format!("{path}/suspend"), json!({ "reason": "left" })).await.ok(200);
        assert_eq!(gone["status"], "suspended");
        her.get("/api/v1/auth/me").await.refused(401, "unauthenticated");
        operator.post(&format!("{path}/suspend"), json!({})).await.refused(409, "user_suspended");
        let list = operator.get("/api/v1/system/users?status=suspended").await.ok(200);
        assert_eq!(list["items"][0]["id"], json!(ada.id));
        operator.post(&format!("{path}/reactivate"), json!({})).await.ok(200);
        operator.post(&format!("{path}/reactivate"), json!({})).await.refused(409, "user_active");
        // What was ended stays ended.
        her.get("/api/v1/auth/me").await.refused(401, "unauthenticated");
        // Nobody locks themselves out.
        let me = operator.get("/api/v1/auth/me").await.ok(200);
        let mine = format!("/api/v1/system/users/{}/suspend", me["principal"]["id"].as_str().unwrap());
        operator.post(&mine, json!({})).await.refused(409, "own_account");
        token.get("/api/v1/auth/me").await.ok(200);
        operator.get("/api/v1/system/users/usr_01h455vb4pex5vsknk084sn02q").await.refused(404, "not_found");
        server.finish().await;
    }

    async fn a_suspended_persons_tokens_are_void_by_revision(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let (signed_in, owner) = server.owner_tokens().await;
        let (operator, _) = server.person(server.home().await, &["operator"]).await;
        let contact = web::Contact::default();
        let people = &server.house().people;
        let kind = people::SessionKind::Browser;
        let started = people.sign_in(server.home().await, &operator, kind, "test", &contact).await.unwrap();
        let operator = crate::support::Caller {
            cookie: Some(format!("safeconduct_dev={}", started.secret.reveal())),
            ..server.anonymous()
        };
        let path = format!("/api/v1/system/users/{}", signed_in["user"]["id"].as_str().unwrap());
        operator.post(&format!("{path}/suspend"), json!({})).await.ok(200);
        owner.get("/api/v1/auth/me").await.refused(401, "invalid_token");
        let refresh = json!({ "refresh_token": signed_in["refresh_token"] });
        server.anonymous().post("/api/v1/auth/refresh", refresh.clone()).await.refused(401, "invalid_token");
        operator.post(&format!("{path}/reactivate"), json!({})).await.ok(200);
        owner.get("/api/v1/auth/me").await.refused(401, "invalid_token");
        server.anonymous().post("/api/v1/auth/refresh", refresh).await.refused(401, "invalid_token");
        server.finish().await;
    }
}
