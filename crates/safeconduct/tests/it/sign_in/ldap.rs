//! Directories: sign-in against a real slapd.

use serde_json::{Value, json};
use testing::{Directory, TestDatabase};

use super::{Desk, count, with_cookie};
use crate::support::Answer;

const PROVIDERS: &str = "/api/v1/auth-providers";

/// By a service account, in the clear on this machine.
fn searching(directory: &Directory) -> Value {
    json!({
        "url": format!("ldap://127.0.0.1:{}", directory.port), "start_tls": false,
        "bind_dn": "uid=service,dc=example,dc=test", "bind_password": "service-password",
        "base": "dc=example,dc=test", "group_attribute": "memberOf",
    })
}

fn with(mut settings: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(settings.as_object_mut().unwrap().remove(name)),
            value => settings[name] = value.clone(),
        }
    }
    settings
}

impl Desk {
    async fn directory(&self, settings: Value, common: Value) -> String {
        let body = json!({ "name": "dir", "kind": "ldap", "create_users": true, "default_roles": ["member"],
            "settings": settings });
        self.provider(with(body, common)).await["id"].as_str().unwrap().to_owned()
    }

    async fn bind(&self, login: &str, password: &str) -> Answer {
        let body = json!({ "input": { "login": login, "password": password } });
        self.browser().post("/api/v1/auth/dir/login", body).await
    }
}

testing::on_both_databases! {
    async fn somebody_of_the_directory_comes_in_and_roles_follow_its_groups(database: TestDatabase) {
        let directory = Directory::start();
        let desk = Desk::reaching(database).await;
        let map = json!({ "cn=Platform,ou=groups,dc=example,dc=test": ["admin"] });
        desk.directory(searching(&directory), json!({ "group_roles": map })).await;
        let answer = desk.bind("ada", "ada-password").await;
        let first = answer.ok(200);
        assert_eq!(first["user"]["display_name"], "Ada Lovelace");
        let me = with_cookie(&desk.server, &answer).get("/api/v1/auth/me").await.ok(200);
        assert_eq!(me["roles"], json!(["admin", "member"]));
        let sessions = with_cookie(&desk.server, &answer).get("/api/v1/auth/sessions").await.ok(200);
        assert_eq!(sessions["items"][0]["factors"], "ldap");
        // Renamed and out of the group: the same person, without the role.
        directory.change("dn: cn=platform,ou=groups,dc=example,dc=test\nchangetype: modify\ndelete: member\n\
                          member: uid=ada,ou=people,dc=example,dc=test\n");
        directory.change("dn: uid=ada,ou=people,dc=example,dc=test\nchangetype: modrdn\nnewrdn: uid=countess\n\
                          deleteoldrdn: 1\n");
        let answer = desk.bind("countess", "ada-password").await;
        assert_eq!(answer.ok(200)["user"]["id"], first["user"]["id"]);
        let me = with_cookie(&desk.server, &answer).get("/api/v1/auth/me").await.ok(200);
        assert_eq!(me["roles"], json!(["member"]));
        desk.bind("ada", "ada-password").await.refused(401, "sign_in_refused");
        assert_eq!(count(&desk.server, "identity.linked").await, 1);
        desk.server.finish().await;
    }

    async fn injected_filters_find_nobody(database: TestDatabase) {
        let directory = Directory::start();
        let desk = Desk::reaching(database).await;
        desk.directory(searching(&directory), json!({})).await;
        for login in [
            "*", "a*", "ada*", "ada)(uid=*", "*)(uid=*))(|(uid=*", "ada)(|(uid=*)", ")(cn=Ada Lovelace", "\\61da",
            "ada\\", "ad\\2a", "(uid=ada)", "!(uid=x)", "ada)(objectClass=*", "*)(memberOf=*", "uid=ada",
            "uid=ada,ou=people,dc=example,dc=test", "ada\u{0}", "ada\u{0})(uid=*",
        ] {
            for password in ["ada-password", "service-password", "*", "x"] {
                let answer = desk.bind(login, password).await;
                let status = answer.status.as_u16();
                assert!([401, 422].contains(&status), "{login:?} {password}: {status} {}", answer.text);
                // Different guesses, one address: the delays are not what is tried here.
                desk.server.clock.advance(std::time::Duration::from_secs(1800));
            }
        }
        assert_eq!(desk.server.database.tamper().await.number("SELECT count(*) FROM sessions WHERE factors = 'ldap'").await, 0);
        desk.bind("ada", "ada-password").await.ok(200);
        desk.server.finish().await;
    }
}

