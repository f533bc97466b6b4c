//! State over HTTP: namespaces, entries, and who sees which.

mod acts;
mod entries;
mod functions;
mod history;
mod keys;
mod list;
mod namespaces;
mod races;
mod secrets;
mod time;
mod visibility;
mod watch;

use serde_json::{Value, json};
use types::OrgId;
use web::PrincipalId;

use crate::support::{Caller, TestServer};

const STATE: &str = "/api/v1/state";
const NOTES: &str = "/api/v1/state/notes/entries";

/// The namespace `notes`, with more than its defaults.
async fn notes(owner: &Caller, more: Value) -> Value {
    let mut body = json!({ "name": "notes" });
    for (name, value) in more.as_object().expect("members") {
        body[name] = value.clone();
    }
    owner.post(STATE, body).await.ok(201)
}

/// Somebody of the home organization who holds these and nothing else.
pub(crate) async fn somebody(server: &TestServer, permissions: &[&str]) -> (PrincipalId, Caller) {
    let home: OrgId = server.home().await;
    let (person, caller) = server.person(home, &[]).await;
    let id = PrincipalId::User(person.id);
    for permission in permissions {
        server.grant(home, id, permission).await;
    }
    (id, caller)
}

/// Somebody who works with what is their own, and reads what is shown to them.
async fn member(server: &TestServer) -> (PrincipalId, Caller) {
    somebody(server, &["state:manage:own"]).await
}

fn keys(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().expect("items");
    items.iter().map(|item| item["key"].as_str().expect("a key").to_owned()).collect()
}

/// How many facts of a kind there are.
async fn facts(server: &TestServer, kind: &str) -> i64 {
    let tamper = server.database.tamper().await;
    tamper.number(&format!("SELECT count(*) FROM facts WHERE kind = '{kind}'")).await
}
