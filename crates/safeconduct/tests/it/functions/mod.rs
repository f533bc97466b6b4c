//! Functions over HTTP.

mod create;
mod deputy;
pub(crate) mod execute;
mod http;
mod list;
mod outcomes;
mod packages;
mod pools;
mod publish;
mod real_packages;
mod secrets;
mod token;

pub(crate) use execute::ended;
use serde_json::{Value, json};

use crate::support::Caller;

pub(crate) const FUNCTIONS: &str = "/api/v1/functions";

/// Creates `ops/<name>` with this code.
pub(crate) async fn function(owner: &Caller, name: &str, code: &str) -> String {
    made(owner, json!({ "namespace": "ops", "name": name, "code": code })).await
}

/// Creates a function from a whole body; answers its id.
pub(crate) async fn made(owner: &Caller, body: Value) -> String {
    owner.post(FUNCTIONS, body).await.ok(201)["id"].as_str().expect("an id").to_owned()
}

/// Runs it to its end.
pub(crate) async fn run(caller: &Caller, function: &str, input: Value) -> Value {
    caller.post(&format!("{FUNCTIONS}/{function}/execute"), json!({ "input": input })).await.ok(200)
}

/// Queues a run; answers its id.
pub(crate) async fn queue(caller: &Caller, function: &str, input: Value) -> String {
    let caller = caller.with("prefer", "respond-async");
    let run =
        caller.post(&format!("{FUNCTIONS}/{function}/execute"), json!({ "input": input })).await.ok(202);
    run["id"].as_str().expect("an id").to_owned()
}