#[tokio::test]
async fn wrong_passwords_and_unknown_people_read_alike_and_are_slowed() {
    let directory = Directory::start();
    let desk = Desk::reaching(TestDatabase::sqlite()).await;
    let id = desk.directory(searching(&directory), json!({})).await;
    let shape = |answer: &Answer| {
        let mut body = answer.refused(401, "sign_in_refused");
        body["request_id"] = Value::Null;
        body
    };
    let wrong = shape(&desk.bind("ada", "bob-password").await);
    assert_eq!(wrong, shape(&desk.bind("nobody", "bob-password").await));
    // Two entries fit; nobody can say which was meant.
    assert_eq!(wrong, shape(&desk.bind("twin", "twin-password").await));
    // An empty password would bind as nobody in particular, and succeed.
    desk.bind("ada", "").await.refused(422, "validation_failed");
    for _ in 0..5 {
        desk.bind("Ada", "wrong").await;
    }
    desk.bind("ada", "ada-password").await.refused(429, "rate_limited");
    desk.bind("bob", "bob-password").await.ok(200);
    let off = json!({ "enabled": false });
    desk.server.owner().await.patch(&format!("{PROVIDERS}/{id}"), off).await.ok(200);
    desk.bind("bob", "bob-password").await.refused(403, "provider_disabled");
    desk.server.finish().await;
}

#[tokio::test]
async fn people_bind_as_themselves_where_there_is_a_template() {
    let directory = Directory::start();
    let desk = Desk::reaching(TestDatabase::sqlite()).await;
    let settings = with(
        searching(&directory),
        json!({ "bind_dn": null, "bind_password": null, "group_attribute": null,
            "user_dn": "uid={login},ou=people,dc=example,dc=test", "group_base": "ou=groups,dc=example,dc=test" }),
    );
    desk.directory(settings, json!({ "group_roles": { "audit": ["auditor"] } })).await;
    let answer = desk.bind("ada", "ada-password").await;
    assert_eq!(answer.ok(200)["user"]["display_name"], "Ada Lovelace");
    let me = with_cookie(&desk.server, &answer).get("/api/v1/auth/me").await.ok(200);
    assert_eq!(me["roles"], json!(["auditor", "member"]));
    for login in ["ada,ou=people", "twin,ou=twins,dc=example,dc=test", "ada+cn=x", "*"] {
        desk.bind(login, "twin-password").await.refused(401, "sign_in_refused");
    }
    desk.server.finish().await;
}

#[tokio::test]
async fn passwords_travel_over_tls_to_a_trusted_directory_only() {
    let directory = Directory::start();
    let desk = Desk::reaching(TestDatabase::sqlite()).await;
    let tls = with(
        searching(&directory),
        json!({ "url": format!("ldaps://localhost:{}", directory.tls_port), "ca": directory.authority() }),
    );
    let id = desk.directory(tls, json!({})).await;
    desk.bind("ada", "ada-password").await.ok(200);
    let owner = desk.server.owner().await;
    let path = format!("{PROVIDERS}/{id}");
    let change = async |settings: Value| {
        let settings = with(json!({ "bind_password": "service-password" }), settings);
        owner.patch(&path, json!({ "settings": settings })).await.ok(200);
        owner.post(&format!("{path}/test"), json!({})).await.ok(200)
    };
    let start_tls = json!({ "url": format!("ldap://localhost:{}", directory.port), "start_tls": true });
    assert_eq!(change(start_tls).await["works"], true);
    desk.bind("ada", "ada-password").await.ok(200);
    for (settings, told) in [
        // The certificate is for another name, and signed by nobody known.
        (json!({ "url": format!("ldap://127.0.0.1:{}", directory.port) }), "certificate"),
        (json!({ "url": format!("ldaps://localhost:{}", directory.tls_port), "ca": null }), "certificate"),
        (json!({ "url": "ldaps://127.0.0.1:9" }), "127.0.0.1:9 cannot be reached"),
        (json!({ "url": "ldaps://10.0.0.1" }), "may not be called from here"),
    ] {
        // A null in a merge patch takes a setting away.
        let mut whole = json!({ "bind_password": "service-password" });
        whole.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        owner.patch(&path, json!({ "settings": whole })).await.ok(200);
        let found = owner.post(&format!("{path}/test"), json!({})).await.ok(200);
        assert!(found["works"] == false && found.to_string().contains(told), "{settings}: {found}");
        desk.bind("ada", "ada-password").await.refused(503, "sign_in_unavailable");
    }
    desk.server.finish().await;
}

