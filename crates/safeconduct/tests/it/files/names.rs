//! Names that somebody might try.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{COLLECTIONS, CONTENT, FILES, got, put, reports, rows};
use crate::support::{Caller, TestServer};

/// As it is written: clients that mean well resolve dots before they send.
async fn raw(caller: &Caller, method: &str, path: &str, body: &str) -> u16 {
    let host = caller.url.strip_prefix("http://").expect("plain HTTP");
    let mut stream = TcpStream::connect(host).await.expect("a connection");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {}\r\nOrigin: {}\r\nConnection: close\r\n\
         Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
        caller.cookie.as_deref().expect("a cookie"),
        caller.url,
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

testing::on_both_databases! {
    async fn a_name_is_one_name_however_it_is_written(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({})).await;
        let long = format!("{}/{}", "é".repeat(100), "x".repeat(311));
        assert_eq!(long.len(), 512);
        for (written, name) in [
            ("a/b", "a/b"),
            ("a%2Fc", "a/c"),
            ("%D0%BA%D0%BB%D1%8E%D1%87/%E9%8D%B5", "ключ/鍵"),
            ("100%25/_%25", "100%/_%"),
            ("a%252Fb", "a%2Fb"),
            ("%252e%252e", "%2e%2e"),
            ("%2E%2E%2E", "..."),
            ("a%3Fb%23c", "a?b#c"),
            ("it's%20%22quoted%22;%20x=1", "it's \"quoted\"; x=1"),
            ("*", "*"),
            (long.as_str(), long.as_str()),
        ] {
            assert_eq!(put(&owner, written, name).await.ok(200)["name"], name);
            assert_eq!(owner.get(&format!("{FILES}/{written}")).await.ok(200)["name"], name);
            let read = got(&owner, &format!("{CONTENT}/{written}")).await;
            assert_eq!((read.status, &*read.body), (200, name.as_bytes()));
            // The name stands in a header that nothing of it ends early.
            let said = read.header("content-disposition");
            assert_eq!(said.matches('"').count(), 2, "{said}");
            let versions = owner.get(&format!("{COLLECTIONS}/reports/versions/{written}")).await.ok(200);
            assert_eq!(versions["items"].as_array().unwrap().len(), 1);
        }
        assert_eq!(owner.get(&format!("{COLLECTIONS}/reports")).await.ok(200)["files"], 11);
        server.finish().await;
    }
}

#[tokio::test]
async fn what_is_no_name_is_refused() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    reports(&owner, json!({})).await;
    let long = "x".repeat(513);
    for written in [
        "a//b",
        "a/",
        "%2Fa",
        "a%2F..%2Fb",
        "a%2F.",
        "a%00",
        "a%0Ab",
        "a%0D%0ASet-Cookie:x",
        "a%7F",
        "a%5Cb",
        "annual%E2%80%AEfdp.exe",
        "a%E2%80%A8b",
        "%EF%BB%BFa",
        &long,
    ] {
        put(&owner, written, "x").await.refused(422, "validation_failed");
        owner.get(&format!("{FILES}/{written}")).await.refused(422, "validation_failed");
    }
    for written in ["..", "%2e%2e", "%2E%2E%2Fx", "a/../../x", "a/%2e%2e/x", "..%2F..%2Fetc%2Fpasswd", "."] {
        let status = raw(&owner, "PUT", &format!("{FILES}/{written}"), "x").await;
        assert!((400..500).contains(&status), "{written}: {status}");
    }
    for name in ["", "..", "a/../b", "/a", "a\\b", "a\u{202e}b", "a\u{0}", &long] {
        let begin = json!({ "name": name, "size": 1 });
        owner.post(&format!("{COLLECTIONS}/reports/uploads"), begin).await.refused(422, "validation_failed");
    }
    let odd = put(&owner, "%FF", "x").await;
    assert!(odd.status.is_client_error() && odd.json()["code"].is_string(), "{}", odd.text);
    assert_eq!((rows(&server, "files").await, rows(&server, "file_uploads").await), (0, 0));
    server.finish().await;
}
