//! Uploads and downloads over connections that end in the middle.

use std::io::Cursor;

use safeconduct_client::{Expected, NewFileUpload};
use serde_json::json;

use crate::scripted::{Answer, Scripted};

const HASH: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

const TAGGED: &str = "ETag: \"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"\r\n";

fn standing(offset: i64, file: bool) -> String {
    let file = file.then(|| {
        json!({
            "id": "fil_x", "collection": "c", "name": "n", "description": "", "metadata": {}, "tags": [], "valid": true,
            "visibility": "private", "owner": "usr_x", "group": null, "version": "flv_x", "number": 1,
            "content_type": "text/plain", "size": 5, "sha256": HASH, "created_at": "2026-01-01T00:00:00.000Z",
            "updated_at": "2026-01-01T00:00:00.000Z", "updated_by": "usr_x", "revision": 1,
        })
    });
    json!({
        "id": "upl_x", "collection": "c", "name": "n", "content_type": "text/plain", "size": 5, "offset": offset,
        "complete": file.is_some(), "expires_at": "2026-01-01T00:00:00.000Z", "file": file,
    })
    .to_string()
}

fn hello() -> NewFileUpload {
    NewFileUpload { name: "n".into(), size: 5, sha256: Some(HASH.into()), ..NewFileUpload::default() }
}

#[tokio::test]
async fn an_upload_goes_on_where_the_server_says() {
    let server = Scripted::new(|_, request| match request.line.split(' ').next() {
        Some("POST") => Answer::Http(201, "", standing(0, false)),
        // Cut: two bytes had arrived.
        Some("PATCH") if request.header("upload-offset") == Some("0") => Answer::HangUp,
        Some("GET") => Answer::Http(200, "", standing(2, false)),
        _ => Answer::Http(200, "", standing(5, true)),
    });
    let client = server.builder().build().unwrap();
    let mut content = Cursor::new(b"hello".to_vec());
    let file = client.files().upload("c", &hello(), &mut content, Expected::Absent).await.unwrap();
    assert_eq!(file.version, "flv_x");
    let seen = server.seen();
    assert_eq!(seen[0].header("if-none-match"), Some("*"));
    let parts: Vec<_> = seen.iter().filter(|request| request.line.starts_with("PATCH")).collect();
    assert_eq!((parts.len(), &*parts[1].body, parts[1].header("upload-offset")), (2, "llo", Some("2")));
}

#[tokio::test]
async fn a_lost_last_answer_is_no_lost_file() {
    let server = Scripted::new(|_, request| match request.line.split(' ').collect::<Vec<_>>()[..2] {
        ["POST", _] => Answer::Http(201, "", standing(0, false)),
        ["PATCH", _] => Answer::HangUp,
        ["GET", path] if path.contains("/uploads/") => {
            Answer::Http(404, "", r#"{"code": "not_found"}"#.into())
        }
        _ => {
            let file = serde_json::from_str::<serde_json::Value>(&standing(5, true)).unwrap()["file"].take();
            Answer::Http(200, "", file.to_string())
        }
    });
    let client = server.builder().build().unwrap();
    let mut content = Cursor::new(b"hello".to_vec());
    let file = client.files().upload("c", &hello(), &mut content, Expected::Anything).await.unwrap();
    assert_eq!(file.sha256, HASH);
    // Somebody else's file under that name is not taken for ours.
    let mut content = Cursor::new(b"hello".to_vec());
    let other = NewFileUpload { sha256: Some("0".repeat(64)), ..hello() };
    let error = client.files().upload("c", &other, &mut content, Expected::Anything).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
}

#[tokio::test]
async fn a_content_that_became_shorter_is_not_sent() {
    let server = Scripted::new(|_, _| Answer::Http(201, "", standing(0, false)));
    let client = server.builder().build().unwrap();
    let mut content = Cursor::new(b"hell".to_vec());
    let error = client.files().upload("c", &hello(), &mut content, Expected::Anything).await.unwrap_err();
    assert_eq!((error.code(), server.seen().len()), ("content_changed", 1));
}

#[tokio::test]
async fn a_download_is_held_against_its_hash() {
    let server = Scripted::new(|number, _| match number {
        0 => Answer::Http(200, TAGGED, "hello".into()),
        _ => Answer::Http(200, TAGGED, "hallo".into()),
    });
    let client = server.builder().build().unwrap();
    let mut kept = Vec::new();
    assert_eq!(client.files().download_to("c", "a/b", None, &mut kept).await.unwrap(), 5);
    assert_eq!(
        (&*kept, server.seen()[0].line.split(' ').nth(1)),
        (&b"hello"[..], Some("/api/v1/collections/c/content/a/b"))
    );
    let error = client.files().download_to("c", "a/b", None, &mut Vec::new()).await.unwrap_err();
    assert_eq!(error.code(), "unreadable_answer");
}

#[tokio::test]
async fn a_download_goes_on_where_it_was_cut() {
    let server = Scripted::new(|number, _| match number {
        0 => Answer::Short(TAGGED, "he".into(), 5),
        1 => Answer::HangUp,
        _ => Answer::Http(206, TAGGED, "llo".into()),
    });
    let client = server.builder().build().unwrap();
    let mut kept = Vec::new();
    assert_eq!(client.files().download_to("c", "n", None, &mut kept).await.unwrap(), 5);
    let seen = server.seen();
    let last = seen.last().unwrap();
    assert_eq!((&*kept, last.header("range")), (&b"hello"[..], Some("bytes=2-")));
    // Of another content the rest would be no rest.
    assert_eq!(last.header("if-match").map(|tag| tag.trim_matches('"')), Some(HASH));
}
