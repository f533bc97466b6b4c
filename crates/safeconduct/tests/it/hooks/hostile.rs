//! Requests that are made to break something.

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{SECRET, echo_hook, github, hook, knock, path, runs, send_signed, signed};
use crate::support::TestServer;

/// As written, byte for byte; the status line that comes back.
async fn raw(server: &TestServer, text: &str) -> String {
    let address = server.url().trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    stream.write_all(text.as_bytes()).await.expect("written");
    let mut answer = vec![0; 64];
    let read = stream.read(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer[..read]).lines().next().unwrap_or_default().to_owned()
}

testing::on_both_databases! {
    /// What the head proves is asked before the body is waited for.
    async fn nothing_is_read_of_whoever_shows_nothing(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let basic = json!({ "authentication": { "kind": "basic", "username": "sender" }, "secret": "a long enough secret" });
        let made = [
            echo_hook(&owner, basic).await,
            hook(&owner, json!({ "path": "by-token", "authentication": { "kind": "token" } })).await,
            hook(&owner, json!({ "path": "elsewhere", "authentication": { "kind": "hmac", "preset": "github" }, "secret": SECRET, "allowed_ips": ["192.0.2.0/24"] })).await,
        ];
        for hook in &made {
            // The body never comes.
            let request = format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", path(hook));
            let line = raw(&server, &request).await;
            assert!(line.contains(" 401 "), "{}: {line}", hook["path"]);
        }
        server.finish().await;
    }

    async fn paths_that_climb_reach_nothing(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({ "path": "files/{name}", "authentication": { "kind": "hmac", "preset": "github" }, "secret": SECRET })).await;
        let base = path(&made).replace("/files/{name}", "");
        for climbing in ["files/..", "files/../in", "files/%2e%2e", "files/.%2e/x", "files//", "files/%", "files/%ff", "files/a%0d%0ab"] {
            let request = format!("POST {base}/{climbing} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let line = raw(&server, &request).await;
            assert!(line.contains(" 404 ") || line.contains(" 400 "), "{climbing}: {line}");
        }
        let odd = format!("{base}/files/..%2F..%2Fetc%2Fpasswd");
        let signature = signed(b"{}");
        let headers = [("x-hub-signature-256", signature.as_str()), ("content-type", "application/json")];
        assert_eq!(knock(&server, Method::POST, &odd, &headers, "{}").await.status, 200, "one segment, and a value like any other");
        assert_eq!(runs(&server).await, 1);
        server.finish().await;
    }

    async fn a_body_that_says_another_length_is_no_delivery(database: TestDatabase) {
        let server = TestServer::start_with(database, &[("limits.body_bytes", "200000")]).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, github()).await;
        assert_eq!(made["max_body_bytes"], 200_000, "never more than the server reads");
        let huge = format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\n", path(&made));
        assert!(raw(&server, &huge).await.contains(" 413 "));
        let pieces = futures::stream::iter((0..300).map(|_| Ok::<_, std::io::Error>("x".repeat(1000))));
        let body = reqwest::Body::wrap_stream(pieces);
        knock(&server, Method::POST, &path(&made), &[], body).await.refused(413, "body_too_large");
        assert_eq!(runs(&server).await, 0);
        assert_eq!(send_signed(&server, &made, "{}").await.status, 200);
        server.finish().await;
    }
}
