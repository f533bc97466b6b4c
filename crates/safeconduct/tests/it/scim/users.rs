//! Users: brought in inside proved domains, changed, stopped and let in again, removed.

use serde_json::{Value, json};

use super::{AGENT, GROUP, Setting, USER, id, patch, path, refused, user};
use crate::support::Caller;

testing::on_both_databases! {
    async fn a_user_comes_changes_and_goes(database: TestDatabase) {
        let setting = Setting::of(database).await;
        let directory = &setting.directory;
        let answer = directory.post("/scim/v2/Users", user("ada")).await;
        let ada = answer.ok(201);
        assert_eq!(answer.header("content-type"), "application/scim+json");
        assert_eq!(answer.header("location"), ada["meta"]["location"]);
        assert_eq!(answer.header("etag"), ada["meta"]["version"]);
        assert_eq!(ada["userName"], "ada@proved.example");
        assert_eq!((&ada["displayName"], &ada["active"]), (&json!("ada Example"), &json!(true)));
        assert_eq!(ada["emails"], json!([{ "value": "ada@proved.example", "type": "work", "primary": true }]));
        assert!(ada.get("roles").is_none() && ada.get("groups").is_none());
        // The same person as our own API knows it.
        let member = setting.owner.get(&format!("/api/v1/members/{}", id(&ada))).await.ok(200);
        assert_eq!((&member["email"], &member["status"]), (&json!("ada@proved.example"), &json!("active")));
        refused(&directory.post("/scim/v2/Users", user("ada")).await, 409, Some("uniqueness"), "already_exists");
        let mut other = user("other");
        other["externalId"] = json!("00u-ada");
        refused(&directory.post("/scim/v2/Users", other.clone()).await, 409, Some("uniqueness"), "already_exists");
        other["externalId"] = json!("00u-other");
        other["userName"] = json!("ADA@proved.example");
        refused(&directory.post("/scim/v2/Users", other).await, 409, Some("uniqueness"), "already_exists");
        // Sent whole: what is left out goes, but for what must be there.
        let whole = json!({
            "schemas": [USER], "id": "ignored", "userName": "countess", "displayName": "Ada, Countess of Lovelace",
            "locale": "en-GB", "title": "Countess", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": "x" },
        });
        let after = directory.send(reqwest::Method::PUT, &path(&ada), Some(whole.to_string())).await.ok(200);
        assert_eq!((&after["userName"], &after["locale"]), (&json!("countess"), &json!("en-GB")));
        assert_eq!(after["displayName"], "Ada, Countess of Lovelace");
        assert_eq!((after.get("externalId"), after.get("name")), (None, None));
        assert_eq!(after["emails"], ada["emails"]);
        assert_ne!(after["meta"]["version"], ada["meta"]["version"]);
        // Sent again: nothing is changed and nothing recorded.
        let told = setting.count("member.updated").await;
        let again = directory.send(reqwest::Method::PUT, &path(&ada), Some(whole.to_string())).await.ok(200);
        assert_eq!((again, setting.count("member.updated").await), (after, told));
        let answer = directory.delete(&path(&ada)).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
        refused(&directory.get(&path(&ada)).await, 404, None, "not_found");
        refused(&directory.delete(&path(&ada)).await, 404, None, "not_found");
        // The person is known and comes again.
        let again = setting.user("ada").await;
        assert_eq!(id(&again), id(&ada));
        assert_eq!(setting.count("member.joined").await, 1);
        setting.server.finish().await;
    }

    async fn nobody_outside_the_proved_domains_is_created_or_changed(database: TestDatabase) {
        let setting = Setting::of(database).await;
        let (server, directory) = (&setting.server, &setting.directory);
        let mut foreign = user("mallory");
        foreign["emails"][0]["value"] = json!("mallory@elsewhere.example");
        refused(&directory.post("/scim/v2/Users", foreign.clone()).await, 403, None, "outside_domains");
        foreign["emails"] = json!([]);
        foreign["userName"] = json!("mallory");
        refused(&directory.post("/scim/v2/Users", foreign).await, 400, Some("invalidValue"), "invalid_value");
        // A member from outside: its membership is the organization's, the person is not.
        let home = server.home().await;
        let guest = server.house().people.enrol(home, "Guest", Some("guest@elsewhere.example"), &[]).await.unwrap();
        let place = format!("/scim/v2/Users/{}", guest.id);
        let change = |operation: Value| patch(json!([operation]));
        for (attribute, value) in [("displayName", json!("Changed")), ("locale", json!("de"))] {
            let operation = change(json!({ "op": "replace", "path": attribute, "value": value }));
            refused(&directory.patch(&place, operation).await, 403, None, "outside_domains");
        }
        let operation = change(json!({ "op": "replace", "path": "emails", "value": [{ "value": "guest@proved.example" }] }));
        refused(&directory.patch(&place, operation).await, 403, None, "outside_domains");
        let operation = change(json!({ "op": "add", "value": { "externalId": "g-1", "userName": "guest" } }));
        let after = directory.patch(&place, operation).await.ok(200);
        assert_eq!((&after["externalId"], &after["userName"], &after["displayName"]), (&json!("g-1"), &json!("guest"), &json!("Guest")));
        // And nobody inside is moved out.
        let ada = setting.user("ada").await;
        let operation = change(json!({ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "ada@elsewhere.example" }));
        refused(&directory.patch(&path(&ada), operation).await, 403, None, "outside_domains");
        let operation = change(json!({ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "lovelace@proved.example" }));
        let after = directory.patch(&path(&ada), operation).await.ok(200);
        assert_eq!(after["emails"][0]["value"], "lovelace@proved.example");
        setting.server.finish().await;
    }

    async fn a_member_from_outside_is_stopped_here_and_nowhere_else(database: TestDatabase) {
        let setting = Setting::of(database).await;
        let (server, directory) = (&setting.server, &setting.directory);
        let (home, elsewhere) = (server.home().await, server.elsewhere().await);
        let (guest, here) = server.person(home, &["member"]).await;
        let here_by_token = server.by_token(home, &guest).await;
        let key = here.post("/api/v1/api-keys", json!({ "name": "k", "permissions": ["agents:read"] })).await.ok(201);
        let by_key = Caller { bearer: key["api_key"].as_str().map(str::to_owned), ..server.anonymous() };
        // The same person elsewhere.
        let house = server.house();
        let tamper = server.database.tamper().await;
        let people = &house.people;
        let token = {
            let owner = server.person(elsewhere, &["owner"]).await.1;
            let invitation = json!({ "email": "guest@example.com", "roles": ["member"] });
            let made = owner.post("/api/v1/invitations", invitation).await.ok(201);
            made["link"].as_str().unwrap().split_once('#').unwrap().1.to_owned()
        };
        here.post("/api/v1/invitations/accept", json!({ "token": token })).await.ok(200);
        let contact = web::Contact::default();
        let started = people.sign_in(elsewhere, &guest, people::SessionKind::Browser, "test", &contact).await.unwrap();
        let there = Caller { cookie: Some(format!("safeconduct_dev={}", started.secret.reveal())), ..server.anonymous() };
        for caller in [&here, &here_by_token, &by_key, &there] {
            caller.get("/api/v1/agents").await.ok(200);
        }
        let place = format!("/scim/v2/Users/{}", guest.id);
        let stop = patch(json!([{ "op": "replace", "path": "active", "value": false }]));
        // Who does not hold what the member holds does not stop it.
        refused(&directory.patch(&place, stop.clone()).await, 403, None, "authority_exceeded");
        let strong = setting.holding("strong", &["member"]).await;
        let stopped = strong.patch(&place, stop).await.ok(200);
        assert_eq!(stopped["active"], false);
        here.get("/api/v1/agents").await.refused(401, "unauthenticated");
        here_by_token.get("/api/v1/agents").await.refused(401, "invalid_token");
        by_key.get("/api/v1/agents").await.refused(401, "invalid_api_key");
        there.get("/api/v1/agents").await.ok(200);
        assert!(people.sign_in(home, &guest, people::SessionKind::Browser, "test", &contact).await.is_err());
        there.post("/api/v1/auth/switch", json!({ "org": "home" })).await.refused(404, "not_found");
        let member = setting.owner.get(&format!("/api/v1/members/{}", guest.id)).await.ok(200);
        assert_eq!((&member["status"], &member["roles"]), (&json!("suspended"), &json!(["member"])));
        assert_eq!(tamper.number("SELECT count(*) FROM users WHERE status = 'suspended'").await, 0);
        assert_eq!((setting.count("member.suspended").await, setting.count("user.suspended").await), (1, 0));
        // And let in again, with what it had; sessions stay ended.
        let start = patch(json!([{ "op": "Replace", "value": { "active": "True" } }]));
        refused(&directory.patch(&place, start.clone()).await, 403, None, "authority_exceeded");
        assert_eq!(strong.patch(&place, start).await.ok(200)["active"], true);
        here.get("/api/v1/agents").await.refused(401, "unauthenticated");
        by_key.get("/api/v1/agents").await.ok(200);
        people.sign_in(home, &guest, people::SessionKind::Browser, "test", &contact).await.unwrap();
        setting.server.finish().await;
    }

    async fn a_user_inside_a_proved_domain_is_stopped_everywhere(database: TestDatabase) {
        let setting = Setting::of(database).await;
        let (server, directory) = (&setting.server, &setting.directory);
        let ada = setting.user("ada").await;
        let home = server.home().await;
        let person = server.house().people.member(home, id(&ada).parse().unwrap()).await.unwrap().unwrap();
        let token = server.by_token(home, &person).await;
        token.get("/api/v1/auth/me").await.ok(200);
        let stop = patch(json!([{ "op": "replace", "value": { "active": false } }]));
        assert_eq!(directory.patch(&path(&ada), stop).await.ok(200)["active"], false);
        token.get("/api/v1/auth/me").await.refused(401, "invalid_token");
        assert_eq!((setting.count("user.suspended").await, setting.count("member.suspended").await), (1, 0));
        let start = patch(json!([{ "op": "replace", "path": "active", "value": true }]));
        assert_eq!(directory.patch(&path(&ada), start.clone()).await.ok(200)["active"], true);
        // What an operator stopped, the directory does not start.
        setting.owner.post(&format!("/api/v1/system/users/{}/suspend", id(&ada)), json!({})).await.ok(200);
        refused(&directory.patch(&path(&ada), start).await, 403, None, "permission_denied");
        // Somebody may come in stopped.
        let mut later = user("later");
        later["active"] = json!(false);
        let later = directory.post("/scim/v2/Users", later).await.ok(201);
        assert_eq!(later["active"], false);
        let start = patch(json!([{ "op": "replace", "path": "active", "value": true }]));
        assert_eq!(directory.patch(&path(&later), start).await.ok(200)["active"], true);
        setting.server.finish().await;
    }

    async fn roles_are_given_by_those_who_hold_them_and_an_owner_stays(database: TestDatabase) {
        let setting = Setting::of(database).await;
        let (owner, directory) = (&setting.owner, &setting.directory);
        let ada = setting.user("ada").await;
        let give = |role: &str| patch(json!([{ "op": "add", "path": "roles", "value": [{ "value": role }] }]));
        refused(&directory.patch(&path(&ada), give("owner")).await, 403, None, "authority_exceeded");
        refused(&directory.patch(&path(&ada), give("nonsense")).await, 400, Some("invalidValue"), "validation_failed");
        let mut new = user("eve");
        new["roles"] = json!([{ "value": "admin" }]);
        refused(&directory.post("/scim/v2/Users", new).await, 403, None, "authority_exceeded");
        let strong = setting.holding("strong", &["viewer"]).await;
        let after = strong.patch(&path(&ada), give("viewer")).await.ok(200);
        assert_eq!(after["roles"], json!([{ "value": "viewer" }]));
        // A replacement that does not mention roles leaves them alone.
        let mut whole = user("ada");
        whole["displayName"] = json!("Ada L.");
        let after = strong.send(reqwest::Method::PUT, &path(&ada), Some(whole.to_string())).await.ok(200);
        assert_eq!((&after["displayName"], &after["roles"]), (&json!("Ada L."), &json!([{ "value": "viewer" }])));
        // An owner holds more than any directory can: none stops one, and none removes the last.
        let me = owner.get("/api/v1/auth/me").await.ok(200);
        let mine = format!("/scim/v2/Users/{}", me["principal"]["id"].as_str().unwrap());
        let stop = patch(json!([{ "op": "replace", "path": "active", "value": false }]));
        refused(&strong.patch(&mine, stop).await, 403, None, "authority_exceeded");
        let take = patch(json!([{ "op": "remove", "path": "roles[value eq \"owner\"]" }]));
        refused(&strong.patch(&mine, take).await, 409, None, "last_owner");
        refused(&strong.delete(&mine).await, 409, None, "last_owner");
        setting.server.finish().await;
    }

    /// Who reads somebody's mail can sign in as them.
    async fn nobody_gets_at_an_account_by_giving_it_another_address(database: TestDatabase) {
        let setting = Setting::of(database).await;
        let (server, directory) = (&setting.server, &setting.directory);
        let (home, people) = (server.home().await, &server.house().people);
        let mallory = patch(json!([{ "op": "replace", "path": "emails", "value": [{ "value": "mallory@proved.example" }] }]));
        let auditor = people.enrol(home, "Auditor", Some("auditor@proved.example"), &["auditor"]).await.unwrap();
        let place = format!("/scim/v2/Users/{}", auditor.id);
        refused(&directory.patch(&place, mallory.clone()).await, 403, None, "authority_exceeded");
        let strong = setting.holding("strong", &["auditor"]).await;
        let moved = patch(json!([{ "op": "replace", "path": "emails", "value": [{ "value": "moved@proved.example" }] }]));
        strong.patch(&place, moved).await.ok(200);
        // Through a group as well.
        let ada = setting.user("ada").await;
        let group = json!({ "schemas": [GROUP], "displayName": "Auditors", "members": [{ "value": id(&ada) }] });
        let group = directory.post("/scim/v2/Groups", group).await.ok(201);
        setting.owner.post("/api/v1/grants", json!({ "principal": id(&group), "role": "auditor" })).await.ok(201);
        refused(&directory.patch(&path(&ada), mallory.clone()).await, 403, None, "authority_exceeded");
        // What somebody is elsewhere, nobody here has to give.
        let slug = "acme".parse().unwrap();
        people.found_org(&slug, "Acme").await.unwrap();
        let bob = setting.user("bob").await;
        let there = server.person(people.org_by_slug("acme").await.unwrap().unwrap().id, &["owner"]).await.1;
        let invited = there.post("/api/v1/invitations", json!({ "email": "bob@proved.example" })).await.ok(201);
        let token = invited["link"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
        let person = people.member(home, id(&bob).parse().unwrap()).await.unwrap().unwrap();
        let by_bob = server.by_token(home, &person).await;
        by_bob.post("/api/v1/invitations/accept", json!({ "token": token })).await.ok(200);
        refused(&strong.patch(&path(&bob), mallory).await, 403, None, "permission_denied");
        setting.server.finish().await;
    }

    async fn versions_guard_against_lost_updates(database: TestDatabase) {
        let setting = Setting::of(database).await;
        let directory = &setting.directory;
        let ada = setting.user("ada").await;
        let version = ada["meta"]["version"].as_str().unwrap().to_owned();
        let name = |name: &str| patch(json!([{ "op": "replace", "path": "displayName", "value": name }]));
        let fresh = directory.with("if-match", version.clone());
        let after = fresh.patch(&path(&ada), name("One")).await.ok(200);
        refused(&fresh.patch(&path(&ada), name("Two")).await, 412, None, "stale_revision");
        refused(&fresh.delete(&path(&ada)).await, 412, None, "stale_revision");
        directory.with("if-match", "*").patch(&path(&ada), name("Three")).await.ok(200);
        let seen = after["meta"]["version"].as_str().unwrap();
        assert_eq!(directory.with("if-none-match", seen).get(&path(&ada)).await.status.as_u16(), 200);
        let now = directory.get(&path(&ada)).await;
        let unchanged = directory.with("if-none-match", now.header("etag")).get(&path(&ada)).await;
        assert_eq!((unchanged.status.as_u16(), unchanged.text.as_str()), (304, ""));
        setting.server.finish().await;
    }

    async fn another_organization_sees_nothing(database: TestDatabase) {
        let setting = Setting::of(database).await;
        let directory = &setting.directory;
        let ada = setting.user("ada").await;
        let group = json!({ "schemas": [GROUP], "displayName": "Ops", "members": [{ "value": id(&ada) }] });
        let group = directory.post("/scim/v2/Groups", group).await.ok(201);
        let agent = json!({ "schemas": [AGENT], "name": "bot", "owner": { "value": "00u-ada" } });
        let agent = directory.post("/scim/v2/Agents", agent).await.ok(201);
        let theirs = setting.elsewhere().await;
        for resource in [&ada, &group, &agent] {
            refused(&theirs.get(&path(resource)).await, 404, None, "not_found");
            refused(&theirs.delete(&path(resource)).await, 404, None, "not_found");
            let rename = patch(json!([{ "op": "replace", "path": "displayName", "value": "Taken" }]));
            refused(&theirs.patch(&path(resource), rename).await, 404, None, "not_found");
            let found = theirs.get(&format!("{}?filter=id%20eq%20%22{}%22", kind(resource), id(resource))).await.ok(200);
            assert_eq!(found["totalResults"], 0);
            assert!(!theirs.get(kind(resource)).await.text.contains(id(resource)));
        }
        // Nor can it take in anybody of the home organization, by id, address or external id.
        let foreign = json!({ "schemas": [GROUP], "displayName": "Ours", "members": [{ "value": id(&ada) }] });
        refused(&theirs.post("/scim/v2/Groups", foreign).await, 400, Some("invalidValue"), "validation_failed");
        refused(&theirs.post("/scim/v2/Users", user("ada")).await, 403, None, "outside_domains");
        for owner in [id(&ada), "00u-ada", "ada@proved.example"] {
            let agent = json!({ "schemas": [AGENT], "name": "spy", "owner": { "value": owner } });
            assert!(matches!(theirs.post("/scim/v2/Agents", agent).await.status.as_u16(), 400 | 422), "{owner}");
        }
        // The same names and external ids do not meet.
        let group = json!({ "schemas": [GROUP], "displayName": "Ops" });
        theirs.post("/scim/v2/Groups", group).await.ok(201);
        setting.server.finish().await;
    }
}

fn kind(resource: &Value) -> &'static str {
    match resource["meta"]["resourceType"].as_str() {
        Some("User") => "/scim/v2/Users",
        Some("Group") => "/scim/v2/Groups",
        _ => "/scim/v2/Agents",
    }
}

