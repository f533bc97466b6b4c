//! Giving and taking: nobody gives what they do not hold, and an organization keeps an owner.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use web::PrincipalId;

use crate::support::{Caller, TestServer};

/// The id of the grant of `role` to `principal`.
async fn grant_of(owner: &Caller, principal: &str, role: &str) -> String {
    let list = owner.get(&format!("/api/v1/grants?principal={principal}&role={role}")).await.ok(200);
    list["items"][0]["id"].as_str().expect("a grant").to_owned()
}

async fn me(caller: &Caller) -> String {
    caller.get("/api/v1/auth/me").await.ok(200)["principal"]["id"].as_str().expect("an id").to_owned()
}

testing::on_both_databases! {
    async fn roles_and_permissions_are_given_to_people_agents_and_groups(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        let (person, caller) = server.person(home, &[]).await;
        let group = server.group(home, &[PrincipalId::User(person.id)]).await;
        let agent = owner.post("/api/v1/agents", json!({ "name": "helper" })).await.ok(201);
        let agent = agent["id"].as_str().unwrap();

        let to_group = json!({ "principal": group, "role": "viewer" });
        let given = owner.post("/api/v1/grants", to_group.clone()).await.ok(201);
        assert_eq!((&given["principal_kind"], &given["role"]), (&json!("group"), &json!("viewer")));
        owner.post("/api/v1/grants", to_group).await.refused(409, "already_exists");
        caller.get("/api/v1/functions").await.ok(200);

        let to_agent = json!({ "principal": agent, "permission": "agents:read:all" });
        owner.post("/api/v1/grants", to_agent).await.ok(201);
        // The agent itself says so: there is one place where its rights stand.
        let shown = owner.get(&format!("/api/v1/agents/{agent}")).await.ok(200);
        assert_eq!(shown["permissions"], json!(["agents:read:all"]));

        let id = given["id"].as_str().unwrap();
        assert_eq!(owner.get(&format!("/api/v1/grants/{id}")).await.ok(200), given);
        owner.delete(&format!("/api/v1/grants/{id}")).await.ok(200);
        caller.get("/api/v1/functions").await.refused(403, "permission_denied");
        owner.delete(&format!("/api/v1/grants/{id}")).await.refused(404, "not_found");
        server.finish().await;
    }

    async fn bad_grants_are_refused(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let mine = me(&owner).await;
        let stranger = server.stranger().await;
        let theirs = me(&stranger).await;
        let tamper = server.database.tamper().await;
        let before = tamper.number("SELECT count(*) FROM grants").await;
        let world = &server.house().world;
        for body in [
            json!({ "principal": mine }),
            json!({ "principal": mine, "role": "viewer", "permission": "agents:read" }),
            json!({ "principal": mine, "role": "nothing" }),
            json!({ "principal": mine, "permission": "titan.courses:read" }),
            json!({ "principal": "somebody", "role": "viewer" }),
            json!({ "principal": theirs, "role": "viewer" }),
            json!({ "principal": world.id::<types::AgentId>(), "role": "viewer" }),
            json!({ "principal": world.id::<types::GroupId>(), "role": "viewer" }),
        ] {
            owner.post("/api/v1/grants", body).await.refused(422, "validation_failed");
        }
        let grant = grant_of(&owner, &mine, "owner").await;
        stranger.get(&format!("/api/v1/grants/{grant}")).await.refused(404, "not_found");
        stranger.delete(&format!("/api/v1/grants/{grant}")).await.refused(404, "not_found");
        assert_eq!(tamper.number("SELECT count(*) FROM grants").await, before);
        server.finish().await;
    }

    async fn nobody_gives_what_they_do_not_hold(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        // Runs roles, and holds the rest of `viewer`; no agents beyond reading.
        let (keeper, caller) = server.person(home, &["viewer"]).await;
        server.grant(home, PrincipalId::User(keeper.id), "roles:*:all").await;
        let (friend, _) = server.person(home, &[]).await;
        let give = |body: Value| {
            let caller = caller.clone();
            async move { caller.post("/api/v1/grants", body).await }
        };
        give(json!({ "principal": friend.id, "role": "viewer" })).await.ok(201);
        for (field, value) in [
            ("role", "owner"),
            ("role", "operator"),
            ("role", "member"),
            ("permission", "agents:create:own"),
            ("permission", "*:*:all"),
            ("permission", "system:audit:all"),
        ] {
            let body = json!({ "principal": friend.id, field: value });
            give(body).await.refused(403, "authority_exceeded");
        }
        // To oneself neither.
        give(json!({ "principal": keeper.id, "role": "owner" })).await.refused(403, "authority_exceeded");
        // Nor by a role of one's own, made or changed.
        let wide = json!({ "name": "mine", "permissions": ["agents:create:own"] });
        caller.post("/api/v1/roles", wide).await.refused(403, "authority_exceeded");
        caller.post("/api/v1/roles", json!({ "name": "mine", "permissions": ["agents:read:all"] })).await.ok(201);
        give(json!({ "principal": keeper.id, "role": "mine" })).await.ok(201);
        let widened = json!({ "permissions": ["agents:read:all", "agents:create:own"] });
        caller.patch("/api/v1/roles/mine", widened.clone()).await.refused(403, "authority_exceeded");
        owner.patch("/api/v1/roles/mine", widened).await.ok(200);
        // Nor narrowing what one does not hold: others hold the role.
        owner.post("/api/v1/roles", json!({ "name": "theirs", "permissions": ["orgs:delete:all"] })).await.ok(201);
        caller.patch("/api/v1/roles/theirs", json!({ "permissions": [] })).await.refused(403, "authority_exceeded");
        // Nor to a group: its members would hold it.
        let group = server.group(home, &[PrincipalId::User(keeper.id)]).await;
        give(json!({ "principal": group, "permission": "orgs:delete:all" })).await.refused(403, "authority_exceeded");
        // Nor may one take from others what one does not hold; giving up one's own is free.
        let mighty = grant_of(&owner, &me(&owner).await, "owner").await;
        caller.delete(&format!("/api/v1/grants/{mighty}")).await.refused(403, "authority_exceeded");
        let own = grant_of(&owner, &keeper.id.to_string(), "viewer").await;
        caller.delete(&format!("/api/v1/grants/{own}")).await.ok(200);
        server.finish().await;
    }

    async fn an_owner_cannot_make_operators(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let home = server.home().await;
        let (_, second) = server.person(home, &["owner"]).await;
        let (friend, _) = server.person(home, &[]).await;
        for body in [
            json!({ "principal": friend.id, "role": "operator" }),
            json!({ "principal": friend.id, "permission": "system:audit:all" }),
        ] {
            second.post("/api/v1/grants", body).await.refused(403, "authority_exceeded");
        }
        // `*` opens no door of the instance.
        let check = json!({ "permissions": ["system:audit", "agents:create"], "logic": "all" });
        let answer = second.post("/api/v1/permissions/check", check).await.ok(200);
        assert_eq!(answer["results"][0]["allowed"], false);
        assert_eq!(answer["results"][1]["allowed"], true);
        server.finish().await;
    }

    async fn granting_needs_a_fresh_confirmation_or_the_right_by_name(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        let (friend, _) = server.person(home, &[]).await;
        let body = json!({ "principal": friend.id, "role": "viewer" });
        // An agent with a wildcard may do everything but this; one that names it may.
        let all = server.agent(&owner, "broad", &["*:*:all"]).await;
        let named = server.agent(&owner, "named", &["roles:grant:all", "agents:read:all"]).await;
        server.as_agent(&all).await.post("/api/v1/grants", body.clone()).await.refused(403, "step_up_required");
        let reading = json!({ "principal": friend.id, "permission": "agents:read:all" });
        server.as_agent(&named).await.post("/api/v1/grants", reading).await.ok(201);
        let role = json!({ "name": "mine", "permissions": ["agents:read:all"] });
        owner.post("/api/v1/roles", role).await.ok(201);
        // A person's sign-in counts as confirmation for five minutes.
        owner.post("/api/v1/grants", body.clone()).await.ok(201);
        server.clock.advance(std::time::Duration::from_secs(301));
        let again = json!({ "principal": friend.id, "role": "auditor" });
        owner.post("/api/v1/grants", again).await.refused(403, "step_up_required");
        let change = json!({ "permissions": ["orgs:read:all"] });
        owner.patch("/api/v1/roles/mine", change).await.refused(403, "step_up_required");
        server.finish().await;
    }

    async fn an_owner_gives_every_role_and_right_by_token_as_by_cookie(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let (home, owner) = (server.home().await, server.owner_tokens().await.1);
        for role in access::BUILT_IN {
            let (friend, _) = server.person(home, &[]).await;
            let body = json!({ "principal": friend.id, "role": role.name });
            owner.post("/api/v1/grants", body).await.ok(201);
        }
        let (friend, _) = server.person(home, &[]).await;
        for permission in ["agents:*:all", "api_keys:manage:all", "functions/ops/*:execute:all", "*:*:all"] {
            let body = json!({ "principal": friend.id, "permission": permission });
            owner.post("/api/v1/grants", body).await.ok(201);
        }
        let small = server.as_agent(&server.agent(&owner, "small", &["roles:grant:all"]).await).await;
        let body = json!({ "principal": friend.id, "role": "owner" });
        small.post("/api/v1/grants", body).await.refused(403, "authority_exceeded");
        server.finish().await;
    }

    async fn a_hundred_who_leave_at_once_leave_one_owner(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        let mut grants = vec![grant_of(&owner, &me(&owner).await, "owner").await];
        for _ in 0..9 {
            let (person, _) = server.person(home, &["owner"]).await;
            grants.push(grant_of(&owner, &person.id.to_string(), "owner").await);
        }
        // Somebody who can take, and is no owner.
        let (taker, caller) = server.person(home, &[]).await;
        server.grant(home, PrincipalId::User(taker.id), "*:*:all").await;
        let racers: Vec<_> = (0..100)
            .map(|number| {
                let (caller, grant) = (caller.clone(), grants[number % 10].clone());
                telemetry::spawn("test", async move {
                    let answer = caller.delete(&format!("/api/v1/grants/{grant}")).await;
                    let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
                    (answer.status.as_u16(), code)
                })
            })
            .collect();
        let mut counts: BTreeMap<(u16, String), usize> = BTreeMap::new();
        for racer in racers {
            *counts.entry(racer.await.unwrap()).or_default() += 1;
        }
        let tamper = server.database.tamper().await;
        let left = tamper.number("SELECT count(*) FROM grants WHERE role = 'owner'").await;
        assert!(left >= 1, "an owner is left: {counts:?}");
        let taken = counts.get(&(200, String::new())).copied().unwrap_or_default();
        assert_eq!(i64::try_from(10 - taken).unwrap(), left, "{counts:?}");
        let known = |(status, code): &(u16, String)| {
            matches!((status, code.as_str()), (200, "") | (404, "not_found") | (409, "last_owner" | "conflict"))
        };
        assert!(counts.keys().all(known), "{counts:?}");
        // Once everybody has given up, the last one still cannot go.
        let mut refused = 0;
        for grant in &grants {
            let answer = caller.delete(&format!("/api/v1/grants/{grant}")).await;
            refused += usize::from(answer.status == 409);
        }
        assert_eq!(refused, 1);
        assert_eq!(tamper.number("SELECT count(*) FROM grants WHERE role = 'owner'").await, 1);
        server.finish().await;
    }

    async fn a_role_that_is_deleted_is_held_by_nobody(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        for round in 0..3 {
            let role = format!("round-{round}");
            owner.post("/api/v1/roles", json!({ "name": role, "permissions": ["agents:read:all"] })).await.ok(201);
            let mut holders = Vec::new();
            for _ in 0..10 {
                holders.push(server.group(home, &[]).await);
            }
            let racers: Vec<_> = (0..20)
                .map(|number| {
                    let (owner, role) = (owner.clone(), role.clone());
                    let holder = holders[number % 10];
                    telemetry::spawn("test", async move {
                        if number % 7 == 3 {
                            owner.delete(&format!("/api/v1/roles/{role}")).await.status.as_u16()
                        } else {
                            let body = json!({ "principal": holder, "role": role });
                            owner.post("/api/v1/grants", body).await.status.as_u16()
                        }
                    })
                })
                .collect();
            for racer in racers {
                let status = racer.await.unwrap();
                assert!(matches!(status, 200 | 201 | 404 | 409 | 422), "{status}");
            }
            let tamper = server.database.tamper().await;
            let orphans = "SELECT count(*) FROM grants WHERE role LIKE 'round-%' AND role NOT IN (SELECT name FROM roles)";
            assert_eq!(tamper.number(orphans).await, 0);
        }
        server.finish().await;
    }

    async fn lists_show_ones_own_and_ones_groups(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        let (person, caller) = server.person(home, &[]).await;
        let (other, _) = server.person(home, &["viewer"]).await;
        let myself = PrincipalId::User(person.id);
        let (mine, foreign) = (server.group(home, &[myself]).await, server.group(home, &[]).await);
        server.grant(home, mine, "agents:read:all").await;
        server.grant(home, foreign, "agents:read:all").await;
        server.grant(home, myself, "roles:read:group").await;
        let seen = caller.get("/api/v1/grants?count=true").await.ok(200);
        let holders: Vec<&Value> = seen["items"].as_array().unwrap().iter().map(|one| &one["principal"]).collect();
        assert_eq!(holders, [&json!(person.id), &json!(mine)]);
        assert_eq!(seen["total"], 2, "what is not seen is not counted");
        // Nor found by a filter, nor reached by paging.
        let theirs = format!("/api/v1/grants?principal={}&count=true", other.id);
        assert_eq!(caller.get(&theirs).await.ok(200)["total"], 0);
        let first = caller.get("/api/v1/grants?limit=1").await.ok(200);
        let next = first["next_cursor"].as_str().unwrap();
        let second = caller.get(&format!("/api/v1/grants?limit=1&cursor={next}")).await.ok(200);
        assert_eq!((&second["items"][0]["principal"], &second["next_cursor"]), (&json!(mine), &Value::Null));
        // The same as for single ones.
        let hidden = grant_of(&owner, &other.id.to_string(), "viewer").await;
        caller.get(&format!("/api/v1/grants/{hidden}")).await.refused(404, "not_found");
        server.leave(home, mine, myself).await;
        assert_eq!(caller.get("/api/v1/grants?count=true").await.ok(200)["total"], 1);
        server.finish().await;
    }
}
