//! WorkOS: its authorization page and its exchange of codes, emulated as its reference describes them.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use serde_json::{Value, json};
use testing::TestDatabase;

use super::browser::Visitor;
use super::{Desk, with_cookie};
use crate::support::Answer;

/// Codes that were given and not taken, with the challenge that they are bound to.
#[derive(Default)]
struct Given {
    codes: HashMap<String, String>,
    answer: Value,
}

type Shared = State<Arc<Mutex<Given>>>;
type Fields = HashMap<String, String>;

/// The two calls that are used of WorkOS.
struct Emulator {
    url: String,
    given: Arc<Mutex<Given>>,
    task: tokio::task::JoinHandle<()>,
}

impl Emulator {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let given = Arc::<Mutex<Given>>::default();
        let routes = Router::new()
            .route("/user_management/authorize", get(authorize))
            .route("/user_management/authenticate", post(authenticate))
            .with_state(Arc::clone(&given));
        let task = telemetry::spawn("workos", async move {
            axum::serve(listener, routes).await.expect("the emulator serves");
        });
        Self { url, given, task }
    }

    fn knows(&self, id: &str, email: &str, organization: Option<&str>) {
        self.given.lock().answer = json!({
            "user": { "object": "user", "id": id, "email": email, "first_name": "Ada", "last_name": "Lovelace",
                "email_verified": true },
            "organization_id": organization, "access_token": "x", "refresh_token": "y",
        });
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn authorize(State(given): Shared, Query(query): Query<Fields>) -> Response {
    let known = query["client_id"] == "client_1" && query["response_type"] == "code";
    let one_way =
        ["provider", "connection_id", "organization_id"].iter().filter(|name| query.contains_key(**name));
    if !known || one_way.count() != 1 || query["code_challenge_method"] != "S256" {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let code = format!("code{}", given.lock().codes.len());
    given.lock().codes.insert(code.clone(), query["code_challenge"].clone());
    Redirect::to(&format!("{}?code={code}&state={}", query["redirect_uri"], query["state"])).into_response()
}

async fn authenticate(State(given): Shared, body: String) -> Response {
    let form: Fields = serde_urlencoded::from_str(&body).expect("a form");
    let refuse = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    if form["client_id"] != "client_1" || form["client_secret"] != "sk_1" {
        return refuse("invalid_client");
    }
    let verifier = crypto::hash::sha256(form["code_verifier"].as_bytes());
    let mut given = given.lock();
    let challenge = given.codes.remove(&form["code"]);
    if challenge.is_none_or(|challenge| challenge != URL_SAFE_NO_PAD.encode(verifier)) {
        return refuse("invalid_grant");
    }
    Json(given.answer.clone()).into_response()
}

async fn desk_at(emulator: &Emulator, database: TestDatabase) -> Desk {
    // Not among what tenants may reach: the address is the operator's.
    Desk::open_with(database, &[("sign_in.workos_url", &emulator.url)]).await
}

async fn come(desk: &Desk) -> Answer {
    let away = desk.leave("work").await;
    let back = Visitor::new().sign_in(&away.url, "", &desk.server.url()).await;
    away.browser.get(&back).await
}

testing::on_both_databases! {
    async fn somebody_comes_in_by_workos(database: TestDatabase) {
        let emulator = Emulator::start().await;
        let desk = desk_at(&emulator, database).await;
        let settings = json!({ "client_id": "client_1", "api_key": "sk_1" });
        let body = json!({ "name": "work", "kind": "workos", "create_users": true, "settings": settings });
        desk.provider(body).await;
        emulator.knows("user_1", "ada@example.com", None);
        let answer = come(&desk).await;
        assert_eq!(answer.status.as_u16(), 303, "{}", answer.text);
        let me = with_cookie(&desk.server, &answer).get("/api/v1/auth/me").await.ok(200);
        let again = come(&desk).await;
        let again = with_cookie(&desk.server, &again).get("/api/v1/auth/me").await.ok(200);
        assert_eq!(me["principal"]["id"], again["principal"]["id"]);
        // WorkOS says that it verified the address; that takes nothing over.
        desk.member("boss@example.com").await;
        emulator.knows("user_2", "boss@example.com", None);
        come(&desk).await.refused(401, "sign_in_refused");
        desk.server.finish().await;
    }
}

#[tokio::test]
async fn other_organizations_of_workos_and_wrong_keys_are_refused() {
    let emulator = Emulator::start().await;
    let desk = desk_at(&emulator, TestDatabase::sqlite()).await;
    let settings = json!({ "client_id": "client_1", "api_key": "sk_1", "organization_id": "org_1" });
    let body = json!({ "name": "work", "kind": "workos", "create_users": true, "settings": settings });
    let id = desk.provider(body).await["id"].as_str().unwrap().to_owned();
    emulator.knows("user_1", "ada@example.com", Some("org_2"));
    come(&desk).await.refused(401, "sign_in_refused");
    emulator.knows("user_1", "ada@example.com", None);
    come(&desk).await.refused(401, "sign_in_refused");
    emulator.knows("user_1", "ada@example.com", Some("org_1"));
    assert_eq!(come(&desk).await.status.as_u16(), 303);
    let owner = desk.server.owner().await;
    let path = format!("/api/v1/auth-providers/{id}");
    let test = async || owner.post(&format!("{path}/test"), json!({})).await.ok(200);
    assert_eq!(test().await["works"], true);
    owner.patch(&path, json!({ "settings": { "api_key": "sk_2" } })).await.ok(200);
    let found = test().await;
    assert!(found["works"] == false && found.to_string().contains("invalid_client"), "{found}");
    come(&desk).await.refused(401, "sign_in_refused");
    // Where WorkOS is, no provider says.
    let elsewhere = json!({ "settings": { "base_url": "https://evil.example" } });
    owner.patch(&path, elsewhere).await.refused(422, "validation_failed");
    owner.patch(&path, json!({ "enabled": false })).await.ok(200);
    desk.browser().post("/api/v1/auth/work/begin", json!({})).await.refused(403, "provider_disabled");
    desk.server.finish().await;
}
