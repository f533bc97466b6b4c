//! Agents with papers.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{Caller, TestServer};

/// A registered agent with one secret.
#[derive(Clone)]
pub(crate) struct TestAgent {
    pub(crate) id: String,
    pub(crate) credential: String,
    pub(crate) secret: String,
}

impl TestAgent {
    pub(crate) async fn of(owner: &Caller, name: &str, permissions: &[&str]) -> Self {
        let body = json!({ "name": name, "permissions": permissions });
        let agent = owner.post("/api/v1/agents", body).await.ok(201);
        let id = agent["id"].as_str().expect("an id").to_owned();
        let path = format!("/api/v1/agents/{id}/credentials");
        let made = owner.post(&path, json!({ "kind": "secret", "label": "test" })).await.ok(201);
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        Self { id, credential: text("id"), secret: text("client_secret") }
    }

    /// The `Authorization` of HTTP Basic.
    pub(crate) fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.id, self.secret)))
    }
}

impl TestServer {
    pub(crate) async fn agent(&self, owner: &Caller, name: &str, permissions: &[&str]) -> TestAgent {
        TestAgent::of(owner, name, permissions).await
    }

    /// The agent as a caller with a fresh token of all its rights.
    pub(crate) async fn as_agent(&self, agent: &TestAgent) -> Caller {
        let client = self.anonymous().with("authorization", agent.basic());
        let answer = client.form("/oauth2/token", &[("grant_type", "client_credentials")]).await.ok(200);
        Caller { bearer: answer["access_token"].as_str().map(str::to_owned), ..self.anonymous() }
    }

    /// The owner as the command line is: by link, with a token.
    pub(crate) async fn owner_by_token(&self) -> Caller {
        let token = self.link_token().await;
        let answer =
            self.anonymous().post("/api/v1/auth/link/token", json!({ "token": token })).await.ok(200);
        Caller { bearer: answer["access_token"].as_str().map(str::to_owned), ..self.anonymous() }
    }
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("claims")
}
