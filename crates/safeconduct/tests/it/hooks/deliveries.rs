//! What is kept of what came in, for how long, for whom – and sent through once more.

use std::time::Duration;

use serde_json::{Value, json};
use web::PrincipalId;

use super::{HOOKS, deliveries, echo_hook, facts, github, id, knock, path, runs, send, send_signed};
use crate::functions::ended;
use crate::support::TestServer;

testing::on_both_databases! {
    async fn a_delivery_is_kept_and_shown_to_those_who_look_after_the_hook(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, github()).await;
        let answer = send_signed(&server, &made, "{\"pin\": \"tangerine\"}").await;
        let kept = deliveries(&owner, &made).await;
        assert_eq!((kept.len(), &kept[0]["outcome"], kept[0].get("request")), (1, &json!("accepted"), None));
        assert_eq!((kept[0]["id"].as_str(), kept[0]["run"].as_str()), (Some(answer.header("safeconduct-delivery")), Some(answer.header("safeconduct-run"))));
        let one = format!("{HOOKS}/{}/deliveries/{}", id(&made), kept[0]["id"].as_str().unwrap());
        let shown = owner.get(&one).await.ok(200);
        assert_eq!(shown["request"]["body"], "eyJwaW4iOiAidGFuZ2VyaW5lIn0=");
        assert_eq!(shown["request"]["headers"]["content-type"], "application/json");
        let home = server.home().await;
        let (person, reader) = server.person(home, &[]).await;
        server.grant(home, PrincipalId::User(person.id), "hooks:read:all").await;
        let shown = reader.get(&one).await.ok(200);
        assert_eq!((&shown["outcome"], shown.get("request")), (&json!("accepted"), None));
        let stranger = server.stranger().await;
        stranger.get(&one).await.refused(404, "not_found");
        let (_, nobody) = server.person(home, &[]).await;
        nobody.get(&one).await.refused(403, "permission_denied");
        server.finish().await;
    }

    async fn a_delivery_is_sent_through_once_more(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({ "input": { "mode": "envelope" } })).await;
        let first = send(&server, &made, json!({ "n": 1 })).await;
        let before = first.ok(200);
        let of = |delivery: &str| format!("{HOOKS}/{}/deliveries/{delivery}/replay", id(&made));
        let again = owner.post(&of(first.header("safeconduct-delivery")), json!({})).await.ok(202);
        assert_eq!(again["replay_of"], first.header("safeconduct-delivery"));
        let run = ended(&owner, again["run"].as_str().unwrap()).await;
        assert_eq!((&run["output"], &run["trigger_id"]), (&before, &made["id"]));
        // What was sent through again can be sent through again.
        let third = owner.post(&of(again["id"].as_str().unwrap()), json!({})).await.ok(202);
        ended(&owner, third["run"].as_str().unwrap()).await;
        assert_eq!((runs(&server).await, facts(&server, "hook.delivery_replayed").await), (3, 2));
        // A repeat of the request is not one of the delivery.
        let keyed = owner.with("idempotency-key", "once");
        let fourth = keyed.post(&of(again["id"].as_str().unwrap()), json!({})).await.ok(202);
        assert_eq!(keyed.post(&of(again["id"].as_str().unwrap()), json!({})).await.ok(202), fourth);
        ended(&owner, fourth["run"].as_str().unwrap()).await;
        assert_eq!((runs(&server).await, facts(&server, "hook.delivery_replayed").await), (4, 3));
        // What was refused is not there to be tried.
        let refused = knock(&server, reqwest::Method::POST, &path(&made), &[("content-type", "application/json")], "{").await;
        refused.refused(400, "malformed_json");
        let newest = deliveries(&owner, &made).await[0].clone();
        owner.post(&of(newest["id"].as_str().unwrap()), json!({})).await.refused(409, "delivery_not_kept");
        let large = send(&server, &made, json!("x".repeat(300_000))).await;
        owner.post(&of(large.header("safeconduct-delivery")), json!({})).await.refused(409, "delivery_not_kept");
        owner.post(&of("dlv_01h455vb4pex5vsknk084sn02q"), json!({})).await.refused(404, "not_found");
        server.finish().await;
    }

    async fn what_is_old_or_too_much_is_swept(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({ "deduplication": { "pointer": "/id", "ttl_seconds": 3600 }, "concurrency": 300, "rate_per_minute": 600 })).await;
        for sent in 0..205 {
            // One run, many repeats.
            let answer = send(&server, &made, json!({ "id": "one", "sent": sent })).await;
            assert_eq!(answer.status, 200);
        }
        let tamper = server.database.tamper().await;
        let count = async |text: &str| tamper.number(&format!("SELECT count(*) FROM {text}")).await;
        assert_eq!((count("hook_deliveries").await, count("hook_marks").await), (205, 1));
        server.house().triggers.sweep().await;
        assert_eq!((count("hook_deliveries").await, count("hook_marks").await), (200, 1));
        assert_eq!(count("hook_deliveries WHERE outcome = 'accepted'").await, 0, "the oldest went first");
        server.clock.advance(Duration::from_secs(7 * 24 * 3600 + 1));
        server.house().triggers.sweep().await;
        assert_eq!((count("hook_deliveries").await, count("hook_marks").await), (0, 0));
        assert_eq!(deliveries(&server.owner().await, &made).await, Vec::<Value>::new());
        server.finish().await;
    }
}
