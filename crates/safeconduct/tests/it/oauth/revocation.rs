//! How tokens end before their time: one by one, with their credential, their agent – on every node, by revision.

use std::collections::BTreeMap;

use safeconduct::Server;
use serde_json::json;
use testing::TestDatabase;
use types::World;

use super::papers::{Papers, Signer, assert, facts, parts, text, with_token};
use crate::support::{Caller, TestServer, config};

async fn works(caller: &Caller) -> bool {
    let answer = caller.get("/api/v1/auth/me").await;
    if answer.status != 200 {
        answer.refused(401, "invalid_token");
    }
    answer.status == 200
}

testing::on_both_databases! {
    async fn a_revoked_token_dies_alone(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let papers = Papers::of(&server.owner().await, "worker", &[]).await;
        let (first, second) = (papers.token(&server).await, papers.token(&server).await);
        let callers = [&first, &second].map(|token| with_token(&server, token));
        assert!(works(&callers[0]).await && works(&callers[1]).await);
        let anonymous = server.anonymous();
        for _ in 0..2 {
            assert_eq!(papers.about(&anonymous, "revoke", &first).await.status, 200);
        }
        assert!(!works(&callers[0]).await && works(&callers[1]).await);
        assert_eq!(papers.about(&anonymous, "introspect", &first).await.ok(200), json!({ "active": false }));
        assert_eq!(facts(&server).await["token.revoked"], 1, "what is over already is not revoked again");
        server.finish().await;
    }

    async fn a_suspended_agents_token_dies_on_the_next_request(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let papers = Papers::of(&owner, "worker", &["agents:read:all"]).await;
        let caller = papers.caller(&server).await;
        let path = format!("/api/v1/agents/{}", papers.agent);
        assert!(works(&caller).await);
        owner.post(&format!("{path}/suspend"), json!({})).await.ok(200);
        assert!(!works(&caller).await);
        owner.post(&format!("{path}/reactivate"), json!({})).await.ok(200);
        assert!(!works(&caller).await, "what died stays dead");
        assert!(works(&papers.caller(&server).await).await);
        server.finish().await;
    }

    async fn tokens_die_with_the_credential_that_got_them(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let papers = Papers::of(&owner, "worker", &[]).await;
        let signer = Signer::of(&owner, &papers.agent, crypto::jws::Algorithm::EdDSA).await;
        let by_key = assert(&server.anonymous(), &signer.assertion(&server, "one")).await.ok(200);
        let (by_secret, by_key) = (papers.caller(&server).await, with_token(&server, &text(&by_key, "access_token")));
        owner.delete(&format!("/api/v1/agents/{}/credentials/{}", papers.agent, papers.credential)).await.ok(200);
        assert!(!works(&by_secret).await && works(&by_key).await);
        server.finish().await;
    }

    async fn a_kill_says_how_many_tokens_died(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let papers = Papers::of(&owner, "worker", &[]).await;
        let other = Papers::of(&owner, "other", &[]).await.caller(&server).await;
        let mut tokens = Vec::new();
        for _ in 0..5 {
            tokens.push(papers.token(&server).await);
        }
        papers.about(&server.anonymous(), "revoke", &tokens[0]).await;
        let receipt = owner.post(&format!("/api/v1/agents/{}/kill", papers.agent), json!({})).await.ok(200);
        assert_eq!(receipt["tokens"]["count"], 4, "{receipt:#}");
        let named: Vec<&str> = receipt["tokens"]["jtis"].as_array().unwrap().iter().map(|jti| jti.as_str().unwrap()).collect();
        assert_eq!(named.len(), 4);
        for token in &tokens[1..] {
            assert!(named.contains(&text(&parts(token).1, "jti").as_str()));
            assert!(!works(&with_token(&server, token)).await);
        }
        assert!(works(&other).await);
        server.finish().await;
    }

    async fn a_token_issued_while_the_feed_was_paused_dies_when_it_is_heard(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let papers = Papers::of(&owner, "worker", &[]).await;
        let feed = &server.house().feed;
        let agent = format!("/api/v1/agents/{}", papers.agent);
        let late = loop {
            // What this node knows of the agent is in its memory before it is cut off.
            papers.token(&server).await;
            feed.pause(true);
            owner.post(&format!("{agent}/suspend"), json!({})).await.ok(200);
            // This node has not heard: the agent still stands here and gets a token of the old revision.
            let answer = papers.ask(&server.anonymous(), &[]).await;
            if answer.status == 200 {
                break text(&answer.json(), "access_token");
            }
            // A slow machine: the node noticed its own silence, as it should. Again from the start.
            answer.oauth_error(503, "temporarily_unavailable");
            feed.pause(false);
            feed.catch_up().await.unwrap();
            owner.post(&format!("{agent}/reactivate"), json!({})).await.ok(200);
            until_fresh(&papers, &server.anonymous()).await;
        };
        let late = with_token(&server, &late);
        feed.pause(false);
        feed.catch_up().await.unwrap();
        assert!(!works(&late).await);
        owner.post(&format!("{agent}/reactivate"), json!({})).await.ok(200);
        until_fresh(&papers, &server.anonymous()).await;
        assert!(!works(&late).await, "dead by revision, not only by its agent's state");
        server.finish().await;
    }
}

