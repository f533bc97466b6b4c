//! What the function is given, over HTTP; the forms of bodies are held by the unit tests of `triggers`.

use reqwest::Method;
use serde_json::json;

use super::{ECHO, echo_hook, hook, knock, path, reasons, runs};
use crate::support::TestServer;

testing::on_both_databases! {
    async fn a_body_becomes_the_input(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({ "input": { "mode": "body", "defaults": { "from": "hook", "n": 0 } } })).await;
        let multipart = "--x\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n1\r\n--x--\r\n";
        for (kind, body, got) in [
            ("application/json", "{\"n\": 1}", json!({ "from": "hook", "n": 1 })),
            ("application/x-www-form-urlencoded", "n=1&a=b", json!({ "from": "hook", "n": "1", "a": "b" })),
            ("multipart/form-data; boundary=x", multipart, json!({ "from": "hook", "n": "1" })),
            ("text/plain", "hello", json!({ "from": "hook", "n": 0, "text": "hello" })),
            ("application/pdf", "%PDF", json!({ "from": "hook", "n": 0, "base64": "JVBERg==", "content_type": "application/pdf" })),
        ] {
            let answer = knock(&server, Method::POST, &path(&made), &[("content-type", kind)], body).await;
            assert_eq!(answer.ok(200)["got"], got, "{kind}");
        }
        server.finish().await;
    }

    async fn an_envelope_holds_no_proof_of_the_sender(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({ "input": { "mode": "envelope" } })).await;
        let headers = [
            ("content-type", "application/json"),
            ("authorization", "Bearer swordfish"),
            ("cookie", "safeconduct_dev=swordfish"),
            ("x-api-key", "swordfish"),
            ("proxy-authorization", "swordfish"),
            ("x-event", "push"),
        ];
        let answer = knock(&server, Method::POST, &path(&made), &headers, "{\"a\": 1}").await;
        let got = answer.ok(200)["got"].clone();
        assert!(!answer.text.contains("swordfish"), "{got:#}");
        assert_eq!((&got["headers"]["x-event"], &got["body"], &got["raw_body"]), (&json!("push"), &json!({ "a": 1 }), &json!("eyJhIjogMX0=")));
        server.finish().await;
    }

    async fn what_cannot_be_read_runs_nothing(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let schema = json!({ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } });
        let body = json!({ "namespace": "ops", "name": "strict", "code": ECHO, "input_schema": schema });
        crate::functions::made(&owner, body).await;
        let made = hook(&owner, json!({ "target": { "function": "ops:strict" }, "max_body_bytes": 100_000 })).await;
        let bomb = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n".repeat(500);
        let json = ("content-type", "application/json");
        for (headers, body, status, code) in [
            (vec![json], "{".to_owned(), 400, "malformed_json"),
            (vec![json], "[".repeat(50_000), 400, "malformed_json"),
            (vec![("content-type", "multipart/form-data; boundary=x")], bomb, 400, "malformed_request"),
            (vec![json, ("content-encoding", "gzip")], "{}".to_owned(), 415, "unsupported_media_type"),
            (vec![json], "{\"n\": \"x\"}".to_owned(), 422, "input_invalid"),
            (vec![json], format!("\"{}\"", "x".repeat(100_000)), 413, "body_too_large"),
        ] {
            knock(&server, Method::POST, &path(&made), headers.as_slice(), body).await.refused(status, code);
        }
        assert_eq!(runs(&server).await, 0);
        let told = reasons(&owner, &made).await;
        let words = ["malformed_json", "malformed_request", "unsupported_media_type", "input_invalid", "body_too_large"];
        assert_eq!(words.map(|word| told.get(word).copied()), [Some(2), Some(1), Some(1), Some(1), Some(1)], "{told:?}");
                let answer = knock(&server, Method::POST, &path(&made), &[json], "{\"n\": 1}").await;
        answer.ok(200);
        server.finish().await;
    }
}