/// Twenty requests at once for the same user name: one is created.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_is_created() {
    let setting = Setting::of(testing::TestDatabase::sqlite()).await;
    let tries = (0..20).map(|_| setting.directory.post("/scim/v2/Users", user("ada")));
    let answers = futures::future::join_all(tries).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers.iter().filter(|answer| answer.status == 409).count();
    assert_eq!((created, refused), (1, 19));
    setting.server.finish().await;
}

#[tokio::test]
async fn what_is_malformed_or_unknown_is_refused_in_scims_own_form() {
    let setting = Setting::of(testing::TestDatabase::sqlite()).await;
    let directory = &setting.directory;
    let post = |body: &str| directory.send(reqwest::Method::POST, "/scim/v2/Users", Some(body.to_owned()));
    refused(&post("{").await, 400, Some("invalidSyntax"), "malformed_json");
    refused(&post("[]").await, 400, Some("invalidSyntax"), "invalid_syntax");
    refused(
        &post(r#"{"userName": "a", "userName": "b"}"#).await,
        400,
        Some("invalidSyntax"),
        "malformed_json",
    );
    refused(&post(r#"{"userName": 5}"#).await, 400, Some("invalidValue"), "invalid_value");
    refused(&post("{}").await, 400, Some("invalidValue"), "invalid_value");
    let as_text = directory.with("content-type", "text/plain");
    let answer = as_text
        .http
        .post(format!("{}/scim/v2/Users", as_text.url))
        .bearer_auth(as_text.bearer.clone().unwrap());
    let answer = answer.header("content-type", "text/plain").body("{}").send().await.unwrap();
    assert_eq!(answer.status(), 415);
    assert_eq!(answer.headers()["content-type"], "application/scim+json");
    refused(&directory.get("/scim/v2/Nothing").await, 404, None, "unknown_route");
    refused(&directory.get("/scim/v2/Users/nobody").await, 404, None, "not_found");
    refused(&directory.post("/scim/v2/Bulk", json!({})).await, 404, None, "unknown_route");
    refused(&directory.post("/scim/v2/Schemas", json!({})).await, 405, None, "method_not_allowed");
    refused(&setting.server.anonymous().get("/scim/v2/Users").await, 401, None, "unauthenticated");
    // The browser's cookie opens nothing here.
    refused(&setting.owner.get("/scim/v2/Users").await, 401, None, "unauthenticated");
    // A wildcard is not a permission by name.
    let wild = setting.server.agent(&setting.owner, "wild", &["*:*:all"]).await;
    let wild = setting.server.as_agent(&wild).await;
    refused(&wild.post("/scim/v2/Users", user("ada")).await, 403, None, "step_up_required");
    let key = json!({ "name": "scim", "permissions": ["members:read:all", "users:create:all"] });
    let key = setting.owner.post("/api/v1/api-keys", key).await.ok(201);
    let by_key = Caller { bearer: key["api_key"].as_str().map(str::to_owned), ..setting.server.anonymous() };
    by_key.post("/scim/v2/Users", user("ada")).await.ok(201);
    refused(&by_key.get("/scim/v2/Groups").await, 403, None, "permission_denied");
    setting.server.finish().await;
}
