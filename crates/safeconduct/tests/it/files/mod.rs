//! Files over HTTP: collections, contents, uploads in parts, links, and who sees which. Real bytes throughout.

mod collections;
mod contents;
mod functions;
mod kill_nine;
mod links;
mod list;
mod names;
mod races;
mod uploads;
mod visibility;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, ORIGIN};
use serde_json::{Value, json};
use types::OrgId;
use web::PrincipalId;

use crate::support::{Answer, Caller, TestServer};

const COLLECTIONS: &str = "/api/v1/collections";
const FILES: &str = "/api/v1/collections/reports/files";
const CONTENT: &str = "/api/v1/collections/reports/content";

/// The collection `reports`, with more than its defaults.
async fn reports(owner: &Caller, more: Value) -> Value {
    let mut body = json!({ "name": "reports" });
    for (name, value) in more.as_object().expect("members") {
        body[name] = value.clone();
    }
    owner.post(COLLECTIONS, body).await.ok(201)
}

/// Bytes that no pattern makes small, always the same of one seed.
fn bytes(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(crypto::hash::sha256(bytes))
}

fn request(caller: &Caller, method: Method, path: &str) -> reqwest::RequestBuilder {
    let mut request = caller.http.request(method, format!("{}{path}", caller.url));
    if let Some(cookie) = &caller.cookie {
        request = request.header(COOKIE, cookie).header(ORIGIN, &caller.url);
    }
    if let Some(bearer) = &caller.bearer {
        request = request.header(AUTHORIZATION, format!("Bearer {bearer}"));
    }
    caller.headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
}

/// Sends bytes of a type.
async fn send(caller: &Caller, method: Method, path: &str, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
    let request = request(caller, method, path).header(CONTENT_TYPE, kind).body(body.into());
    Answer::of(request.send().await.expect("the server answers")).await
}

async fn put(caller: &Caller, name: &str, body: impl Into<Vec<u8>>) -> Answer {
    send(caller, Method::PUT, &format!("{FILES}/{name}"), "text/plain", body).await
}

/// What comes back, as bytes.
struct Got {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn code(&self) -> Value {
        serde_json::from_slice::<Value>(&self.body).expect("a problem")["code"].clone()
    }
}

async fn got(caller: &Caller, path: &str) -> Got {
    let response = request(caller, Method::GET, path).send().await.expect("the server answers");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Got { status, headers, body: response.bytes().await.expect("a body").to_vec() }
}

/// An upload of so many bytes, begun.
async fn begun(caller: &Caller, more: Value) -> String {
    let answer = caller.post(&format!("{COLLECTIONS}/reports/uploads"), more).await.ok(201);
    answer["id"].as_str().expect("an id").to_owned()
}

async fn part(caller: &Caller, upload: &str, offset: usize, body: impl Into<Vec<u8>>) -> Answer {
    let caller = caller.with("upload-offset", offset.to_string());
    let path = format!("/api/v1/uploads/{upload}");
    send(&caller, Method::PATCH, &path, "application/partial-upload", body).await
}

/// Somebody of the home organization who holds these and nothing else.
async fn somebody(server: &TestServer, permissions: &[&str]) -> (PrincipalId, Caller) {
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
    somebody(server, &["files:manage:own"]).await
}

fn names(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().expect("items");
    items.iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
}

/// How many facts of a kind there are.
async fn facts(server: &TestServer, kind: &str) -> i64 {
    let tamper = server.database.tamper().await;
    tamper.number(&format!("SELECT count(*) FROM facts WHERE kind = '{kind}'")).await
}

/// How many rows a table has.
async fn rows(server: &TestServer, table: &str) -> i64 {
    server.database.tamper().await.number(&format!("SELECT count(*) FROM {table}")).await
}

/// Files of blobs on the disk.
fn stored(server: &TestServer) -> usize {
    fn count(directory: &std::path::Path) -> usize {
        let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
        let of = |entry: std::fs::DirEntry| match entry.path().is_dir() {
            true => count(&entry.path()),
            false => 1,
        };
        entries.map(|entry| of(entry.expect("an entry"))).sum()
    }
    count(&server.database.directory().join("blobs"))
}
