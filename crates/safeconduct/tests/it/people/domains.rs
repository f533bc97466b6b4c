//! E-mail domains: proved by a record in the DNS, and what may be done only inside them.

use serde_json::{Value, json};

use crate::support::{Caller, TestDns, TestServer};

async fn start(database: testing::TestDatabase) -> (TestServer, TestDns) {
    let dns = TestDns::start().await;
    let server = TestServer::start_with(database, &[("dns.servers", &dns.address.to_string())]).await;
    (server, dns)
}

/// Claims a domain, publishes its record and has it looked for.
async fn prove(by: &Caller, dns: &TestDns, name: &str) -> Value {
    let claimed = by.post("/api/v1/domains", json!({ "name": name })).await.ok(201);
    let text = |member: &str| claimed[member].as_str().unwrap().to_owned();
    dns.says(&text("record"), "v=spf1 -all");
    dns.says(&text("record"), &text("value"));
    by.post(&format!("/api/v1/domains/{}/prove", text("id")), json!({})).await.ok(200)
}

testing::on_both_databases! {
    async fn a_domain_is_proved_by_its_record_and_for_one_organization(database: TestDatabase) {
        let (server, dns) = start(database).await;
        let owner = server.owner().await;
        let claimed = owner.post("/api/v1/domains", json!({ "name": "Example.COM" })).await.ok(201);
        assert_eq!((&claimed["name"], &claimed["proved"]), (&json!("example.com"), &json!(false)));
        assert_eq!(claimed["record"], "_safeconduct.example.com");
        owner.post("/api/v1/domains", json!({ "name": "example.com" })).await.refused(409, "already_exists");
        owner.post("/api/v1/domains", json!({ "name": "not a domain" })).await.refused(422, "validation_failed");
        let path = format!("/api/v1/domains/{}", claimed["id"].as_str().unwrap());
        let prove_path = format!("{path}/prove");
        let unproved = owner.post(&prove_path, json!({})).await.refused(409, "domain_unproved");
        assert_eq!((&unproved["record"], &unproved["value"]), (&claimed["record"], &claimed["value"]));
        dns.says("_safeconduct.example.com", "safeconduct-domain=somebody-elses");
        owner.post(&prove_path, json!({})).await.refused(409, "domain_unproved");
        dns.says("_safeconduct.example.com", claimed["value"].as_str().unwrap());
        // Also when the answer is too long for a datagram.
        dns.cut_short();
        assert_eq!(owner.post(&prove_path, json!({})).await.ok(200)["proved"], true);
        // Another organization may claim it, but not prove it as well.
        let stranger = server.stranger().await;
        stranger.post(&prove_path, json!({})).await.refused(404, "not_found");
        stranger.get(&path).await.refused(404, "not_found");
        let theirs = stranger.post("/api/v1/domains", json!({ "name": "example.com" })).await.ok(201);
        assert_ne!(theirs["value"], claimed["value"]);
        dns.says("_safeconduct.example.com", theirs["value"].as_str().unwrap());
        let theirs = format!("/api/v1/domains/{}/prove", theirs["id"].as_str().unwrap());
        stranger.post(&theirs, json!({})).await.refused(409, "domain_taken");
        let (_, member) = server.person(server.home().await, &["member"]).await;
        member.post(&prove_path, json!({})).await.refused(403, "permission_denied");
        owner.delete(&path).await.ok(200);
        stranger.post(&theirs, json!({})).await.ok(200);
        server.finish().await;
    }

    async fn people_are_created_and_suspended_inside_proved_domains_only(database: TestDatabase) {
        let (server, dns) = start(database).await;
        let owner = server.owner().await;
        let body = json!({ "email": "grace@example.com", "display_name": "Grace", "username": "Grace", "roles": ["member"] });
        owner.post("/api/v1/users", body.clone()).await.refused(403, "outside_domains");
        prove(&owner, &dns, "example.com").await;
        let grace = owner.post("/api/v1/users", body.clone()).await.ok(201);
        assert_eq!((&grace["email_verified"], &grace["username"]), (&json!(true), &json!("grace")));
        owner.post("/api/v1/users", body).await.refused(409, "already_exists");
        let beyond = json!({ "email": "x@example.com", "display_name": "X", "roles": ["no-such-role"] });
        owner.post("/api/v1/users", beyond).await.refused(422, "validation_failed");
        let elsewhere = json!({ "email": "x@sub.example.com", "display_name": "X" });
        owner.post("/api/v1/users", elsewhere).await.refused(403, "outside_domains");
        let path = format!("/api/v1/users/{}", grace["id"].as_str().unwrap());
        assert_eq!(owner.get(&path).await.ok(200)["email"], "grace@example.com");
        // An owner of this organization who is no operator.
        let (_, admin) = server.person(server.home().await, &["owner"]).await;
        assert_eq!(admin.post(&format!("{path}/suspend"), json!({ "reason": "left" })).await.ok(200)["status"], "suspended");
        admin.post(&format!("{path}/suspend"), json!({})).await.refused(409, "user_suspended");
        admin.post(&format!("{path}/reactivate"), json!({})).await.ok(200);
        admin.post(&format!("{path}/reactivate"), json!({})).await.refused(409, "user_active");
        // What an operator suspends, only an operator lets in again.
        let system = format!("/api/v1/system/users/{}", grace["id"].as_str().unwrap());
        owner.post(&format!("{system}/suspend"), json!({})).await.ok(200);
        admin.post(&format!("{path}/reactivate"), json!({})).await.refused(403, "permission_denied");
        // Members from elsewhere are not the organization's to suspend; strangers find nobody.
        let (outsider, _) = server.person(server.home().await, &["member"]).await;
        admin.post(&format!("/api/v1/users/{}/suspend", outsider.id), json!({})).await.refused(403, "outside_domains");
        server.stranger().await.post(&format!("{path}/suspend"), json!({})).await.refused(404, "not_found");
        server.finish().await;
    }

    async fn an_import_tells_what_became_of_each(database: TestDatabase) {
        let (server, dns) = start(database).await;
        let owner = server.owner().await;
        prove(&owner, &dns, "example.com").await;
        let elsewhere = server.stranger().await;
        let people = &server.house().people;
        let home = server.home().await;
        let foreign = people.org_by_slug("elsewhere").await.unwrap().unwrap().id;
        // A member already, somebody known elsewhere, and somebody outside.
        people.enrol(home, "Ada", Some("ada@example.com"), &["member"]).await.unwrap();
        people.enrol(foreign, "Bob", Some("bob@example.com"), &["member"]).await.unwrap();
        people.enrol(foreign, "Eve", Some("eve@private.example"), &["member"]).await.unwrap();
        let import = json!({ "provider": "https://idp.example.com", "entries": [
            { "external_id": "1", "email": "Ada@Example.com", "display_name": "Ada" },
            { "external_id": "2", "email": "bob@example.com", "display_name": "Bob", "roles": ["member"] },
            { "external_id": "3", "email": "carol@example.com", "display_name": "Carol", "roles": ["member"] },
            { "external_id": "4", "email": "eve@private.example", "display_name": "Eve" },
            { "external_id": "5", "display_name": "No address" },
            { "external_id": "6", "email": "dan@example.com", "display_name": "Dan", "roles": ["no-such-role"] },
            { "external_id": "3", "email": "carol@example.com", "display_name": "Carol" },
        ]});
        let outcomes = |answer: &Value| -> Vec<String> {
            let items = answer["outcomes"].as_array().unwrap().clone();
            items.iter().map(|one| one["outcome"].as_str().unwrap().to_owned()).collect()
        };
        let done = owner.post("/api/v1/users/import", import.clone()).await.ok(200);
        let expected = ["linked", "joined", "created", "refused", "refused", "refused", "unchanged"];
        assert_eq!(outcomes(&done), expected);
        assert_eq!((&done["outcomes"][3]["code"], &done["outcomes"][4]["code"]), (&json!("outside_domains"), &json!("outside_domains")));
        assert_eq!(done["outcomes"][5]["code"], "validation_failed");
        let again = owner.post("/api/v1/users/import", import).await.ok(200);
        assert_eq!(again["unchanged"], 4);
        assert_eq!(again["refused"], 3);
        // What one organization was told finds nobody for another: not even by the same provider and subject.
        let theirs = json!({ "provider": "https://idp.example.com", "entries": [
            { "external_id": "3", "email": "carol@example.com", "display_name": "Carol" },
        ]});
        let refused = elsewhere.post("/api/v1/users/import", theirs).await.ok(200);
        assert_eq!(refused["outcomes"][0]["code"], "outside_domains");
        assert_eq!(refused["outcomes"][0]["user"], json!(null));
        let (_, member) = server.person(home, &["member"]).await;
        let body = json!({ "provider": "x", "entries": [{ "external_id": "1", "display_name": "X" }] });
        member.post("/api/v1/users/import", body).await.refused(403, "permission_denied");
        owner.post("/api/v1/users/import", json!({ "provider": "x", "entries": [] })).await
            .refused(422, "validation_failed");
        let members = owner.get("/api/v1/members?q=example.com").await.ok(200);
        assert_eq!(members["items"].as_array().unwrap().len(), 3);
        server.finish().await;
    }
}

#[tokio::test]
async fn a_silent_resolver_is_said_to_be_silent() {
    // Nobody listens there.
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let server = TestServer::start_with(testing::TestDatabase::sqlite(), &[("dns.servers", &address)]).await;
    let owner = server.owner().await;
    let claimed = owner.post("/api/v1/domains", json!({ "name": "example.com" })).await.ok(201);
    let path = format!("/api/v1/domains/{}/prove", claimed["id"].as_str().unwrap());
    owner.post(&path, json!({})).await.refused(503, "resolver_silent");
    server.finish().await;
}
