//! Hooks over HTTP: looking after them, and knocking at them.

mod answers;
mod credentials;
mod deliveries;
mod floods;
mod hostile;
mod input;
mod manage;
mod owner;
mod receive;
mod repeats;
mod routes;
mod secrecy;
mod signatures;

use crypto::mac::{MacHash, tag_with};
use reqwest::Method;
use serde_json::{Value, json};

use crate::functions::function;
use crate::support::{Answer, Caller, TestServer};

const HOOKS: &str = "/api/v1/hooks";
const ECHO: &str = "def handler(input, context):\n    return {'got': input}\n";
const SECRET: &str = "It's a Secret to Everybody";

/// `ops/echo`, and a hook at `in` that runs it and believes everybody, unless `more` says otherwise.
async fn echo_hook(owner: &Caller, more: Value) -> Value {
    function(owner, "echo", ECHO).await;
    hook(owner, more).await
}

async fn hook(owner: &Caller, more: Value) -> Value {
    owner.post(HOOKS, wanted(more)).await.ok(201)
}

fn wanted(more: Value) -> Value {
    let mut body =
        json!({ "path": "in", "target": { "function": "ops:echo" }, "authentication": { "kind": "none" } });
    for (name, value) in more.as_object().expect("members") {
        body[name] = value.clone();
    }
    body
}

/// GitHub's form of signature, under [`SECRET`].
fn github() -> Value {
    json!({ "authentication": { "kind": "hmac", "preset": "github" }, "secret": SECRET })
}

fn signed(body: &[u8]) -> String {
    format!("sha256={}", hex(&tag_with(MacHash::Sha256, SECRET.as_bytes(), &[body])))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The path of a hook's address.
fn path(hook: &Value) -> String {
    let url = hook["url"].as_str().expect("an address");
    format!("/o/{}", url.split_once("/o/").expect("an organization").1)
}

fn id(hook: &Value) -> &str {
    hook["id"].as_str().expect("an id")
}

/// Somebody else's system, which knows nothing of us.
async fn knock(
    server: &TestServer,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> Answer {
    let caller = server.anonymous();
    let mut request = caller.http.request(method, format!("{}{path}", caller.url)).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request.send().await.expect("the server answers")).await
}

/// JSON, unsigned.
async fn send(server: &TestServer, hook: &Value, body: Value) -> Answer {
    let headers = [("content-type", "application/json")];
    knock(server, Method::POST, &path(hook), &headers, body.to_string()).await
}

/// JSON under GitHub's signature.
async fn send_signed(server: &TestServer, hook: &Value, body: &str) -> Answer {
    let signature = signed(body.as_bytes());
    let headers = [("content-type", "application/json"), ("x-hub-signature-256", signature.as_str())];
    knock(server, Method::POST, &path(hook), &headers, body.to_owned()).await
}

async fn deliveries(owner: &Caller, hook: &Value) -> Vec<Value> {
    let page = owner.get(&format!("{HOOKS}/{}/deliveries", id(hook))).await.ok(200);
    page["items"].as_array().expect("items").clone()
}

/// How often deliveries were refused for which reason.
async fn reasons(owner: &Caller, hook: &Value) -> std::collections::BTreeMap<String, i64> {
    let mut told = std::collections::BTreeMap::new();
    for one in deliveries(owner, hook).await {
        if let Some(reason) = one["reason"].as_str() {
            *told.entry(reason.to_owned()).or_default() += one["count"].as_i64().expect("a number");
        }
    }
    told
}

async fn runs(server: &TestServer) -> i64 {
    server.database.tamper().await.number("SELECT count(*) FROM runs").await
}

async fn facts(server: &TestServer, kind: &str) -> i64 {
    let tamper = server.database.tamper().await;
    tamper.number(&format!("SELECT count(*) FROM facts WHERE kind = '{kind}'")).await
}
