//! kill -9 of the server between the parts of an upload, and in the middle of one: what was acknowledged is there.

use serde_json::json;

use super::{CONTENT, begun, bytes, got, part, reports, request, sha256};
use crate::support::Start;

const CHUNK: usize = 4 * 1024 * 1024;

testing::on_both_databases! {
    async fn no_acknowledged_part_is_lost(database: TestDatabase) {
        let start = Start::of(&database);
        let mut process = start.run().expect("the server starts");
        let mut owner = process.owner(database.directory()).await;
        reports(&owner, json!({})).await;
        let content = bytes(5 * CHUNK, 9);
        let upload = begun(&owner, json!({ "name": "a", "size": content.len(), "sha256": sha256(&content) })).await;
        let mut at = 0;
        for length in [100_000, CHUNK + 70_000, 65_536] {
            let told = part(&owner, &upload, at, &content[at..at + length]).await.ok(200);
            at += length;
            assert_eq!(told["offset"], at);
            // A part on its way when the server dies is not acknowledged: it may be there or not, but not in part of a chunk.
            let path = format!("/api/v1/uploads/{upload}");
            let caller = owner.with("upload-offset", at.to_string());
            let rest = content[at..at + CHUNK + 1_000].to_vec();
            let on_its_way = telemetry::spawn("test", async move {
                let request = request(&caller, reqwest::Method::PATCH, &path);
                request.body(rest).send().await.map(|_| ())
            });
            process.kill();
            // However it ended.
            let _ = on_its_way.await;
            process = start.run().expect("the server starts again");
            owner = process.owner(database.directory()).await;
            let stands = owner.get(&format!("/api/v1/uploads/{upload}")).await.ok(200);
            let offset = usize::try_from(stands["offset"].as_u64().expect("an offset")).expect("a length");
            assert!(offset >= at, "{offset} of {at} acknowledged");
            at = offset;
        }
        let done = part(&owner, &upload, at, &content[at..]).await.ok(200);
        assert_eq!(done["file"]["sha256"], sha256(&content));
        assert!(got(&owner, &format!("{CONTENT}/a")).await.body == content);
        let verified = owner.get("/api/v1/audit/verify").await.ok(200);
        assert_eq!(verified["verified"], true, "{verified:#}");
        assert_eq!(process.stop(), Some(0));
    }
}
