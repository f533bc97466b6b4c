//! Contents sent whole, read whole and in part; versions; what leaves our origin and how.

use reqwest::Method;
use serde_json::json;

use super::{
    COLLECTIONS, CONTENT, FILES, bytes, facts, got, put, reports, request, rows, send, sha256, stored,
};
use crate::support::TestServer;

const CHUNK: usize = 4 * 1024 * 1024;

testing::on_both_databases! {
    async fn a_file_is_kept_in_versions(database: TestDatabase) {
        let server = TestServer::start_with(database, &[("limits.body_bytes", "16777216")]).await;
        let owner = server.owner().await;
        reports(&owner, json!({ "versions_kept": 2 })).await;
        // More than two chunks, and not a whole number of them; another; none at all.
        let contents = [bytes(2 * CHUNK + 12_345, 1), bytes(70_000, 2), Vec::new()];
        let mut versions = Vec::new();
        for (number, content) in contents.iter().enumerate() {
            let path = format!("{FILES}/2026/a.bin?tags=x,y&description=D");
            let kept = send(&owner, Method::PUT, &path, "application/x-thing; v=1", content.clone()).await;
            let file = kept.ok(200);
            assert_eq!(kept.header("etag"), format!("\"{}\"", file["revision"]));
            assert_eq!((&file["number"], &file["size"]), (&json!(number + 1), &json!(content.len())));
            assert_eq!((file["sha256"].as_str().unwrap(), &file["tags"]), (&*sha256(content), &json!(["x", "y"])));
            let read = got(&owner, &format!("{CONTENT}/2026/a.bin")).await;
            assert_eq!((read.status, read.header("content-type")), (200, "application/x-thing; v=1"));
            assert_eq!(read.header("content-length"), content.len().to_string());
            assert_eq!(read.header("etag"), format!("\"{}\"", sha256(content)));
            assert!(read.body == *content, "{number}");
            versions.push(file["version"].as_str().unwrap().to_owned());
        }
        // Two are kept: the first is gone, the second still there.
        let listed = owner.get(&format!("{COLLECTIONS}/reports/versions/2026/a.bin")).await.ok(200);
        let ids: Vec<&str> = listed["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!(ids, [&*versions[2], &*versions[1]]);
        let old = format!("{CONTENT}/2026/a.bin?version=");
        assert_eq!(got(&owner, &format!("{old}{}", versions[0])).await.status, 404);
        assert!(got(&owner, &format!("{old}{}", versions[1])).await.body == contents[1]);
        assert_eq!(owner.get(&format!("{COLLECTIONS}/reports")).await.ok(200)["bytes"], 70_000);
        // Put in front again, as a version of its own; the oldest goes.
        let restore = format!("{COLLECTIONS}/reports/restore/2026/a.bin");
        let restored = owner.post(&restore, json!({ "version": versions[1] })).await.ok(200);
        assert_eq!((&restored["number"], &restored["size"]), (&json!(4), &json!(70_000)));
        assert!(got(&owner, &format!("{CONTENT}/2026/a.bin")).await.body == contents[1]);
        owner.post(&restore, json!({ "version": versions[0] })).await.refused(404, "not_found");
        assert_eq!(facts(&server, "files.written").await, 4);
        // The whole file goes; nothing refers to a blob any more, and the sweeper takes them.
        owner.delete(&format!("{FILES}/2026/a.bin")).await.ok(200);
        for table in ["files", "file_versions", "file_chunks", "blob_references"] {
            assert_eq!(rows(&server, table).await, 0, "{table}");
        }
        assert_eq!(owner.get(&format!("{COLLECTIONS}/reports")).await.ok(200)["bytes"], 0);
        assert!(stored(&server) > 0);
        server.clock.advance(std::time::Duration::from_secs(25 * 3600));
        server.house().blobs.sweep().await.expect("a sweep");
        assert_eq!((rows(&server, "blobs").await, stored(&server)), (0, 0));
        server.finish().await;
    }

    async fn a_content_is_read_in_part(database: TestDatabase) {
        let server = TestServer::start_with(database, &[("limits.body_bytes", "16777216")]).await;
        let owner = server.owner().await;
        reports(&owner, json!({})).await;
        let content = bytes(2 * CHUNK + 1_000, 3);
        let size = content.len();
        put(&owner, "a", content.clone()).await.ok(200);
        let path = format!("{CONTENT}/a");
        // At the borders of chunks and of the pieces that they are sealed in.
        for (range, start, end) in [
            ("bytes=0-0".to_owned(), 0, 1),
            (format!("bytes={}-{}", CHUNK - 1, CHUNK), CHUNK - 1, CHUNK + 1),
            (format!("bytes={CHUNK}-{}", 2 * CHUNK - 1), CHUNK, 2 * CHUNK),
            ("bytes=65535-65536".to_owned(), 65_535, 65_537),
            (format!("bytes={}-", size - 1), size - 1, size),
            ("bytes=-1500".to_owned(), size - 1500, size),
            (format!("bytes=7-{}", size * 2), 7, size),
        ] {
            let read = got(&owner.with("range", range.clone()), &path).await;
            assert_eq!(read.status, 206, "{range}");
            assert_eq!(read.header("content-range"), format!("bytes {start}-{}/{size}", end - 1));
            assert_eq!(read.header("content-length"), (end - start).to_string());
            assert!(read.body == content[start..end], "{range}");
        }
        for range in [format!("bytes={size}-"), "bytes=-0".to_owned()] {
            let read = got(&owner.with("range", range.clone()), &path).await;
            assert_eq!((read.status, read.code()), (416, json!("range_unsatisfiable")), "{range}");
            assert_eq!(read.header("content-range"), format!("bytes */{size}"));
        }
        // Several, or none that anybody understands: the whole.
        for range in ["bytes=0-1,5-6", "bytes=5-2", "pages=1-2"] {
            let read = got(&owner.with("range", range), &path).await;
            assert_eq!((read.status, read.body.len()), (200, size), "{range}");
        }
        let tag = format!("\"{}\"", sha256(&content));
        let same = got(&owner.with("if-none-match", tag.clone()), &path).await;
        assert_eq!((same.status, same.body.len()), (304, 0));
        let other = got(&owner.with("if-match", "\"other\"").with("range", "bytes=1-2"), &path).await;
        assert_eq!((other.status, other.code()), (412, json!("stale_revision")));
        let fresh = got(&owner.with("if-range", "\"other\"").with("range", "bytes=1-2"), &path).await;
        assert_eq!((fresh.status, fresh.body.len()), (200, size));
        let head = request(&owner, Method::HEAD, &path).send().await.expect("an answer");
        assert_eq!((head.status().as_u16(), head.headers()["content-length"].to_str().unwrap()), (200, &*size.to_string()));
        assert_eq!(head.headers()["accept-ranges"], "bytes");
        server.finish().await;
    }

    async fn what_is_sent_is_what_was_said(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({ "max_file_bytes": 1000, "content_types": ["text/plain", "image/*"], "quota_bytes": 2500 })).await;
        let right = sha256(b"hello");
        put(&owner, &format!("a?sha256={right}"), "hello").await.ok(200);
        let refused = put(&owner, &format!("a?sha256={right}"), "hallo").await.refused(422, "hash_mismatch");
        assert_eq!(refused["found_sha256"], sha256(b"hallo"));
        put(&owner, "a?sha256=12", "hello").await.refused(422, "validation_failed");
        // Of what was refused nothing is left, neither in the table nor on the disk.
        assert_eq!((rows(&server, "blobs").await, stored(&server)), (1, 1));
        assert_eq!(got(&owner, &format!("{CONTENT}/a")).await.body, b"hello");
        put(&owner, "big", vec![b'x'; 1001]).await.refused(413, "body_too_large");
        for name in ["b", "c"] {
            put(&owner, name, vec![b'x'; 1000]).await.ok(200);
        }
        put(&owner, "d", vec![b'x'; 1000]).await.refused(409, "collection_full");
        let html = send(&owner, Method::PUT, &format!("{FILES}/x.html"), "text/html", "<b>").await;
        html.refused(415, "unsupported_media_type");
        send(&owner, Method::PUT, &format!("{FILES}/x.png"), "Image/PNG", "x").await.ok(200);
        for kind in ["text", "text/*", "text/plain; a=\u{7f}"] {
            let Ok(kind) = reqwest::header::HeaderValue::from_str(kind) else { continue };
            let path = format!("{FILES}/y");
            let request = request(&owner, Method::PUT, &path).header("content-type", kind).body("x");
            let answer = crate::support::Answer::of(request.send().await.expect("an answer")).await;
            answer.refused(422, "validation_failed");
        }
        let zipped = owner.with("content-encoding", "gzip");
        put(&zipped, "y", "x").await.refused(415, "unsupported_media_type");
        assert_eq!(rows(&server, "blobs").await, 3, "hello, a thousand x, x");
        server.finish().await;
    }

    async fn writers_compare_before_they_set(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({})).await;
        put(&owner.with("if-match", "\"1\""), "a", "1").await.refused(412, "stale_revision");
        let first = put(&owner.with("if-none-match", "*"), "a", "1").await.ok(200);
        put(&owner.with("if-none-match", "*"), "a", "2").await.refused(412, "stale_revision");
        let tag = format!("\"{}\"", first["revision"]);
        put(&owner.with("if-match", tag.clone()), "a", "2").await.ok(200);
        let stale = owner.with("if-match", tag.clone());
        put(&stale, "a", "3").await.refused(412, "stale_revision");
        stale.patch(&format!("{FILES}/a"), json!({ "description": "x" })).await.refused(412, "stale_revision");
        stale.delete(&format!("{FILES}/a")).await.refused(412, "stale_revision");
        assert_eq!(got(&owner, &format!("{CONTENT}/a")).await.body, b"2");
        // A file made anew begins above whatever the name had.
        owner.delete(&format!("{FILES}/a")).await.ok(200);
        let anew = put(&owner, "a", "4").await.ok(200);
        assert!(anew["revision"].as_i64() > first["revision"].as_i64(), "{anew:#}");
        assert_ne!(anew["id"], first["id"]);
        put(&stale, "a", "5").await.refused(412, "stale_revision");
        server.finish().await;
    }
}