#[tokio::test]
async fn a_test_says_whether_the_service_account_and_the_base_are_right() {
    let directory = Directory::start();
    let desk = Desk::reaching(TestDatabase::sqlite()).await;
    let id = desk.directory(searching(&directory), json!({})).await;
    let owner = desk.server.owner().await;
    let path = format!("{PROVIDERS}/{id}");
    for (settings, works, told) in [
        (json!({}), true, "The service account sees it."),
        (json!({ "base": "ou=nowhere,dc=example,dc=test" }), false, "sees no ou=nowhere"),
        (json!({ "base": "ou=hidden,dc=example,dc=test" }), false, "sees no ou=hidden"),
        (
            json!({ "base": "dc=example,dc=test", "bind_password": "wrong" }),
            false,
            "refuses the service account",
        ),
    ] {
        owner.patch(&path, json!({ "settings": settings })).await.ok(200);
        let found = owner.post(&format!("{path}/test"), json!({})).await.ok(200);
        assert!(found["works"] == works && found.to_string().contains(told), "{settings}: {found}");
        assert!(!found.to_string().contains("password\""), "{found}");
    }
    // The person's password is right, the service's is not: that is nobody's guess.
    desk.bind("ada", "ada-password").await.refused(503, "sign_in_unavailable");
    desk.server.finish().await;
}

#[tokio::test]
async fn settings_make_sense_together() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    let owner = desk.server.owner().await;
    let good =
        json!({ "url": "ldaps://dir.example", "bind_dn": "cn=a", "bind_password": "b", "base": "dc=x" });
    let ad = json!({ "url": "ldaps://dc.example", "domain": "corp.example", "base": "dc=x" });
    for (field, kind, settings) in [
        (
            "/settings/url",
            "ldap",
            with(good.clone(), json!({ "url": "ldap://dir.example", "start_tls": false })),
        ),
        ("/settings/url", "ldap", with(good.clone(), json!({ "url": "https://dir.example" }))),
        ("/settings/bind_password", "ldap", with(good.clone(), json!({ "bind_password": null }))),
        ("/settings/bind_dn", "ldap", with(good.clone(), json!({ "bind_dn": null }))),
        ("/settings/bind_dn", "ldap", with(good.clone(), json!({ "bind_dn": null, "bind_password": null }))),
        ("/settings/user_dn", "ldap", with(good.clone(), json!({ "user_dn": "uid={login}" }))),
        ("/settings/user_filter", "ldap", with(good.clone(), json!({ "user_filter": "(uid=ada)" }))),
        ("/settings/user_filter", "ldap", with(good.clone(), json!({ "user_filter": "(uid={login}" }))),
        ("/settings/group_filter", "ldap", with(good.clone(), json!({ "group_filter": "(member=*)" }))),
        ("/settings/id_attribute", "ldap", with(good.clone(), json!({ "id_attribute": "a)(b" }))),
        ("/settings/bind_password", "active_directory", with(ad.clone(), json!({ "bind_dn": "a" }))),
        ("/settings", "active_directory", with(ad.clone(), json!({ "domain": null }))),
    ] {
        let body = json!({ "name": "dir", "kind": kind, "settings": settings });
        let refused = owner.post(PROVIDERS, body).await.refused(422, "validation_failed");
        assert!(
            refused["errors"].as_array().unwrap().iter().any(|error| error["field"] == field),
            "{refused}"
        );
    }
    for (name, kind, settings) in [("dir", "ldap", good), ("ad", "active_directory", ad)] {
        owner.post(PROVIDERS, json!({ "name": name, "kind": kind, "settings": settings })).await.ok(201);
    }
    desk.server.finish().await;
}
