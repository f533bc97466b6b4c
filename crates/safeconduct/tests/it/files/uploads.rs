//! Uploads in parts: in order, over cuts, held against what was said, swept when nobody goes on.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    COLLECTIONS, CONTENT, FILES, begun, bytes, facts, got, part, put, reports, request, rows, sha256,
    somebody, stored,
};
use crate::support::{Caller, TestServer};

const CHUNK: usize = 4 * 1024 * 1024;

async fn status(caller: &Caller, upload: &str) -> Value {
    caller.get(&format!("/api/v1/uploads/{upload}")).await.ok(200)
}

testing::on_both_databases! {
    async fn a_content_arrives_in_parts(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({})).await;
        let content = bytes(2 * CHUNK + 5_000, 1);
        let size = content.len();
        let said = json!({
            "name": "2026/big.bin", "size": size, "sha256": sha256(&content), "content_type": "application/x-big",
            "description": "Large.", "tags": ["big"], "visibility": "organization", "metadata": { "case": 7 },
        });
        let upload = begun(&owner, said).await;
        assert!(upload.starts_with("upl_"));
        // Its whole size is set aside before a byte has come.
        assert_eq!(owner.get(&format!("{COLLECTIONS}/reports")).await.ok(200)["bytes"], size);
        owner.get(&format!("{FILES}/2026/big.bin")).await.refused(404, "not_found");
        let first = part(&owner, &upload, 0, &content[..100_000]).await;
        assert_eq!((first.ok(200)["offset"].clone(), first.header("upload-offset")), (json!(100_000), "100000"));
        assert_eq!(first.header("upload-complete"), "?0");
        // Elsewhere than where it stands: refused, and nothing moves.
        for offset in [0, 99_999, 100_001, size] {
            let refused = part(&owner, &upload, offset, &content[..70_000]).await.refused(409, "upload_offset");
            assert_eq!(refused["expected_offset"], 100_000, "{offset}");
        }
        let missing = request(&owner, Method::PATCH, &format!("/api/v1/uploads/{upload}")).body("x").send().await;
        assert_eq!(missing.expect("an answer").status().as_u16(), 400);
        // A part larger than a chunk; one that is too small and not the last; one that is longer than what is left.
        part(&owner, &upload, 100_000, &content[100_000..CHUNK + 300_000]).await.ok(200);
        let at = CHUNK + 300_000;
        part(&owner, &upload, at, &content[at..at + 10]).await.refused(422, "validation_failed");
        part(&owner, &upload, at, vec![0; size - at + 1]).await.refused(422, "validation_failed");
        assert_eq!(status(&owner, &upload).await["offset"], at);
        let head = request(&owner, Method::HEAD, &format!("/api/v1/uploads/{upload}")).send().await.expect("an answer");
        assert_eq!((head.status().as_u16(), head.headers()["upload-offset"].to_str().unwrap()), (200, &*at.to_string()));
        let last = part(&owner, &upload, at, &content[at..]).await;
        let done = last.ok(200);
        assert_eq!((last.header("upload-complete"), &done["complete"]), ("?1", &json!(true)));
        let file = &done["file"];
        assert_eq!((&file["size"], file["sha256"].as_str().unwrap()), (&json!(size), &*sha256(&content)));
        assert_eq!((&file["tags"], &file["metadata"]), (&json!(["big"]), &json!({ "case": 7 })));
        let read = got(&owner, &format!("{CONTENT}/2026/big.bin")).await;
        assert_eq!(read.header("content-type"), "application/x-big");
        assert!(read.body == content);
        // It has ended: nobody goes on with it, and its room is the file's.
        part(&owner, &upload, size, "").await.refused(404, "not_found");
        let full = owner.get(&format!("{COLLECTIONS}/reports")).await.ok(200);
        assert_eq!((&full["bytes"], &full["uploads"], &full["files"]), (&json!(size), &json!(0), &json!(1)));
        assert_eq!((facts(&server, "files.upload_started").await, facts(&server, "files.written").await), (1, 1));
        server.finish().await;
    }

    async fn a_cut_part_keeps_what_arrived(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner_by_token().await;
        reports(&owner, json!({})).await;
        let content = bytes(3 * CHUNK, 2);
        let upload = begun(&owner, json!({ "name": "a", "size": content.len(), "sha256": sha256(&content) })).await;
        // All of it is announced; the connection ends in the middle of the second chunk.
        let sent = CHUNK + 1_000_000;
        let host = owner.url.strip_prefix("http://").unwrap().to_owned();
        let head = format!(
            "PATCH /api/v1/uploads/{upload} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nUpload-Offset: 0\r\n\
             Content-Length: {}\r\n\r\n",
            owner.bearer.as_deref().unwrap(),
            content.len(),
        );
        let piece = content[..sent].to_vec();
        tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(host).expect("a connection");
            stream.write_all(head.as_bytes()).expect("a head");
            stream.write_all(&piece).expect("a body");
            stream.shutdown(Shutdown::Write).expect("an end");
            // Whatever is answered, it is over.
            let _ = stream.read_to_end(&mut Vec::new());
        })
        .await
        .expect("a cut");
        // The second chunk's part arrives in its own time; the first stands, and nothing that was not sent.
        let until = std::time::Instant::now() + Duration::from_secs(60);
        let at = loop {
            let offset = status(&owner, &upload).await["offset"].as_u64().unwrap();
            if offset == sent as u64 {
                break sent;
            }
            assert!(std::time::Instant::now() < until, "the upload stands at {offset}");
            tokio::task::yield_now().await;
        };
        part(&owner, &upload, 0, &content[..CHUNK]).await.refused(409, "upload_offset");
        let done = part(&owner, &upload, at, &content[at..]).await.ok(200);
        assert_eq!(done["file"]["sha256"], sha256(&content));
        assert!(got(&owner, &format!("{CONTENT}/a")).await.body == content);
        server.finish().await;
    }

    async fn another_content_than_was_said_is_not_kept(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({})).await;
        put(&owner, "a", "stays").await.ok(200);
        let content = bytes(100_000, 3);
        let upload = begun(&owner, json!({ "name": "a", "size": 100_000, "sha256": sha256(b"other") })).await;
        part(&owner, &upload, 0, &content[..70_000]).await.ok(200);
        let refused = part(&owner, &upload, 70_000, &content[70_000..]).await.refused(422, "hash_mismatch");
        assert_eq!(refused["found_sha256"], sha256(&content));
        owner.get(&format!("/api/v1/uploads/{upload}")).await.refused(404, "not_found");
        assert_eq!(got(&owner, &format!("{CONTENT}/a")).await.body, b"stays");
        assert_eq!((rows(&server, "file_chunks").await, rows(&server, "blobs").await, stored(&server)), (1, 1, 1));
        let full = owner.get(&format!("{COLLECTIONS}/reports")).await.ok(200);
        assert_eq!((&full["bytes"], &full["uploads"]), (&json!(5), &json!(0)));
        assert_eq!(facts(&server, "files.upload_ended").await, 1);
        server.finish().await;
    }

    async fn what_an_upload_expected_holds_at_its_end(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({})).await;
        let once = owner.with("if-none-match", "*");
        let upload = begun(&once, json!({ "name": "a", "size": 3 })).await;
        put(&owner, "a", "1").await.ok(200);
        part(&owner, &upload, 0, "abc").await.refused(412, "stale_revision");
        assert_eq!(got(&owner, &format!("{CONTENT}/a")).await.body, b"1");
        // Nothing is lost: who removes what stood in the way may end the upload.
        owner.delete(&format!("{FILES}/a")).await.ok(200);
        part(&owner, &upload, 3, "").await.ok(200);
        assert_eq!(got(&owner, &format!("{CONTENT}/a")).await.body, b"abc");
        // An empty content is one, too.
        let empty = begun(&owner, json!({ "name": "empty", "size": 0 })).await;
        part(&owner, &empty, 0, "").await.ok(200);
        assert_eq!(got(&owner, &format!("{CONTENT}/empty")).await.status, 200);
        server.finish().await;
    }

    async fn an_upload_is_its_beginners_and_needs_the_right_to_the_end(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({})).await;
        let (_, writer) = somebody(&server, &["files:write:own"]).await;
        let upload = begun(&writer, json!({ "name": "a", "size": 3 })).await;
        let (_, beside) = somebody(&server, &["files:write:all", "files:delete:own"]).await;
        let elsewhere = somebody(&server, &["files:write:all", "files/other/**:delete:all"]).await.1;
        for caller in [&owner, &server.stranger().await] {
            caller.get(&format!("/api/v1/uploads/{upload}")).await.refused(404, "not_found");
            part(caller, &upload, 0, "abc").await.refused(404, "not_found");
        }
        for caller in [&beside, &elsewhere, &server.stranger().await] {
            caller.delete(&format!("/api/v1/uploads/{upload}")).await.refused(404, "not_found");
        }
        let (_, reader) = somebody(&server, &["files:read:all"]).await;
        reader.post(&format!("{COLLECTIONS}/reports/uploads"), json!({ "name": "a", "size": 1 })).await
            .refused(403, "permission_denied");
        // Somebody was faster with the name, and keeps it to themselves.
        put(&owner, "a", "x").await.ok(200);
        part(&writer, &upload, 0, "abc").await.refused(404, "not_found");
        assert_eq!(got(&owner, &format!("{CONTENT}/a")).await.body, b"x");
        server.finish().await;
    }

    async fn who_may_delete_the_file_ends_a_squatters_upload(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({ "quota_bytes": 250_000 })).await;
        let (_, squatter) = somebody(&server, &["files/reports/mine/**:write:own"]).await;
        let upload = begun(&squatter, json!({ "name": "mine/a", "size": 250_000 })).await;
        part(&squatter, &upload, 0, bytes(100_000, 5)).await.ok(200);
        put(&owner, "c", "x").await.refused(409, "collection_full");
        let (_, moderator) = somebody(&server, &["files/reports/**:write:own", "files/reports/**:delete:all"]).await;
        moderator.delete(&format!("/api/v1/uploads/{upload}")).await.ok(200);
        part(&squatter, &upload, 100_000, bytes(100_000, 6)).await.refused(404, "not_found");
        put(&owner, "c", "x").await.ok(200);
        for (table, left) in [("file_uploads", 0), ("file_chunks", 1), ("blobs", 1)] {
            assert_eq!(rows(&server, table).await, left, "{table}");
        }
        assert_eq!(facts(&server, "files.upload_ended").await, 1);
        // Whoever owns everything may, too.
        let again = begun(&squatter, json!({ "name": "mine/b", "size": 100_000 })).await;
        owner.delete(&format!("/api/v1/uploads/{again}")).await.ok(200);
        let full = owner.get(&format!("{COLLECTIONS}/reports")).await.ok(200);
        assert_eq!((&full["bytes"], &full["uploads"]), (&json!(1), &json!(0)));
        server.finish().await;
    }

    async fn uploads_that_nobody_goes_on_with_are_swept(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({ "quota_bytes": 250_000 })).await;
        let content = bytes(200_000, 4);
        let upload = begun(&owner, json!({ "name": "a", "size": 200_000 })).await;
        part(&owner, &upload, 0, &content[..100_000]).await.ok(200);
        // The room that is set aside is nobody else's.
        owner.post(&format!("{COLLECTIONS}/reports/uploads"), json!({ "name": "b", "size": 60_000 })).await
            .refused(409, "collection_full");
        put(&owner, "c", vec![1; 60_000]).await.refused(409, "collection_full");
        put(&owner, "c", vec![1; 50_000]).await.ok(200);
        server.house().files.sweep().await;
        let half = Duration::from_secs(23 * 3600);
        server.clock.advance(half);
        let owner = server.owner().await;
        // Going on with it buys no time.
        part(&owner, &upload, 100_000, &content[100_000..180_000]).await.ok(200);
        server.house().files.sweep().await;
        assert_eq!(status(&owner, &upload).await["offset"], 180_000);
        server.clock.advance(Duration::from_secs(2 * 3600));
        let owner = server.owner().await;
        part(&owner, &upload, 180_000, &content[180_000..]).await.refused(404, "not_found");
        server.house().files.sweep().await;
        for (table, left) in [("file_uploads", 0), ("file_chunks", 1), ("blobs", 1), ("blob_references", 1)] {
            assert_eq!(rows(&server, table).await, left, "{table}");
        }
        assert_eq!(stored(&server), 1);
        let full = owner.get(&format!("{COLLECTIONS}/reports")).await.ok(200);
        assert_eq!((&full["bytes"], &full["uploads"]), (&json!(50_000), &json!(0)));
        assert_eq!(facts(&server, "files.upload_ended").await, 1);
        server.finish().await;
    }
}
