//! OpenID Connect at a real Keycloak. Run by `make test-all`.

use reqwest::Method;
use serde_json::{Value, json};
use testing::{Keycloak, TestDatabase};

use super::browser::Visitor;
use super::{Desk, with_cookie};

/// The administrator's calls.
struct Admin<'a> {
    at: &'a Keycloak,
    token: String,
}

impl<'a> Admin<'a> {
    async fn of(at: &'a Keycloak) -> Self {
        let form = "grant_type=password&client_id=admin-cli&username=admin&password=admin";
        let path = format!("{}/realms/master/protocol/openid-connect/token", at.address);
        let asked =
            reqwest::Client::new().post(path).header("content-type", "application/x-www-form-urlencoded");
        let answer = asked.body(form).send().await.unwrap().bytes().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        Self { at, token: answer["access_token"].as_str().unwrap().to_owned() }
    }

    async fn call(&self, method: Method, path: &str, body: Value) {
        let asked = reqwest::Client::new().request(method, format!("{}/admin/realms{path}", self.at.address));
        let asked = asked.bearer_auth(&self.token).header("content-type", "application/json");
        let answer = asked.body(body.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {} {}", answer.status(), answer.text().await.unwrap());
    }
}

fn person(login: &str, groups: &[&str]) -> Value {
    json!({ "username": login, "enabled": true, "email": format!("{login}@example.com"), "emailVerified": true,
        "firstName": login, "lastName": "Test", "groups": groups,
        "credentials": [{ "type": "password", "value": "Pass-word-1", "temporary": false }] })
}

#[tokio::test]
async fn people_of_a_realm_come_in_and_their_groups_are_roles() {
    let keycloak = Keycloak::start();
    let desk = Desk::reaching(TestDatabase::sqlite()).await;
    desk.keep_time();
    let issuer = format!("{}/realms/staff", keycloak.address);
    let groups = json!({ "name": "groups", "protocol": "openid-connect", "protocolMapper": "oidc-group-membership-mapper",
        "config": { "claim.name": "groups", "full.path": "false", "id.token.claim": "true" } });
    let client = json!({ "clientId": "safeconduct", "secret": "a secret of some length", "redirectUris": ["http://127.0.0.1:*"],
        "standardFlowEnabled": true, "protocolMappers": [groups] });
    let admin = Admin::of(&keycloak).await;
    let realm = json!({ "realm": "staff", "enabled": true, "sslRequired": "none", "clients": [client],
        "groups": [{ "name": "platform" }, { "name": "lunch" }],
        "users": [person("ada", &["/platform", "/lunch"]), person("bob", &[])] });
    admin.call(Method::POST, "", realm).await;
    let made = desk
        .provider(json!({ "name": "corp", "kind": "oidc", "create_users": true, "default_roles": ["member"],
            "trust_email": true, "group_roles": { "platform": ["admin"] },
            "settings": { "issuer": issuer, "client_id": "safeconduct", "client_secret": "a secret of some length" } }))
        .await;
    let owner = desk.server.owner().await;
    let test = format!("/api/v1/auth-providers/{}/test", made["id"].as_str().unwrap());
    let tested = owner.post(&test, json!({})).await.ok(200);
    assert_eq!(tested["works"], true, "{tested}");
    for (login, roles) in [("ada", json!(["admin", "member"])), ("bob", json!(["member"]))] {
        let away = desk.leave("corp").await;
        let back = Visitor::new().sign_in(&away.url, login, &desk.server.url()).await;
        let answer = away.browser.get(&back).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (303, "/console/agents"),
            "{}",
            answer.text
        );
        let me = with_cookie(&desk.server, &answer).get("/api/v1/auth/me").await.ok(200);
        assert_eq!(me["roles"], roles, "{login}: {me}");
        let id = me["principal"]["id"].as_str().unwrap();
        let user = owner.get(&format!("/api/v1/users/{id}")).await.ok(200);
        assert_eq!(user["email"], format!("{login}@example.com"));
    }
    // The secret turned there is a sign-in that does not work, and the test says so.
    let wrong = json!({ "settings": { "client_secret": "another secret altogether" } });
    owner.patch(test.strip_suffix("/test").unwrap(), wrong).await.ok(200);
    let tested = owner.post(&test, json!({})).await.ok(200);
    assert_eq!(tested["works"], false, "{tested}");
    desk.server.finish().await;
}
