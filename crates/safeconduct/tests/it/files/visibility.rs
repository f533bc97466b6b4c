//! Who sees which: single reads, lists, contents and versions say the same.

use serde_json::json;

use super::{COLLECTIONS, CONTENT, FILES, got, member, names, put, reports, somebody};
use crate::support::TestServer;

testing::on_both_databases! {
    async fn what_is_private_is_its_owners(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({})).await;
        let group = owner.post("/api/v1/groups", json!({ "name": "Ops" })).await.ok(201)["id"].clone();
        let group = group.as_str().unwrap();
        let ((_, one), (id, two)) = (member(&server).await, member(&server).await);
        owner.post(&format!("/api/v1/groups/{group}/members"), json!({ "member": id.to_string() })).await.ok(201);
        put(&one, "private", "p").await.ok(200);
        put(&one, "shared?visibility=organization", "s").await.ok(200);
        put(&one, &format!("team?visibility=group&group={group}"), "t").await.ok(200);
        put(&one, "x?visibility=group", "t").await.refused(422, "validation_failed");
        put(&one, "x?group=grp_01h455vb4pex5vsknk084sn02q", "t").await.refused(422, "validation_failed");
        let (_, outside) = member(&server).await;
        for (caller, seen) in [
            (&one, vec!["private", "shared", "team"]),
            (&two, vec!["shared", "team"]),
            (&outside, vec!["shared"]),
            (&owner, vec!["private", "shared", "team"]),
        ] {
            assert_eq!(names(&caller.get(FILES).await.ok(200)), seen);
            for name in ["private", "shared", "team"] {
                let expected = if seen.contains(&name) { 200 } else { 404 };
                assert_eq!(caller.get(&format!("{FILES}/{name}")).await.status, expected, "{name}");
                assert_eq!(got(caller, &format!("{CONTENT}/{name}")).await.status, expected, "{name}");
                let versions = caller.get(&format!("{COLLECTIONS}/reports/versions/{name}")).await;
                assert_eq!(versions.status, expected, "{name}");
            }
        }
        // Seen, not changed: what is shown is not given.
        put(&two, "shared", "mine").await.refused(403, "permission_denied");
        two.delete(&format!("{FILES}/shared")).await.refused(403, "permission_denied");
        put(&two, "private", "mine").await.refused(404, "not_found");
        assert_eq!(got(&one, &format!("{CONTENT}/private")).await.body, b"p");
        // By collection and name.
        let (_, some) = somebody(&server, &["files/reports/team:read:all"]).await;
        assert_eq!(names(&some.get(FILES).await.ok(200)), ["team"]);
        server.finish().await;
    }

    async fn an_older_version_stays_as_private_as_it_was(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({})).await;
        let ((_, one), (_, two)) = (member(&server).await, member(&server).await);
        let secret = put(&one, "a", "secret").await.ok(200)["version"].clone();
        let open = put(&one, "a?visibility=organization", "open").await.ok(200)["version"].clone();
        let (secret, open) = (secret.as_str().unwrap(), open.as_str().unwrap());
        let of = |version: &str| format!("{CONTENT}/a?version={version}");
        assert_eq!(got(&two, &of(open)).await.body, b"open");
        assert_eq!(got(&two, &of(secret)).await.status, 404);
        assert_eq!(got(&one, &of(secret)).await.body, b"secret");
        let listed = two.get(&format!("{COLLECTIONS}/reports/versions/a")).await.ok(200);
        let ids: Vec<&str> = listed["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!(ids, [open]);
        // Who may write does not bring up what they might not read.
        let (_, writer) = somebody(&server, &["files:read:own", "files:write:all"]).await;
        let restore = format!("{COLLECTIONS}/reports/restore/a");
        writer.post(&restore, json!({ "version": secret })).await.refused(404, "not_found");
        // Closing the file closes its present version for later.
        one.patch(&format!("{FILES}/a"), json!({ "visibility": "private" })).await.ok(200);
        put(&one, "a?visibility=organization", "third").await.ok(200);
        assert_eq!(got(&two, &of(open)).await.status, 404);
        server.finish().await;
    }
}
