//! Groups: who is in them, what that gives, and what it takes to end one.

use serde_json::{Value, json};

use crate::support::{Caller, TestServer};

async fn make(by: &Caller, name: &str) -> String {
    let group = by.post("/api/v1/groups", json!({ "name": name })).await.ok(201);
    format!("/api/v1/groups/{}", group["id"].as_str().unwrap())
}

fn names(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

testing::on_both_databases! {
    async fn groups_are_made_changed_and_ended(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let path = make(&owner, "Operations").await;
        owner.post("/api/v1/groups", json!({ "name": "Operations" })).await.refused(409, "already_exists");
        let second = make(&owner, "Night shift").await;
        owner.patch(&second, json!({ "name": "Operations" })).await.refused(409, "already_exists");
        let changed = owner.patch(&path, json!({ "description": "by day", "external_group_id": "cn=ops" })).await.ok(200);
        assert_eq!((&changed["external_group_id"], &changed["revision"]), (&json!("cn=ops"), &json!(2)));
        owner.with("if-match", "\"1\"").patch(&path, json!({ "name": "x" })).await.refused(412, "stale_revision");
        let cleared = owner.patch(&path, json!({ "external_group_id": null })).await.ok(200);
        assert_eq!(cleared["external_group_id"], json!(null));
        owner.patch(&path, json!({ "email_domain": "example.com" })).await.refused(403, "outside_domains");
        owner.post("/api/v1/groups", json!({ "name": "" })).await.refused(422, "validation_failed");
        assert_eq!(names(&owner.get("/api/v1/groups?q=NIGHT").await.ok(200)), ["Night shift"]);
        let stranger = server.stranger().await;
        assert_eq!(names(&stranger.get("/api/v1/groups").await.ok(200)), Vec::<String>::new());
        stranger.get(&path).await.refused(404, "not_found");
        stranger.delete(&path).await.refused(404, "not_found");
        owner.delete(&path).await.ok(200);
        owner.get(&path).await.refused(404, "not_found");
        server.finish().await;
    }

    async fn members_hold_what_the_group_holds_at_once(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        let path = make(&owner, "Auditors").await;
        let id: types::GroupId = path.rsplit('/').next().unwrap().parse().unwrap();
        let house = server.house();
        let gift = access::Gift::Permission("audit:read:all".parse().unwrap());
        access::grant(&house.db, &house.ledger, &house.world, home, id, &gift, ledger::Actor::system("test")).await.unwrap();
        let (ada, her) = server.person(home, &[]).await;
        her.get("/api/v1/audit/events").await.refused(403, "permission_denied");
        let members = format!("{path}/members");
        let added = owner.post(&members, json!({ "member": ada.id })).await.ok(201);
        assert_eq!((&added["kind"], &added["member"]), (&json!("user"), &json!(ada.id)));
        her.get("/api/v1/audit/events").await.ok(200);
        owner.post(&members, json!({ "member": ada.id })).await.refused(409, "already_exists");
        let agent = owner.post("/api/v1/agents", json!({ "name": "worker" })).await.ok(201);
        owner.post(&members, json!({ "member": agent["id"] })).await.ok(201);
        let list = owner.get(&members).await.ok(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 2);
        // Whoever puts somebody in hands on what the group holds.
        let (_, lesser) = server.person(home, &[]).await;
        let lesser_id = lesser.get("/api/v1/auth/me").await.ok(200)["principal"]["id"].clone();
        server.grant(home, web::PrincipalId::User(lesser_id.as_str().unwrap().parse().unwrap()), "groups:manage:all").await;
        lesser.post(&members, json!({ "member": lesser_id })).await.refused(403, "authority_exceeded");
        // Nobody from elsewhere is put in.
        let (outsider, _) = server.person(
            house.people.found_org(&"outside".parse().unwrap(), "Outside").await.unwrap().id, &["member"]).await;
        owner.post(&members, json!({ "member": outsider.id })).await.refused(422, "validation_failed");
        owner.post(&members, json!({ "member": "usr_x" })).await.refused(422, "validation_failed");
        owner.delete(&format!("{members}/{}", ada.id)).await.ok(200);
        her.get("/api/v1/audit/events").await.refused(403, "permission_denied");
        owner.delete(&format!("{members}/{}", ada.id)).await.refused(404, "not_found");
        server.stranger().await.get(&members).await.refused(404, "not_found");
        let left = server.database.tamper().await;
        assert_eq!(left.number("SELECT count(*) FROM facts WHERE kind = 'group.member_removed'").await, 1);
        server.finish().await;
    }
}
