//! Links: they open to whoever has them, and to nobody any more when their time, their version or their maker is gone.

use std::time::Duration;

use serde_json::{Value, json};
use types::Id;

use super::{COLLECTIONS, FILES, facts, got, member, names, put, reports, rows, somebody};
use crate::support::{Caller, TestServer};

const LINKS: &str = "/api/v1/collections/reports/links";

/// The path of a fresh link.
async fn link(caller: &Caller, name: &str, more: Value) -> String {
    let mut body = json!({ "expires_in": 3600 });
    for (name, value) in more.as_object().expect("members") {
        body[name] = value.clone();
    }
    let made = caller.post(&format!("{LINKS}/{name}"), body).await.ok(201);
    made["url"].as_str().expect("an address").strip_prefix(&caller.url).expect("our address").to_owned()
}

/// One answer for everything that does not open.
async fn shut(caller: &Caller, path: &str) {
    let answer = got(caller, path).await;
    let said = serde_json::from_slice::<Value>(&answer.body).expect("a problem");
    assert_eq!((answer.status, &said["code"]), (404, &json!("not_found")), "{path}: {said:#}");
    assert_eq!(said["detail"], "This link does not work, or no longer. Ask whoever sent it.");
}

testing::on_both_databases! {
    async fn a_link_opens_to_anybody_until_it_expires(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({})).await;
        put(&owner, "a.txt", "first").await.ok(200);
        let path = link(&owner, "a.txt", json!({})).await;
        assert_eq!(path.len(), "/files/".len() + 118);
        put(&owner, "a.txt", "second").await.ok(200);
        let anybody = server.anonymous();
        // The version that it was made for, not what came later.
        let opened = got(&anybody, &path).await;
        assert_eq!((opened.status, &*opened.body), (200, &b"first"[..]));
        let part = got(&anybody.with("range", "bytes=1-2"), &path).await;
        assert_eq!((part.status, &*part.body), (206, &b"ir"[..]));
        let listed = owner.get(&format!("{LINKS}/a.txt")).await.ok(200);
        assert_eq!((&listed["items"][0]["uses"], listed["items"].as_array().unwrap().len()), (&json!(2), 1));
        assert!(listed["items"][0].get("url").is_none(), "a link is shown once");
        assert!(listed["items"][0]["last_used_at"].is_string());
        assert_eq!(facts(&server, "files.link_created").await, 1);
        // Altered in any byte, of another's making, cut, of no form: shut.
        let token = path.strip_prefix("/files/").unwrap().to_owned();
        for at in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            shut(&anybody, &format!("/files/{}", String::from_utf8(altered).unwrap())).await;
        }
        for forged in ["x", &"A".repeat(118), &token[..117], &format!("{token}A"), &format!("{token}%3D")] {
            let answer = got(&anybody, &format!("/files/{forged}")).await;
            assert_eq!(answer.status, 404, "{forged}");
        }
        server.clock.advance(Duration::from_secs(3_000));
        assert_eq!(got(&anybody, &path).await.status, 200);
        server.clock.advance(Duration::from_secs(600));
        shut(&anybody, &path).await;
        server.house().files.sweep().await;
        assert_eq!(rows(&server, "file_links").await, 0);
        let owner = server.owner().await;
        for wrong in [json!({ "expires_in": 0 }), json!({ "expires_in": 604_801 }), json!({})] {
            owner.post(&format!("{LINKS}/a.txt"), wrong).await.refused(422, "validation_failed");
        }
        server.finish().await;
    }

    async fn a_link_dies_with_what_it_opens(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({ "versions_kept": 1 })).await;
        let anybody = server.anonymous();
        put(&owner, "a", "1").await.ok(200);
        let of_a_version = link(&owner, "a", json!({})).await;
        put(&owner, "a", "2").await.ok(200);
        shut(&anybody, &of_a_version).await;
        let of_a_file = link(&owner, "a", json!({})).await;
        let kept = link(&owner, "a", json!({})).await;
        assert_eq!(got(&anybody, &of_a_file).await.status, 200);
        let listed = owner.get(&format!("{LINKS}/a")).await.ok(200);
        let newest = listed["items"][0]["id"].as_str().unwrap();
        assert_eq!(owner.delete(&format!("/api/v1/file-links/{newest}")).await.ok(200)["url"], Value::Null);
        shut(&anybody, &kept).await;
        owner.delete(&format!("/api/v1/file-links/{newest}")).await.refused(404, "not_found");
        assert_eq!(got(&anybody, &of_a_file).await.status, 200);
        owner.delete(&format!("{FILES}/a")).await.ok(200);
        shut(&anybody, &of_a_file).await;
        // The name is given again, and the old links do not open what came of it.
        put(&owner, "a", "3").await.ok(200);
        shut(&anybody, &of_a_file).await;
        assert_eq!(facts(&server, "files.link_revoked").await, 1);
        server.finish().await;
    }

    async fn a_link_opens_while_its_maker_may_read(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let anybody = server.anonymous();
        reports(&owner, json!({ "default_visibility": "organization" })).await;
        let (id, maker) = member(&server).await;
        put(&maker, "own", "x").await.ok(200);
        let path = link(&maker, "own", json!({})).await;
        assert_eq!(got(&anybody, &path).await.status, 200);
        // Suspended: shut at once; back again: open again.
        let user = format!("/api/v1/system/users/{id}");
        owner.post(&format!("{user}/suspend"), json!({})).await.ok(200);
        shut(&anybody, &path).await;
        owner.post(&format!("{user}/reactivate"), json!({})).await.ok(200);
        assert_eq!(got(&anybody, &path).await.status, 200);
        // Without the right to read: shut.
        let grants = owner.get(&format!("/api/v1/grants?principal={id}")).await.ok(200);
        for grant in grants["items"].as_array().unwrap() {
            owner.delete(&format!("/api/v1/grants/{}", grant["id"].as_str().unwrap())).await.ok(200);
        }
        shut(&anybody, &path).await;
        // The same of an agent.
        let agent = server.agent(&owner, "sharer", &["files:manage:own"]).await;
        let sharer = server.as_agent(&agent).await;
        put(&sharer, "report", "x").await.ok(200);
        let path = link(&sharer, "report", json!({})).await;
        assert_eq!(got(&anybody, &path).await.status, 200);
        owner.post(&format!("/api/v1/agents/{}/suspend", agent.id), json!({})).await.ok(200);
        shut(&anybody, &path).await;
        // What was shared because it was open is shut when it is made private.
        let (_, other) = somebody(&server, &["files:read:own", "files:update:all"]).await;
        put(&owner, "open", "x").await.ok(200);
        let shared = link(&other, "open", json!({})).await;
        assert_eq!(got(&anybody, &shared).await.status, 200);
        owner.patch(&format!("{FILES}/open"), json!({ "visibility": "private" })).await.ok(200);
        shut(&anybody, &shared).await;
        // Who may not read shares nothing, and who may not change it neither.
        let (_, blind) = somebody(&server, &["files:update:all"]).await;
        blind.post(&format!("{LINKS}/open"), json!({ "expires_in": 60 })).await.refused(404, "not_found");
        let (_, reader) = somebody(&server, &["files:read:all"]).await;
        reader.post(&format!("{LINKS}/open"), json!({ "expires_in": 60 })).await.refused(403, "permission_denied");
        server.finish().await;
    }

    async fn a_link_of_another_organization_is_its_own(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let (owner, stranger) = (server.owner().await, server.stranger().await);
        for (caller, text) in [(&owner, "ours"), (&stranger, "theirs")] {
            reports(caller, json!({})).await;
            put(caller, "a", text).await.ok(200);
        }
        let (ours, theirs) = (link(&owner, "a", json!({})).await, link(&stranger, "a", json!({})).await);
        let anybody = server.anonymous();
        assert_eq!(got(&anybody, &ours).await.body, b"ours");
        assert_eq!(got(&anybody, &theirs).await.body, b"theirs");
        // The organization of one with the rest of the other.
        let (ours, theirs) = (ours.strip_prefix("/files/").unwrap(), theirs.strip_prefix("/files/").unwrap());
        for cut in [22, 43, 64, 75] {
            shut(&anybody, &format!("/files/{}{}", &ours[..cut], &theirs[cut..])).await;
        }
        let listed = owner.get(&format!("{LINKS}/a")).await.ok(200);
        let id = listed["items"][0]["id"].as_str().unwrap();
        stranger.delete(&format!("/api/v1/file-links/{id}")).await.refused(404, "not_found");
        assert_eq!(names(&owner.get(COLLECTIONS).await.ok(200)), ["reports"]);
        // Another server's seal over the same words.
        let bytes = {
            use base64::Engine as _;
            base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(ours).expect("base64")
        };
        assert_eq!(bytes[..16], *server.home().await.uuid().as_bytes());
        let foreign = crypto::mac::MacKey::new([7; 32]).tag(&[&bytes[..56]]);
        let forged = {
            use base64::Engine as _;
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([&bytes[..56], &foreign].concat())
        };
        shut(&anybody, &format!("/files/{forged}")).await;
        server.finish().await;
    }
}