/// What somebody uploads never runs as us, whatever they call it.
#[tokio::test]
async fn what_is_uploaded_is_an_attachment_without_our_origin() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    reports(&owner, json!({})).await;
    let script = "<script>fetch('/api/v1/auth/me')</script>";
    for (name, kind) in [
        ("a.html", "text/html"),
        ("b.svg", "image/svg+xml"),
        ("c.js", "text/javascript"),
        ("d.png", "image/png"),
        ("e.xhtml", "application/xhtml+xml"),
        ("f", "text/html; charset=utf-7"),
    ] {
        send(&owner, Method::PUT, &format!("{FILES}/{name}"), kind, script).await.ok(200);
        let link =
            owner.post(&format!("{COLLECTIONS}/reports/links/{name}"), json!({ "expires_in": 60 })).await;
        let url = link.ok(201)["url"].as_str().unwrap().to_owned();
        let by_link = url.strip_prefix(&server.url()).unwrap().to_owned();
        for (caller, path) in [(owner.clone(), format!("{CONTENT}/{name}")), (server.anonymous(), by_link)] {
            let read = got(&caller, &path).await;
            assert_eq!((read.status, read.header("content-type")), (200, kind), "{path}");
            assert!(read.header("content-disposition").starts_with("attachment; filename=\""), "{name}");
            assert_eq!(read.header("content-security-policy"), "sandbox; default-src 'none'", "{name}");
            assert_eq!(read.header("x-content-type-options"), "nosniff");
            assert_eq!(read.header("cross-origin-resource-policy"), "same-origin");
            assert!(read.headers.get("set-cookie").is_none());
            // An error of ours is no content of theirs, and a part of one is still an attachment.
            let part = got(&caller.with("range", "bytes=0-3"), &path).await;
            assert_eq!(part.status, 206);
            assert!(part.header("content-disposition").starts_with("attachment"));
        }
    }
    server.finish().await;
}
