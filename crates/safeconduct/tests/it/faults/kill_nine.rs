//! kill -9 at seeded points under load: whatever was acknowledged is there afterwards, and the ledger verifies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::json;

use crate::support::{Caller, Start};

/// A few points always; `make test-all` sets the number.
fn points() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the test's own knob")]
    let set = std::env::var("SAFECONDUCT_TEST_KILLS").ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// What one worker was told, until the server did not answer any more.
async fn work(
    caller: Caller,
    worker: usize,
    round: u64,
    stop: Arc<AtomicBool>,
) -> (Vec<String>, Vec<String>) {
    let (mut agents, mut tokens) = (Vec::new(), Vec::new());
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("r{round}-w{worker}-{number}");
        let body = json!({ "name": name }).to_string();
        let Some(answer) = try_post(&caller, "/api/v1/agents", "application/json", body).await else { break };
        let id = answer["id"].as_str().expect("an id").to_owned();
        agents.push(id.clone());
        let body = json!({ "kind": "secret", "label": "x" }).to_string();
        let path = format!("/api/v1/agents/{id}/credentials");
        let Some(answer) = try_post(&caller, &path, "application/json", body).await else { break };
        let secret = answer["client_secret"].as_str().expect("a secret");
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let anonymous = Caller { bearer: None, ..caller.clone() };
        let form = try_post(&anonymous, "/oauth2/token", "application/x-www-form-urlencoded", form).await;
        let Some(answer) = form else { break };
        let token = answer["access_token"].as_str().expect("a token");
        tokens.push(crate::support::claims(token)["jti"].as_str().expect("a jti").to_owned());
    }
    (agents, tokens)
}

/// `None` when the server was gone; anything else than success is a defect.
async fn try_post(caller: &Caller, path: &str, kind: &str, body: String) -> Option<serde_json::Value> {
    let mut request =
        caller.http.request(Method::POST, format!("{}{path}", caller.url)).header(CONTENT_TYPE, kind);
    if let Some(bearer) = &caller.bearer {
        request = request.header(AUTHORIZATION, format!("Bearer {bearer}"));
    }
    let response = request.body(body).send().await.ok()?;
    let status = response.status();
    let text = response.text().await.ok()?;
    assert!(status.is_success(), "{path}: {status} {text}");
    Some(serde_json::from_str(&text).expect("JSON"))
}

testing::on_both_databases! {
    async fn nothing_acknowledged_is_lost(database: TestDatabase) {
        let start = Start::of(&database);
        let (mut agents, mut tokens) = (Vec::new(), Vec::new());
        for round in 0..points() {
            let mut process = start.run().expect("the server starts");
            let owner = process.owner(database.directory()).await;
            let stop = Arc::new(AtomicBool::new(false));
            let workers: Vec<_> = (0..6)
                .map(|worker| telemetry::spawn("test", work(owner.clone(), worker, round, stop.clone())))
                .collect();
            // Seeded, spread over 20 to 420 ms. The one place where a test waits for time itself: what is wanted is a
            // point that nothing in the server announces.
            let pause = 20 + (round.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % 400;
            tokio::time::sleep(Duration::from_millis(pause)).await;
            process.kill();
            stop.store(true, Ordering::Relaxed);
            for worker in workers {
                let (more_agents, more_tokens) = worker.await.expect("a worker");
                agents.extend(more_agents);
                tokens.extend(more_tokens);
            }
        }
        assert!(!agents.is_empty() && !tokens.is_empty(), "the load reached the server");
        let process = start.run().expect("the server starts again");
        let owner = process.owner(database.directory()).await;
        for id in &agents {
            owner.get(&format!("/api/v1/agents/{id}")).await.ok(200);
        }
        let until = Instant::now() + Duration::from_secs(60);
        for jti in &tokens {
            // The index follows the ledger: right after the start it may still be on its way.
            while owner.get(&format!("/api/v1/tokens/{jti}/activity")).await.status != 200 {
                assert!(Instant::now() < until, "the fact of token {jti} is gone");
            }
        }
        let verified = owner.get("/api/v1/audit/verify").await.ok(200);
        assert_eq!(verified["verified"], true, "{verified:#}");
        assert_eq!(process.stop(), Some(0));
    }
}
