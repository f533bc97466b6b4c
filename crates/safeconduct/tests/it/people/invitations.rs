//! Invitations: a link that works once, for somebody new and for somebody known.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, Caller, TestServer};

async fn invite(by: &Caller, email: &str, roles: &[&str]) -> Value {
    by.post("/api/v1/invitations", json!({ "email": email, "roles": roles })).await.ok(201)
}

fn token(invited: &Value) -> String {
    invited["link"].as_str().unwrap().split_once("/console/invitation#").unwrap().1.to_owned()
}

async fn accept_as_new(server: &TestServer, token: &str) -> Answer {
    let visitor = server.anonymous().with("origin", server.url());
    visitor.post("/api/v1/auth/invitation", json!({ "token": token, "display_name": "Ada" })).await
}

fn signed_in(server: &TestServer, answer: &Answer) -> Caller {
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    Caller { cookie: Some(cookie), ..server.anonymous() }
}

testing::on_both_databases! {
    async fn somebody_new_joins_with_the_roles_that_were_given(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let invited = invite(&owner, "Ada@Example.com", &["member"]).await;
        assert_eq!((&invited["email"], &invited["status"]), (&json!("ada@example.com"), &json!("open")));
        owner.post("/api/v1/invitations", json!({ "email": "ada@example.com" })).await.refused(409, "already_exists");
        let answer = accept_as_new(&server, &token(&invited)).await;
        let started = answer.ok(200);
        assert_eq!(started["user"]["email"], "ada@example.com");
        let ada = signed_in(&server, &answer);
        let me = ada.get("/api/v1/auth/me").await.ok(200);
        assert_eq!((&me["roles"], &me["org"]["slug"]), (&json!(["member"]), &json!("home")));
        let path = format!("/api/v1/members/{}", started["user"]["id"].as_str().unwrap());
        let member = owner.get(&path).await.ok(200);
        // The link proved nothing about the address.
        assert_eq!((&member["email_verified"], &member["invited_by"]), (&json!(false), &invited["invited_by"]));
        accept_as_new(&server, &token(&invited)).await.refused(401, "invalid_link");
        let path = format!("/api/v1/invitations/{}", invited["id"].as_str().unwrap());
        let accepted = owner.get(&path).await.ok(200);
        assert_eq!((&accepted["status"], &accepted["accepted_by"]), (&json!("accepted"), &started["user"]["id"]));
        assert!(accepted.get("link").is_none());
        owner.delete(&path).await.refused(409, "invitation_ended");
        owner.post(&format!("{path}/resend"), json!({})).await.refused(409, "invitation_ended");
        owner.post("/api/v1/invitations", json!({ "email": "ada@example.com" })).await.refused(409, "already_exists");
        server.finish().await;
    }

    async fn of_a_hundred_redemptions_one_succeeds(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let token = token(&invite(&owner, "ada@example.com", &["member"]).await);
        let visitor = server.anonymous().with("origin", server.url());
        let racers: Vec<_> = (0..100)
            .map(|_| {
                let (visitor, token) = (visitor.clone(), token.clone());
                telemetry::spawn("test", async move {
                    let body = json!({ "token": token, "display_name": "Ada" });
                    visitor.post("/api/v1/auth/invitation", body).await.status.as_u16()
                })
            })
            .collect();
        let mut counts = BTreeMap::new();
        for racer in racers {
            *counts.entry(racer.await.unwrap()).or_insert(0) += 1;
        }
        assert_eq!(counts, BTreeMap::from([(200, 1), (401, 99)]));
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM users WHERE email = 'ada@example.com'").await, 1);
        assert_eq!(tamper.number("SELECT count(*) FROM facts WHERE kind = 'invitation.accepted'").await, 1);
        server.finish().await;
    }

    async fn of_a_hundred_signed_in_people_one_joins(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let elsewhere = server.stranger().await;
        let token = token(&invite(&elsewhere, "whoever@example.com", &["member"]).await);
        let mut people = vec![owner];
        for _ in 0..19 {
            people.push(server.person(server.home().await, &["member"]).await.1);
        }
        let racers: Vec<_> = (0..100)
            .map(|number| {
                let (caller, token) = (people[number % 20].clone(), token.clone());
                telemetry::spawn("test", async move {
                    caller.post("/api/v1/invitations/accept", json!({ "token": token })).await.status.as_u16()
                })
            })
            .collect();
        let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
        for racer in racers {
            *counts.entry(racer.await.unwrap()).or_default() += 1;
        }
        assert_eq!(counts.get(&200), Some(&1), "{counts:?}");
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM memberships WHERE invited_by IS NOT NULL").await, 1);
        server.finish().await;
    }

    async fn somebody_known_joins_signed_in_and_only_so(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let elsewhere = server.stranger().await;
        let home = server.home().await;
        let people = &server.house().people;
        let bob = people.enrol(home, "Bob", Some("bob@example.com"), &["member"]).await.unwrap();
        let kind = people::SessionKind::Browser;
        let started = people.sign_in(home, &bob, kind, "test", &web::Contact::default()).await.unwrap();
        let his = Caller { cookie: Some(format!("safeconduct_dev={}", started.secret.reveal())), ..server.anonymous() };
        let invited = invite(&elsewhere, "bob@example.com", &["member"]).await;
        // Whoever only holds the link does not get into his account.
        accept_as_new(&server, &token(&invited)).await.refused(409, "sign_in_first");
        let joined = his.post("/api/v1/invitations/accept", json!({ "token": token(&invited) })).await.ok(200);
        assert_eq!((&joined["org"]["slug"], &joined["roles"]), (&json!("elsewhere"), &json!(["member"])));
        let again = invite(&elsewhere, "bob.other@example.com", &["member"]).await;
        his.post("/api/v1/invitations/accept", json!({ "token": token(&again) })).await.refused(409, "already_exists");
        his.post("/api/v1/auth/switch", json!({ "org": "elsewhere" })).await.ok(200);
        // Agents are not invited.
        let agent = server.agent(&owner, "worker", &["agents:read:all"]).await;
        let agent = server.as_agent(&agent).await;
        agent.post("/api/v1/invitations/accept", json!({ "token": token(&again) })).await
            .refused(403, "permission_denied");
        server.finish().await;
    }

    async fn a_link_dies_when_it_is_taken_back_replaced_or_old(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let taken = invite(&owner, "one@example.com", &[]).await;
        let path = format!("/api/v1/invitations/{}", taken["id"].as_str().unwrap());
        assert_eq!(owner.delete(&path).await.ok(200)["status"], "revoked");
        accept_as_new(&server, &token(&taken)).await.refused(401, "invalid_link");
        let first = invite(&owner, "two@example.com", &[]).await;
        let resend = format!("/api/v1/invitations/{}/resend", first["id"].as_str().unwrap());
        let second = owner.post(&resend, json!({})).await.ok(200);
        accept_as_new(&server, &token(&first)).await.refused(401, "invalid_link");
        server.clock.advance(Duration::from_secs(7 * 24 * 3600 + 1));
        accept_as_new(&server, &token(&second)).await.refused(401, "invalid_link");
        let owner = server.owner().await;
        let open = owner.get("/api/v1/invitations?status=open").await.ok(200);
        assert_eq!(open["items"], json!([]));
        let expired = owner.get("/api/v1/invitations?status=expired").await.ok(200);
        assert_eq!(expired["items"][0]["status"], "expired");
        // The address can be invited again.
        let third = invite(&owner, "two@example.com", &["member"]).await;
        accept_as_new(&server, &token(&third)).await.ok(200);
        server.finish().await;
    }

    async fn nobody_invites_beyond_what_they_hold_now_or_later(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        let (carol, hers) = server.person(home, &["owner"]).await;
        let beyond = json!({ "email": "x@example.com", "roles": ["operator"] });
        hers.post("/api/v1/invitations", beyond).await.refused(403, "authority_exceeded");
        let (_, member) = server.person(home, &["member"]).await;
        member.post("/api/v1/invitations", json!({ "email": "x@example.com" })).await
            .refused(403, "permission_denied");
        let invited = invite(&hers, "x@example.com", &["owner"]).await;
        owner.patch(&format!("/api/v1/members/{}", carol.id), json!({ "roles": ["member"] })).await.ok(200);
        accept_as_new(&server, &token(&invited)).await.refused(401, "invalid_link");
        // Somebody who holds the roles can send it again.
        let resend = format!("/api/v1/invitations/{}/resend", invited["id"].as_str().unwrap());
        let again = owner.post(&resend, json!({})).await.ok(200);
        accept_as_new(&server, &token(&again)).await.ok(200);
        for wrong in [
            json!({ "email": "nobody", "roles": [] }),
            json!({ "email": "y@example.com", "roles": ["no-such-role"] }),
            json!({ "roles": [] }),
        ] {
            owner.post("/api/v1/invitations", wrong).await.refused(422, "validation_failed");
        }
        server.finish().await;
    }
}

#[tokio::test]
async fn inviting_asks_for_a_fresh_sign_in_and_other_sites_cannot_accept() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let invited = invite(&owner, "ada@example.com", &[]).await;
    let body = json!({ "token": token(&invited) });
    let forged = server.anonymous().with("origin", "http://evil.example");
    forged.post("/api/v1/auth/invitation", body).await.refused(403, "cross_site_request");
    server.clock.advance(Duration::from_secs(301));
    let late = owner.post("/api/v1/invitations", json!({ "email": "bob@example.com" })).await;
    late.refused(403, "step_up_required");
    server.finish().await;
}

#[tokio::test]
async fn a_proved_address_ends_what_began_without_proof() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let invited = invite(&owner, "ada@example.com", &["member"]).await;
    let answer = accept_as_new(&server, &token(&invited)).await;
    let started = answer.ok(200);
    let people = &server.house().people;
    let id = started["user"]["id"].as_str().unwrap().parse().unwrap();
    let person = people.person(id).await.unwrap().unwrap();
    let proved = people.email_proved(&person, &web::Contact::default()).await.unwrap();
    assert!(proved.email_verified);
    signed_in(&server, &answer).get("/api/v1/auth/me").await.refused(401, "unauthenticated");
    server.finish().await;
}
