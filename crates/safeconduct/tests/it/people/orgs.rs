//! Organizations: founded by operators, seen by their members, let go with a grace.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::support::TestServer;

const DAY: Duration = Duration::from_secs(24 * 3600);

testing::on_both_databases! {
    async fn operators_found_organizations_and_slugs_are_given_once(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let operator = server.owner().await;
        let stranger = server.stranger().await;
        let body = json!({ "slug": "acme", "name": "Acme", "billing_email": "Bills@Acme.Example" });
        let denied = stranger.post("/api/v1/orgs", body.clone()).await.refused(403, "permission_denied");
        assert_eq!(denied["permission"], "system:orgs");
        let acme = operator.post("/api/v1/orgs", body.clone()).await.ok(201);
        assert_eq!((&acme["slug"], &acme["status"], &acme["home"]), (&json!("acme"), &json!("active"), &json!(false)));
        assert_eq!(acme["billing_email"], "bills@acme.example");
        operator.post("/api/v1/orgs", body).await.refused(409, "already_exists");
        let nobody = json!({ "slug": "other", "name": "Other", "owner": "usr_01h455vb4pex5vsknk084sn02q" });
        let unknown = operator.post("/api/v1/orgs", nobody).await.refused(422, "validation_failed");
        assert_eq!(unknown["errors"][0]["field"], "/owner");
        for slug in ["Acme", "a", "-acme", "acme-", "a b"] {
            let body = json!({ "slug": slug, "name": "Acme" });
            operator.post("/api/v1/orgs", body).await.refused(422, "validation_failed");
        }
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM orgs WHERE slug = 'acme'").await, 1);
        assert_eq!(tamper.number("SELECT count(*) FROM orgs").await, 3);
        // Told in the new ledger and in the operator's.
        assert_eq!(tamper.number("SELECT count(*) FROM facts WHERE kind = 'org.created' AND actor_kind = 'user'").await, 2);
        server.finish().await;
    }

    async fn one_slug_goes_to_one_of_a_hundred(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let operator = server.owner().await;
        let racers: Vec<_> = (0..100)
            .map(|_| {
                let operator = operator.clone();
                telemetry::spawn("test", async move {
                    operator.post("/api/v1/orgs", json!({ "slug": "wanted", "name": "Wanted" })).await.status.as_u16()
                })
            })
            .collect();
        let mut counts = BTreeMap::new();
        for racer in racers {
            *counts.entry(racer.await.unwrap()).or_insert(0) += 1;
        }
        assert_eq!(counts, BTreeMap::from([(201, 1), (409, 99)]));
        server.finish().await;
    }

    async fn everybody_lists_what_is_theirs_to_see(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let operator = server.owner().await;
        let stranger = server.stranger().await;
        operator.post("/api/v1/orgs", json!({ "slug": "acme", "name": "Acme" })).await.ok(201);
        let slugs = |answer: serde_json::Value| -> Vec<String> {
            let items = answer["items"].as_array().unwrap().clone();
            items.iter().map(|org| org["slug"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(slugs(operator.get("/api/v1/orgs").await.ok(200)), ["home", "elsewhere", "acme"]);
        assert_eq!(slugs(stranger.get("/api/v1/orgs").await.ok(200)), ["elsewhere"]);
        assert_eq!(slugs(operator.get("/api/v1/orgs?mine=true").await.ok(200)), ["home", "acme"]);
        assert_eq!(slugs(stranger.get("/api/v1/orgs?mine=true").await.ok(200)), ["elsewhere"]);
        assert_eq!(slugs(operator.get("/api/v1/orgs?q=ACM").await.ok(200)), ["acme"]);
        assert_eq!(slugs(operator.get("/api/v1/orgs?status=leaving").await.ok(200)), Vec::<String>::new());
        let first = operator.get("/api/v1/orgs?limit=1").await.ok(200);
        let cursor = first["next_cursor"].as_str().unwrap();
        assert_eq!(slugs(operator.get(&format!("/api/v1/orgs?limit=1&cursor={cursor}")).await.ok(200)), ["elsewhere"]);
        // A person who is a member but no operator sees both of its organizations; an agent sees its own.
        let acme = operator.get("/api/v1/orgs/acme").await.ok(200);
        let (person, member) = server.person(server.home().await, &["member"]).await;
        let body = json!({ "slug": "second", "name": "Second", "owner": person.id });
        operator.post("/api/v1/orgs", body).await.ok(201);
        assert_eq!(slugs(member.get("/api/v1/orgs").await.ok(200)), ["home", "second"]);
        let agent = server.agent(&operator, "lister", &["orgs:read:all"]).await;
        let agent = server.as_agent(&agent).await;
        assert_eq!(slugs(agent.get("/api/v1/orgs").await.ok(200)), ["home"]);
        // What one may not stand in does not exist.
        let id = acme["id"].as_str().unwrap();
        stranger.get("/api/v1/orgs/acme").await.refused(404, "not_found");
        stranger.get(&format!("/api/v1/orgs/{id}")).await.refused(404, "not_found");
        member.get("/api/v1/orgs/second").await.refused(404, "not_found");
        stranger.get("/api/v1/orgs/never-was").await.refused(404, "not_found");
        stranger.patch("/api/v1/orgs/acme", json!({ "name": "Mine" })).await.refused(404, "not_found");
        server.finish().await;
    }

    async fn a_maximum_age_ends_what_is_made_from_then_on(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let agent = owner.post("/api/v1/agents", json!({ "name": "worker", "deployment_env": "staging" })).await.ok(201);
        let path = format!("/api/v1/agents/{}/credentials", agent["id"].as_str().unwrap());
        let body = json!({ "kind": "secret", "label": "before" });
        let before = owner.post(&path, body.clone()).await.ok(201);
        assert_eq!(before["expires_at"], json!(null));
        let ages = json!({ "staging": { "credentials": 7200, "keys": 3600 }, "development": { "keys": 10_800 } });
        owner.patch("/api/v1/orgs/home", json!({ "settings": { "maximum_age_seconds": ages } })).await.ok(200);
        let lives = |made: &serde_json::Value| {
            let time = |name: &str| made[name].as_str().expect(name).parse::<types::Timestamp>().unwrap();
            time("expires_at").since(time("created_at")).as_secs()
        };
        assert_eq!(lives(&owner.post(&path, body).await.ok(201)), 7200);
        let renewed = format!("{path}/{}/rotate", before["id"].as_str().unwrap());
        assert_eq!(lives(&owner.post(&renewed, json!({})).await.ok(201)), 7200, "a rotation is new, too");
        let at = |seconds| server.house().world.now().plus(Duration::from_secs(seconds)).to_string();
        let later = json!({ "kind": "secret", "label": "late", "expires_at": at(7300) });
        let refused = owner.post(&path, later).await.refused(422, "validation_failed");
        assert_eq!(refused["errors"][0]["field"], "/expires_at");
        let sooner = json!({ "kind": "secret", "label": "soon", "expires_at": at(60) });
        owner.post(&path, sooner).await.ok(201);
        let key = |end: Option<String>, of: serde_json::Value| json!({
            "name": "key", "permissions": ["agents:read"], "expires_at": end, "owner": of });
        for (of, longest) in [(json!(null), 10_800), (agent["id"].clone(), 3600)] {
            if !of.is_null() {
                let grant = json!({ "principal": of, "permission": "agents:read" });
                owner.post("/api/v1/grants", grant).await.ok(201);
            }
            assert_eq!(lives(&owner.post("/api/v1/api-keys", key(None, of.clone())).await.ok(201)), longest);
            let late = key(Some(at(longest + 60)), of);
            owner.post("/api/v1/api-keys", late).await.refused(422, "validation_failed");
        }
        server.finish().await;
    }

    async fn settings_are_merged_and_held_to_their_form(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let patch = json!({ "settings": {
            "time_zone": "Europe/Zurich",
            "new_agents_need_approval": true,
            "maximum_age_seconds": { "production": { "credentials": 7_776_000 } },
            "notification_addresses": ["Ops@Example.com"],
        }});
        let changed = owner.patch("/api/v1/orgs/home", patch).await.ok(200);
        assert_eq!(changed["settings"]["time_zone"], "Europe/Zurich");
        assert_eq!(changed["settings"]["notification_addresses"], json!(["ops@example.com"]));
        assert_eq!(changed["revision"], 2);
        let patch = json!({ "name": "Headquarters", "settings": { "time_zone": null,
            "maximum_age_seconds": { "production": { "keys": 86_400 } } } });
        let stale = owner.with("if-match", "\"1\"").patch("/api/v1/orgs/home", patch.clone()).await;
        stale.refused(412, "stale_revision");
        let changed = owner.with("if-match", "\"2\"").patch("/api/v1/orgs/home", patch).await.ok(200);
        assert_eq!(changed["name"], "Headquarters");
        assert_eq!(changed["settings"]["time_zone"], json!(null));
        assert_eq!(changed["settings"]["new_agents_need_approval"], true);
        let production = &changed["settings"]["maximum_age_seconds"]["production"];
        assert_eq!((&production["credentials"], &production["keys"]), (&json!(7_776_000), &json!(86_400)));
        for wrong in [
            json!({ "settings": { "time_zone": "not a zone" } }),
            json!({ "settings": { "session_lifetime_seconds": 1 } }),
            json!({ "settings": { "unknown": true } }),
            json!({ "settings": { "notification_addresses": ["nobody"] } }),
            json!({ "settings": { "maximum_age_seconds": { "production": { "credentials": 1 } } } }),
            json!({ "slug": "other" }),
            json!({ "name": "" }),
        ] {
            owner.patch("/api/v1/orgs/home", wrong.clone()).await.refused(422, "validation_failed");
        }
        assert_eq!(owner.get("/api/v1/org").await.ok(200), changed);
        server.finish().await;
    }

    async fn the_way_out_has_a_grace(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let operator = server.owner().await;
        operator.send(reqwest::Method::DELETE, "/api/v1/orgs/home", Some(json!({ "slug": "home" }).to_string()))
            .await
            .refused(409, "home_organization");
        let org = server.house().people.found_org(&"leaving".parse().unwrap(), "Leaving").await.unwrap();
        let (_, owner) = server.person(org.id, &["owner"]).await;
        let delete = async |typed: &str| {
            let body = json!({ "slug": typed }).to_string();
            owner.send(reqwest::Method::DELETE, "/api/v1/orgs/leaving", Some(body)).await
        };
        owner.post("/api/v1/agents", json!({ "name": "worker" })).await.ok(201);
        delete("leavin").await.refused(422, "validation_failed");
        assert_eq!(delete("leaving").await.refused(409, "active_agents")["agents"], 1);
        owner.post("/api/v1/agents/default:worker/suspend", json!({})).await.ok(200);
        let gone = delete("leaving").await.ok(200);
        assert_eq!(gone["status"], "leaving");
        assert!(gone["erase_after"].is_string());
        delete("leaving").await.refused(409, "organization_leaving");
        // It can be read, but nothing begins to act in it.
        owner.get("/api/v1/agents").await.ok(200);
        owner.post("/api/v1/agents", json!({ "name": "late" })).await.refused(409, "organization_leaving");
        let reactivate = "/api/v1/agents/default:worker/reactivate";
        owner.post(reactivate, json!({})).await.refused(409, "organization_leaving");
        server.stranger().await.post("/api/v1/orgs/leaving/restore", json!({})).await.refused(404, "not_found");
        let back = owner.post("/api/v1/orgs/leaving/restore", json!({})).await.ok(200);
        assert_eq!((&back["status"], &back["erase_after"]), (&json!("active"), &json!(null)));
        owner.post("/api/v1/orgs/leaving/restore", json!({})).await.refused(409, "organization_active");
        owner.post(reactivate, json!({})).await.ok(200);
        server.clock.advance(31 * DAY);
        server.house().people.erase_left().await;
        server.house().people.erase_left().await;
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM orgs WHERE slug = 'leaving'").await, 1);
        server.finish().await;
    }

    async fn no_agent_becomes_active_in_an_organization_that_leaves(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let org = server.house().people.found_org(&"racing".parse().unwrap(), "Racing").await.unwrap();
        let (_, owner) = server.person(org.id, &["owner"]).await;
        let racers: Vec<_> = (0..100)
            .map(|number| {
                let owner = owner.clone();
                telemetry::spawn("test", async move {
                    if number % 10 == 5 {
                        let body = json!({ "slug": "racing" }).to_string();
                        owner.send(reqwest::Method::DELETE, "/api/v1/orgs/racing", Some(body)).await.status.as_u16()
                    } else {
                        let body = json!({ "name": format!("racer-{number}") });
                        owner.post("/api/v1/agents", body).await.status.as_u16()
                    }
                })
            })
            .collect();
        for racer in racers {
            let status = racer.await.unwrap();
            assert!(matches!(status, 200 | 201 | 409), "{status}");
        }
        let tamper = server.database.tamper().await;
        let leaving = tamper.number("SELECT count(*) FROM orgs WHERE slug = 'racing' AND status = 'leaving'").await;
        let active = tamper.number("SELECT count(*) FROM agents WHERE status = 'active'").await;
        assert!(leaving == 0 || active == 0, "{active} agents are active in an organization that leaves");
        server.finish().await;
    }

    async fn a_first_sign_in_makes_one_personal_organization(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let people = server.house().people.clone();
        let home = server.home().await;
        let person = people.enrol(home, "Ada Lovelace", Some("ada@example.com"), &[]).await.unwrap();
        assert_eq!(people.organization_for(&person).await.unwrap(), home, "who belongs somewhere goes there");
        let mut made = Vec::new();
        let racers: Vec<_> = (0..20)
            .map(|_| {
                let (people, person) = (people.clone(), person.clone());
                telemetry::spawn("test", async move { people.personal_org(&person).await.unwrap() })
            })
            .collect();
        for racer in racers {
            made.push(racer.await.unwrap());
        }
        assert!(made.iter().all(|org| org.id == made[0].id));
        assert_eq!((made[0].slug.as_str(), made[0].personal_of), ("ada", Some(person.id)));
        let other = people.enrol(home, "Ada", Some("ada@elsewhere.example"), &[]).await.unwrap();
        let second = people.personal_org(&other).await.unwrap();
        assert!(second.slug.starts_with("ada-"), "{}", second.slug);
        server.finish().await;
    }
}

#[tokio::test]
async fn an_organizations_sessions_end_when_it_says() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let patch = json!({ "settings": { "session_lifetime_seconds": 3600 } });
    owner.patch("/api/v1/orgs/home", patch).await.ok(200);
    let (_, member) = server.person(server.home().await, &["member"]).await;
    server.clock.advance(Duration::from_secs(3500));
    member.get("/api/v1/auth/me").await.ok(200);
    server.clock.advance(Duration::from_secs(200));
    member.get("/api/v1/auth/me").await.refused(401, "unauthenticated");
    // Sessions that began before live as long as they were promised.
    owner.get("/api/v1/auth/me").await.ok(200);
    server.finish().await;
}
