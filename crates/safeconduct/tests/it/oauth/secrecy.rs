//! No secret stands in the log, however much is logged, nor in any file of the data directory.

use crypto::jws::Algorithm;
use serde_json::json;
use types::World;

use super::papers::{Papers, Signer, assert, text};
use crate::support::{Caller, Start, find, look_through};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_neither_logged_nor_stored() {
    let directory = tempfile::tempdir().unwrap();
    let (data, log) = (directory.path().join("data"), directory.path().join("log"));
    std::fs::create_dir(&data).unwrap();
    let mut start = Start::in_directory(&data).set("log.level", "trace");
    let redirect = format!("exec \"$0\" \"$@\" 2>'{}'", log.display());
    start.wrapper = vec!["sh".into(), "-c".into(), redirect];
    let server = start.run().unwrap();
    let link = server.link.clone().unwrap();
    let anonymous = server.anonymous();
    let signed_in = anonymous.post("/api/v1/auth/link/token", json!({ "token": link })).await.ok(200);
    let renewed = json!({ "refresh_token": signed_in["refresh_token"] });
    let renewed = anonymous.post("/api/v1/auth/refresh", renewed).await.ok(200);
    let owner = Caller { bearer: Some(text(&renewed, "access_token")), ..anonymous.clone() };
    let papers = Papers::of(&owner, "worker", &["agents:read:all"]).await;
    let signer = Signer::of(&owner, &papers.agent, Algorithm::EdDSA).await;
    let now = World::system().now().seconds();
    let claims = json!({
        "iss": papers.agent, "sub": papers.agent, "aud": server.url, "exp": now + 60, "jti": "one",
    });
    let assertion = signer.key.compact("JWT", claims.to_string().as_bytes());
    let token = text(&papers.ask(&anonymous, &[]).await.ok(200), "access_token");
    let by_key = text(&assert(&anonymous, &assertion).await.ok(200), "access_token");
    // What goes wrong is logged with more words.
    papers.ask(&anonymous, &[("scope", "runs:read")]).await.oauth_error(400, "invalid_scope");
    assert(&anonymous, &assertion).await.oauth_error(401, "invalid_client");
    let spoiled = Papers { secret: papers.secret.replace("sfc_dev", "sfc_prd"), ..papers.clone() };
    spoiled.ask(&anonymous, &[]).await.oauth_error(401, "invalid_client");
    papers.about(&anonymous, "introspect", &token).await.ok(200);
    assert_eq!(papers.about(&anonymous, "revoke", &token).await.status, 200);
    Caller { bearer: Some(token.clone()), ..anonymous.clone() }
        .get("/api/v1/agents")
        .await
        .refused(401, "invalid_token");
    assert_eq!(server.stop(), Some(0));

    let signature = |token: &str| token.rsplit('.').next().unwrap().to_owned();
    let random = |secret: &str| secret.split('_').nth(3).unwrap().to_owned();
    let secrets = [
        link,
        signature(&text(&signed_in, "access_token")),
        signature(&text(&signed_in, "refresh_token")),
        signature(&text(&renewed, "access_token")),
        signature(&text(&renewed, "refresh_token")),
        random(&papers.secret),
        papers.basic()["Basic ".len()..].to_owned(),
        signature(&token),
        signature(&by_key),
        signature(&assertion),
    ];
    let logged = std::fs::read(&log).unwrap();
    assert!(find(&logged, b"request").is_some(), "something was logged");
    for secret in &secrets {
        assert_eq!(find(&logged, secret.as_bytes()), None, "in the log");
    }
    let mut read = 0;
    look_through(&data, &mut |path, bytes| {
        read += bytes.len();
        for secret in &secrets {
            assert_eq!(find(bytes, secret.as_bytes()), None, "in {}", path.display());
        }
    });
    assert!(read > 100_000, "the database was among the {read} bytes read");
}
