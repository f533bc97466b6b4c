//! Members: their roles, their leaving, and that an owner always stays.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;

use crate::support::{Caller, TestServer};

async fn remove(by: &Caller, user: types::UserId, agents_to: Option<String>) -> crate::support::Answer {
    let body = json!({ "agents_to": agents_to }).to_string();
    by.send(Method::DELETE, &format!("/api/v1/members/{user}"), Some(body)).await
}

testing::on_both_databases! {
    async fn roles_are_given_and_taken_by_those_who_hold_them(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        let (ada, her) = server.person(home, &["member"]).await;
        let path = format!("/api/v1/members/{}", ada.id);
        let member = owner.get(&path).await.ok(200);
        assert_eq!((&member["roles"], &member["revision"]), (&json!(["member"]), &json!(1)));
        her.post("/api/v1/orgs", json!({ "slug": "nope", "name": "Nope" })).await.refused(403, "permission_denied");
        let changed = owner.patch(&path, json!({ "roles": ["owner", "member"] })).await.ok(200);
        assert_eq!((&changed["roles"], &changed["revision"]), (&json!(["member", "owner"]), &json!(2)));
        // In force on the next request.
        assert_eq!(her.get("/api/v1/auth/me").await.ok(200)["roles"], json!(["member", "owner"]));
        // An owner holds no operator's rights, so gives and takes none.
        her.patch(&path, json!({ "roles": ["operator", "owner"] })).await.refused(403, "authority_exceeded");
        let me = owner.get("/api/v1/auth/me").await.ok(200);
        let operator = format!("/api/v1/members/{}", me["principal"]["id"].as_str().unwrap());
        her.patch(&operator, json!({ "roles": ["member"] })).await.refused(403, "authority_exceeded");
        owner.with("if-match", "\"1\"").patch(&path, json!({ "roles": [] })).await.refused(412, "stale_revision");
        owner.patch(&path, json!({ "roles": ["no-such-role"] })).await.refused(422, "validation_failed");
        owner.patch(&path, json!({ "roles": ["member"], "x": 1 })).await.refused(422, "validation_failed");
        server.stranger().await.patch(&path, json!({ "roles": [] })).await.refused(404, "not_found");
        let (_, viewer) = server.person(home, &["member"]).await;
        viewer.patch(&path, json!({ "roles": [] })).await.refused(403, "permission_denied");
        let roles = owner.get(&path).await.ok(200)["roles"].clone();
        assert_eq!(roles, json!(["member", "owner"]), "refusals changed nothing");
        owner.patch(&path, json!({ "roles": [] })).await.ok(200);
        her.get("/api/v1/agents").await.refused(403, "permission_denied");
        server.finish().await;
    }

    async fn giving_roles_asks_for_a_fresh_sign_in(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let (ada, _) = server.person(server.home().await, &[]).await;
        server.clock.advance(std::time::Duration::from_secs(301));
        let path = format!("/api/v1/members/{}", ada.id);
        owner.patch(&path, json!({ "roles": ["member"] })).await.refused(403, "step_up_required");
        server.finish().await;
    }

    async fn the_last_owner_stays(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let org = server.house().people.found_org(&"small".parse().unwrap(), "Small").await.unwrap();
        let (first, owner) = server.person(org.id, &["owner"]).await;
        let path = format!("/api/v1/members/{}", first.id);
        owner.patch(&path, json!({ "roles": ["member"] })).await.refused(409, "last_owner");
        remove(&owner, first.id, None).await.refused(409, "last_owner");
        let (second, other) = server.person(org.id, &["owner"]).await;
        // Who is suspended cannot act, so does not count.
        let operator = server.owner().await;
        operator.post(&format!("/api/v1/system/users/{}/suspend", second.id), json!({})).await.ok(200);
        remove(&owner, first.id, None).await.refused(409, "last_owner");
        operator.post(&format!("/api/v1/system/users/{}/reactivate", second.id), json!({})).await.ok(200);
        remove(&owner, first.id, None).await.ok(200);
        owner.get("/api/v1/auth/me").await.refused(401, "unauthenticated");
        drop(other);
        server.finish().await;
    }

    async fn of_a_hundred_that_leave_at_once_one_owner_stays(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let org = server.house().people.found_org(&"crowd".parse().unwrap(), "Crowd").await.unwrap();
        let mut owners = Vec::new();
        for _ in 0..100 {
            owners.push(server.person(org.id, &["owner"]).await);
        }
        let racers: Vec<_> = owners
            .into_iter()
            .enumerate()
            .map(|(number, (person, owner))| {
                telemetry::spawn("test", async move {
                    let path = format!("/api/v1/members/{}", person.id);
                    let mut tries = 0;
                    loop {
                        let answer = if number % 2 == 0 {
                            remove(&owner, person.id, None).await
                        } else {
                            owner.patch(&path, json!({ "roles": ["member"] })).await
                        };
                        let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
                        tries += 1;
                        // Too many at once is an answer, too; it says to try again.
                        if code != "conflict" || tries == 200 {
                            break (answer.status.as_u16(), code);
                        }
                    }
                })
            })
            .collect();
        let mut counts: BTreeMap<(u16, String), usize> = BTreeMap::new();
        for racer in racers {
            *counts.entry(racer.await.unwrap()).or_default() += 1;
        }
        let expected = BTreeMap::from([((200, String::new()), 99), ((409, "last_owner".to_owned()), 1)]);
        assert_eq!(counts, expected);
        let tamper = server.database.tamper().await;
        let owners = format!(
            "SELECT count(*) FROM grants WHERE role = 'owner' AND org = {}",
            tamper.uuid(types::Id::uuid(org.id))
        );
        assert_eq!(tamper.number(&owners).await, 1);
        server.finish().await;
    }

    async fn who_leaves_loses_what_it_had_here_and_nothing_elsewhere(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        let (ada, her) = server.person(home, &["member"]).await;
        let body = json!({ "slug": "hers", "name": "Hers", "owner": ada.id });
        owner.post("/api/v1/orgs", body).await.ok(201);
        let started = server
            .house()
            .people
            .sign_in(
                server.house().people.org_by_slug("hers").await.unwrap().unwrap().id,
                &server.house().people.person(ada.id).await.unwrap().unwrap(),
                people::SessionKind::Browser,
                "test",
                &web::Contact::default(),
            )
            .await
            .unwrap();
        let elsewhere =
            Caller { cookie: Some(format!("safeconduct_dev={}", started.secret.reveal())), ..server.anonymous() };
        // Her agents: one passes on with all others when she leaves, all are suspended without an heir.
        let agent = her.post("/api/v1/agents", json!({ "name": "hers" })).await.ok(201);
        let answer = remove(&owner, ada.id, None).await.ok(200);
        assert_eq!(answer["roles"], json!([]));
        her.get("/api/v1/auth/me").await.refused(401, "unauthenticated");
        elsewhere.get("/api/v1/auth/me").await.ok(200);
        owner.get(&format!("/api/v1/members/{}", ada.id)).await.refused(404, "not_found");
        owner.get(&format!("/api/v1/users/{}", ada.id)).await.refused(404, "not_found");
        let orphans = owner.get("/api/v1/agents?orphaned=true").await.ok(200);
        assert_eq!(orphans["items"][0]["id"], agent["id"]);
        assert_eq!(orphans["items"][0]["status"], "suspended");
        // An orphan does not act again before somebody answers for it.
        let path = format!("/api/v1/agents/{}", agent["id"].as_str().unwrap());
        owner.post(&format!("{path}/reactivate"), json!({})).await.refused(422, "validation_failed");
        let me = owner.get("/api/v1/auth/me").await.ok(200);
        owner.patch(&path, json!({ "owner": me["principal"]["id"] })).await.ok(200);
        owner.post(&format!("{path}/reactivate"), json!({})).await.ok(200);
        assert_eq!(owner.get("/api/v1/agents?orphaned=true").await.ok(200)["items"], json!([]));
        server.finish().await;
    }

    async fn agents_pass_to_an_heir(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        let (ada, her) = server.person(home, &["member"]).await;
        let (bob, _) = server.person(home, &["member"]).await;
        let agent = her.post("/api/v1/agents", json!({ "name": "hers" })).await.ok(201);
        remove(&owner, ada.id, Some(ada.id.to_string())).await.refused(422, "validation_failed");
        let nobody = Some("usr_01h455vb4pex5vsknk084sn02q".to_owned());
        remove(&owner, ada.id, nobody).await.refused(422, "validation_failed");
        her.get("/api/v1/auth/me").await.ok(200);
        remove(&owner, ada.id, Some(bob.id.to_string())).await.ok(200);
        let path = format!("/api/v1/agents/{}", agent["id"].as_str().unwrap());
        let passed = owner.get(&path).await.ok(200);
        assert_eq!((&passed["owner"]["id"], &passed["status"]), (&json!(bob.id), &json!("active")));
        server.finish().await;
    }

    async fn no_agent_of_somebody_who_left_stays_active(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let (ada, her) = server.person(server.home().await, &["member"]).await;
        let racers: Vec<_> = (0..60)
            .map(|number| {
                let (owner, her) = (owner.clone(), her.clone());
                telemetry::spawn("test", async move {
                    if number == 30 {
                        remove(&owner, ada.id, None).await.status.as_u16()
                    } else {
                        let body = json!({ "name": format!("racer-{number}") });
                        her.post("/api/v1/agents", body).await.status.as_u16()
                    }
                })
            })
            .collect();
        let mut removed = 0;
        for racer in racers {
            removed += i32::from(racer.await.unwrap() == 200);
        }
        assert!(removed <= 1);
        if removed == 0 {
            remove(&owner, ada.id, None).await.ok(200);
        }
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM agents WHERE status = 'active'").await, 0);
        server.finish().await;
    }

    async fn members_are_listed_page_by_page(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(server.person(home, &["member"]).await.0.id.to_string());
        }
        server.stranger().await;
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = owner.get(&format!("/api/v1/members?limit=2{cursor}")).await.ok(200);
            for item in page["items"].as_array().unwrap() {
                seen.push(item["user"].as_str().unwrap().to_owned());
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 4);
        assert!(ids.iter().all(|id| seen.contains(id)));
        let found = owner.get("/api/v1/members?q=SOMEB").await.ok(200);
        assert_eq!(found["items"].as_array().unwrap().len(), 3);
        assert_eq!(owner.get("/api/v1/members?status=suspended").await.ok(200)["items"], json!([]));
        let owners = owner.get("/api/v1/members?role=owner").await.ok(200);
        assert_eq!(owners["items"].as_array().unwrap().len(), 1);
        assert_eq!(owners["items"][0]["roles"], json!(["operator", "owner"]));
        assert_eq!(owner.get("/api/v1/members?role=never-was").await.ok(200)["items"], json!([]));
        owner.get("/api/v1/members?cursor=forged").await.refused(400, "invalid_cursor");
        server.finish().await;
    }
}
