//! SCIM 2.0: a directory outside, and what it may do.

mod agents;
mod filters;
mod groups;
mod tester;
mod users;

use serde_json::{Value, json};

use crate::support::{Answer, Caller, TestDns, TestServer};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const AGENT: &str = "urn:safeconduct:params:scim:schemas:core:1.0:Agent";

/// What a directory needs, by name; and what its groups may hold.
const RIGHTS: &[&str] = &[
    "members:read:all",
    "members:update:all",
    "members:delete:all",
    "users:create:all",
    "users:update:all",
    "groups:read:all",
    "groups:create:all",
    "groups:update:all",
    "groups:delete:all",
    "agents:read:all",
    "agents:create:all",
    "agents:update:all",
    "agents:delete:all",
];

/// A server whose home organization has proved `proved.example`, its owner, and a directory that acts as an agent.
struct Setting {
    server: TestServer,
    owner: Caller,
    directory: Caller,
}

impl Setting {
    async fn of(database: testing::TestDatabase) -> Self {
        let dns = TestDns::start().await;
        let server = TestServer::start_with(database, &[("dns.servers", &dns.address.to_string())]).await;
        let owner = server.owner().await;
        crate::every_route::proved_domain(&owner, &dns, "proved.example").await;
        let agent = server.agent(&owner, "directory", RIGHTS).await;
        let directory = server.as_agent(&agent).await;
        Self { server, owner, directory }
    }

    /// A user whom the directory has brought in.
    async fn user(&self, name: &str) -> Value {
        self.directory.post("/scim/v2/Users", user(name)).await.ok(201)
    }

    /// A directory that holds more: the rights of these roles as well.
    async fn holding(&self, name: &str, roles: &[&str]) -> Caller {
        let agent = self.server.agent(&self.owner, name, RIGHTS).await;
        for role in roles {
            let grant = json!({ "principal": agent.id, "role": role });
            self.owner.post("/api/v1/grants", grant).await.ok(201);
        }
        self.server.as_agent(&agent).await
    }

    /// Another organization's directory.
    async fn elsewhere(&self) -> Caller {
        let key = json!({ "name": "directory", "permissions": RIGHTS });
        let key = self.server.stranger().await.post("/api/v1/api-keys", key).await.ok(201);
        Caller { bearer: key["api_key"].as_str().map(str::to_owned), ..self.server.anonymous() }
    }

    /// How often something happened.
    async fn count(&self, kind: &str) -> i64 {
        let tamper = self.server.database.tamper().await;
        tamper.number(&format!("SELECT count(*) FROM facts WHERE kind = '{kind}'")).await
    }
}

fn user(name: &str) -> Value {
    json!({
        "schemas": [USER], "userName": format!("{name}@proved.example"), "externalId": format!("00u-{name}"),
        "name": { "givenName": name, "familyName": "Example" },
        "emails": [{ "value": format!("{name}@proved.example"), "type": "work", "primary": true }], "active": true,
    })
}

fn patch(operations: Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
}

fn path(resource: &Value) -> String {
    let place = resource["meta"]["location"].as_str().expect("a location");
    place[place.find("/scim/").expect("a path")..].to_owned()
}

fn id(resource: &Value) -> &str {
    resource["id"].as_str().expect("an id")
}

/// The body of a refusal in SCIM's form, if it is this one.
#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16, kind: Option<&str>, code: &str) -> Value {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/scim+json");
    let body = answer.json();
    assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
    assert_eq!((&body["status"], body["scimType"].as_str()), (&json!(status.to_string()), kind), "{body:#}");
    assert!(body["detail"].as_str().is_some_and(|text| text.ends_with(&format!("({code})"))), "{body:#}");
    body
}