/// Asks until the node has heard from its database again.
async fn until_fresh(papers: &Papers, caller: &Caller) {
    while papers.ask(caller, &[]).await.status == 503 {}
}

/// The heartbeat by itself: nothing died, nothing was said, the node only hears nothing for two seconds.
#[tokio::test]
async fn a_node_that_hears_nothing_serves_no_agent_and_issues_no_token() {
    let server = TestServer::start(TestDatabase::postgres().await).await;
    let owner = server.owner().await;
    let papers = Papers::of(&owner, "worker", &[]).await;
    let agent = with_token(&server, &papers.token(&server).await);
    assert!(works(&agent).await);
    server.house().feed.pause(true);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let refused = loop {
        let answer = agent.get("/api/v1/auth/me").await;
        if answer.status != 200 {
            break answer;
        }
        assert!(std::time::Instant::now() < until, "a deaf node goes on serving agents");
        tokio::task::yield_now().await;
    };
    assert!(refused.headers.contains_key("retry-after"));
    refused.refused(503, "stale_revocation_feed");
    papers.ask(&server.anonymous(), &[]).await.oauth_error(503, "temporarily_unavailable");
    owner.get("/api/v1/auth/me").await.ok(200);
    server.house().feed.pause(false);
    until_fresh(&papers, &server.anonymous()).await;
    assert!(works(&agent).await, "and serves it again when it hears");
    server.finish().await;
}

/// A notice that is lost costs no more than the next look.
#[tokio::test]
async fn a_revocation_that_nobody_was_told_of_is_heard_all_the_same() {
    let server = TestServer::start(TestDatabase::postgres().await).await;
    let owner = server.owner().await;
    let papers = Papers::of(&owner, "worker", &[]).await;
    let agent = with_token(&server, &papers.token(&server).await);
    assert!(works(&agent).await);
    // Another node's change, without its NOTIFY.
    let tamper = server.database.tamper().await;
    let (org, key) =
        (tamper.uuid(types::Id::uuid(server.home().await)), papers.agent.parse::<types::AgentId>().unwrap());
    tamper.must("UPDATE authority_head SET revision = revision + 1").await;
    tamper
        .must(&format!(
            "INSERT INTO authority_log (revision, ordinal, org, kind, key, dead, at) \
             SELECT revision, 0, {org}, 'agent', {}, true, {} FROM authority_head",
            tamper.uuid(types::Id::uuid(key)),
            World::system().now().millis(),
        ))
        .await;
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while works(&agent).await {
        assert!(std::time::Instant::now() < until, "the death is not heard");
        tokio::task::yield_now().await;
    }
    server.finish().await;
}

#[tokio::test]
async fn a_node_that_was_cut_off_buries_its_tokens_when_it_hears() {
    let here = TestServer::start(TestDatabase::postgres().await).await;
    let directory = tempfile::tempdir().unwrap();
    let key = here.database.directory().join("encryption.key");
    let settings = [
        ("data.dir", directory.path().display().to_string()),
        ("keys.encryption_key_file", key.display().to_string()),
        ("server.public_url", here.url()),
    ];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let there = Server::start(config(&here.database, &settings), World::system(), None).await.unwrap();
    let owner = here.owner().await;
    let papers = Papers::of(&owner, "worker", &[]).await;
    let over_there = Caller { url: format!("http://{}", there.address), ..here.anonymous() };
    let early = text(&papers.ask(&over_there, &[]).await.ok(200), "access_token");
    let late = loop {
        there.house.feed.pause(true);
        let answer = papers.ask(&over_there, &[]).await;
        if answer.status == 200 {
            break text(&answer.json(), "access_token");
        }
        there.house.feed.pause(false);
        until_fresh(&papers, &over_there).await;
    };
    owner.post(&format!("/api/v1/agents/{}/kill", papers.agent), json!({})).await.ok(200);
    assert!(!works(&with_token(&here, &late)).await, "dead where the kill is known");
    there.house.feed.pause(false);
    there.house.feed.catch_up().await.unwrap();
    owner.post(&format!("/api/v1/agents/{}/reactivate", papers.agent), json!({})).await.ok(200);
    until_fresh(&papers, &over_there).await;
    for token in [early, late] {
        assert!(
            !works(&Caller { bearer: Some(token), ..over_there.clone() }).await,
            "dead by revision there, too"
        );
    }
    there.stop().await;
    here.finish().await;
}

#[tokio::test]
async fn revoking_is_for_the_client_the_owner_and_who_may() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let papers = Papers::of(&owner, "worker", &[]).await;
    let nobody = Papers::of(&owner, "nobody", &["tokens:read:all"]).await;
    let warden = Papers::of(&owner, "warden", &["tokens:delete:all"]).await;
    let foreign = Papers::of(&server.stranger().await, "worker", &["tokens:delete:all"]).await;
    let foreign = Papers { base: "/o/elsewhere".into(), ..foreign };
    let anonymous = server.anonymous();
    let token = papers.token(&server).await;
    nobody.about(&anonymous, "revoke", &token).await.oauth_error(400, "unauthorized_client");
    anonymous.form("/oauth2/revoke", &[("token", &token)]).await.oauth_error(401, "invalid_client");
    for unknown in ["x", &token[..token.len() - 1]] {
        assert_eq!(nobody.about(&anonymous, "revoke", unknown).await.status, 200);
    }
    assert_eq!(foreign.about(&anonymous, "revoke", &token).await.status, 200, "as if it were unknown");
    assert!(works(&with_token(&server, &token)).await);
    assert_eq!(warden.about(&anonymous, "revoke", &token).await.status, 200);
    assert!(!works(&with_token(&server, &token)).await);
    let itself = papers.caller(&server).await;
    let own = itself.bearer.clone().unwrap();
    assert_eq!(itself.form("/oauth2/revoke", &[("token", &own)]).await.status, 200);
    assert!(!works(&itself).await);
    server.finish().await;
}

#[tokio::test]
async fn racers_who_revoke_and_use_one_token_never_see_it_rise_again() {
    let server = TestServer::sqlite().await;
    let papers = Papers::of(&server.owner().await, "worker", &[]).await;
    let token = papers.token(&server).await;
    let racers: Vec<_> = (0..100)
        .map(|number| {
            let (caller, papers, token) = (with_token(&server, &token), papers.clone(), token.clone());
            telemetry::spawn("racer", async move {
                if number % 10 == 5 {
                    let anonymous = Caller { bearer: None, ..caller.clone() };
                    assert_eq!(papers.about(&anonymous, "revoke", &token).await.status, 200);
                    assert_eq!(caller.get("/api/v1/auth/me").await.status, 401);
                }
                caller.get("/api/v1/auth/me").await.status.as_u16()
            })
        })
        .collect();
    let mut counts = BTreeMap::<u16, usize>::new();
    for racer in racers {
        *counts.entry(racer.await.unwrap()).or_default() += 1;
    }
    assert!(counts.keys().all(|status| matches!(status, 200 | 401)) && counts[&401] >= 10, "{counts:?}");
    server.finish().await;
}
