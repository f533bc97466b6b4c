//! Something of every kind in an organization, and how it would be told in an answer.

use std::collections::BTreeSet;

use base64::Engine as _;
use serde_json::{Value, json};
use types::{FactId, Id, OrgId, Uuid};
use web::Spec;

use crate::people::erasure::tables_of_organizations;
use crate::support::{Caller, TestServer, claims};

/// An organization that has something of every kind. Every name of its things contains its marker.
pub(super) struct Furnished {
    pub(super) org: OrgId,
    pub(super) marker: &'static str,
    slug: &'static str,
    /// What stands for each `{name}` of a path.
    names: Vec<(&'static str, String)>,
    /// What only rows of this organization say: ids without their prefix, and the names of keys.
    told_by: BTreeSet<String>,
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap_or_else(|| panic!("no id: {made}")).to_owned()
}

impl Furnished {
    pub(super) async fn new(
        server: &TestServer,
        owner: &Caller,
        org: OrgId,
        slug: &'static str,
        marker: &'static str,
    ) -> Self {
        let make = async |path: &str, body: Value| owner.post(path, body).await.ok(201);
        let agent =
            id(&make("/api/v1/agents", json!({ "name": marker, "permissions": ["agents:read:all"] })).await);
        let secret = json!({ "kind": "secret", "label": marker });
        let credential = make(&format!("/api/v1/agents/{agent}/credentials"), secret).await;
        let bearer = token(server, slug, &agent, &credential).await;
        let jti = claims(&bearer)["jti"].as_str().unwrap().to_owned();
        let acting = Caller { bearer: Some(bearer), ..server.anonymous() };
        acting.get(&format!("/api/v1/agents/{agent}")).await.ok(200);
        let email = format!("somebody@{marker}.example");
        let person = server.house().people.enrol(org, marker, Some(&email), &["member"]).await.unwrap();
        let invitation = json!({ "email": format!("guest@{marker}.example") });
        let once = owner.with("idempotency-key", format!("{marker}-invitation"));
        let invitation = once.post("/api/v1/invitations", invitation).await.ok(201);
        let group = id(&make("/api/v1/groups", json!({ "name": marker })).await);
        make(&format!("/api/v1/groups/{group}/members"), json!({ "member": person.id })).await;
        let domain = make("/api/v1/domains", json!({ "name": format!("{marker}.example") })).await;
        make("/api/v1/roles", json!({ "name": marker, "permissions": ["agents:read:own"] })).await;
        let grant = make("/api/v1/grants", json!({ "principal": agent, "role": marker })).await;
        make("/api/v1/grants", json!({ "principal": group, "role": "viewer" })).await;
        let courses = json!({ "name": "courses", "meaning": "Courses", "actions": ["read"] });
        make("/api/v1/resource-prefixes", json!({ "prefix": marker, "resources": [courses] })).await;
        let key = json!({ "name": marker, "permissions": ["agents:read"] });
        let key = make("/api/v1/api-keys", key).await;
        let provider = make("/api/v1/auth-providers", json!({ "name": marker, "kind": "otp" })).await;
        let code = "def handler(input, context):\n    print(input)\n    return input\n";
        let function = json!({ "namespace": marker.replace('-', "_"), "name": "run", "code": code });
        let function = id(&make("/api/v1/functions", function).await);
        let versions = owner.get(&format!("/api/v1/functions/{function}/versions")).await.ok(200);
        let execute = format!("/api/v1/functions/{function}/execute");
        let run = owner.post(&execute, json!({ "input": { "from": marker } })).await.ok(200);
        // A secret that a function uses.
        let secret = json!({ "name": marker.replace('-', "_"), "value": marker, "description": marker });
        let secret = make("/api/v1/secrets", secret).await;
        // An output that is too large for its row.
        let code = "def handler(input, context):\n    return 'x' * (1 << 20)\n";
        let large = json!({ "namespace": marker.replace('-', "_"), "name": "large", "code": code, "secrets": [secret["name"]] });
        let large = id(&make("/api/v1/functions", large).await);
        owner.post(&format!("/api/v1/functions/{large}/execute"), json!({ "input": {} })).await.ok(200);
        // A run that asked, and was told.
        let code = "def handler(input, context):\n    return context.ask(input['from'])\n";
        let asks = json!({ "namespace": marker.replace('-', "_"), "name": "asks", "code": code });
        let asks = id(&make("/api/v1/functions", asks).await);
        let execute_asks = format!("/api/v1/functions/{asks}/execute");
        let asking = id(&owner.post(&execute_asks, json!({ "input": { "from": marker } })).await.ok(202));
        owner.post(&format!("/api/v1/runs/{asking}/continue"), json!({ "input": marker })).await.ok(200);
        while owner.get(&format!("/api/v1/runs/{asking}")).await.ok(200)["ended_at"].is_null() {}
        // A dead letter, whose starts are counted.
        let fails = json!({
            "namespace": marker.replace('-', "_"), "name": "fails", "code": "def handler(input, context):\n    raise ValueError\n",
            "retry": { "max_attempts": 2, "initial_seconds": 0 }, "rate": { "starts": 100, "per_seconds": 60 },
        });
        let fails = id(&make("/api/v1/functions", fails).await);
        owner.post(&format!("/api/v1/functions/{fails}/execute"), json!({ "input": {} })).await.ok(200);
        let package = json!({ "name": marker, "reason": marker });
        let package = id(&make("/api/v1/packages", package).await);
        let timing = json!({ "every_seconds": 86400 });
        let file = format!(
            "apiVersion: safeconduct.dev/v1\nkind: Config\nmetadata: {{name: {marker}}}\nspec:\n  state_namespaces:\n  - name: {marker}-file\n"
        );
        owner.post("/api/v1/config/apply", json!({ "document": file })).await.ok(200);
        // By hand, so that there is drift.
        owner.patch(&format!("/api/v1/state/{marker}-file"), json!({ "ttl_seconds": 60 })).await.ok(200);
        let schedule =
            json!({ "name": marker, "function": function, "timing": timing, "input": { "from": marker } });
        let schedule = id(&make("/api/v1/schedules", schedule).await);
        owner.post(&format!("/api/v1/schedules/{schedule}/run"), json!({})).await.ok(202);
        make("/api/v1/agents", json!({ "name": format!("{marker}-killed") })).await;
        let kill =
            owner.post(&format!("/api/v1/agents/default:{marker}-killed/kill"), json!({})).await.ok(200);
        let rule =
            "package safeconduct.agents\n\ndeny contains \"nothing\" if input.operation == \"nothing\"";
        let bundle = json!({ "modules": [{ "path": format!("{marker}.rego"), "text": rule }] });
        let policy = id(&make("/api/v1/policies", json!({ "bundle": bundle })).await);
        owner.post(&format!("/api/v1/policies/{policy}/activate"), json!({})).await.ok(200);
        // A decision that is recorded.
        owner.get(&format!("/api/v1/agents/{agent}")).await.ok(200);
        let space = id(&make("/api/v1/state", json!({ "name": marker, "history_depth": 2 })).await);
        for value in 1..=2 {
            let entry = json!({ "value": format!("{marker} {value}"), "description": marker });
            owner.put(&format!("/api/v1/state/{marker}/entries/{marker}"), entry).await.ok(200);
        }
        let collection = id(&make("/api/v1/collections", json!({ "name": marker })).await);
        let of = format!("/api/v1/collections/{marker}");
        for number in 1..=2 {
            let content = json!(format!("{marker} {number}"));
            let path = format!(
                "{of}/files/{marker}?description={marker}&tags={marker}&metadata=%7B%22a%22%3A%22{marker}%22%7D"
            );
            owner.put(&path, content).await.ok(200);
        }
        let upload =
            id(&make(&format!("{of}/uploads"), json!({ "name": marker, "size": marker.len() * 10_000 + 1 }))
                .await);
        let part = owner.with("upload-offset", "0");
        part.send(reqwest::Method::PATCH, &format!("/api/v1/uploads/{upload}"), Some(marker.repeat(10_000)))
            .await;
        let link = id(&make(&format!("{of}/links/{marker}"), json!({ "expires_in": 3600 })).await);
        let hook = json!({
            "path": marker, "target": { "function": function }, "authentication": { "kind": "none" },
            "deduplication": { "pointer": "/from" }, "description": marker,
        });
        let hook = make("/api/v1/hooks", hook).await;
        let url = hook["url"].as_str().unwrap().trim_start_matches(&server.url()).to_owned();
        let sent = server.anonymous().post(&url, json!({ "from": marker })).await;
        sent.ok(200);
        let names = vec![
            ("{collection}", collection),
            ("{*name}", marker.to_owned()),
            ("{upload}", upload),
            ("{link}", link),
            ("{hook}", id(&hook)),
            ("{delivery}", sent.header("safeconduct-delivery").to_owned()),
            ("{agent}", agent.clone()),
            ("{credential}", id(&credential)),
            ("{jti}", jti),
            ("{user}", person.id.to_string()),
            ("{invitation}", id(&invitation)),
            ("{group}", group),
            ("{domain}", id(&domain)),
            ("{role}", marker.to_owned()),
            ("{grant}", id(&grant)),
            ("{principal}", agent),
            ("{prefix}", marker.to_owned()),
            ("{key}", id(&key)),
            ("{auth_provider}", id(&provider)),
            ("{function}", function),
            ("{version}", id(&versions["items"][0])),
            ("{run}", id(&run)),
            ("{queue}", "function".to_owned()),
            ("{package}", package),
            ("{secret}", id(&secret)),
            ("{schedule}", schedule),
            ("{namespace}", space),
            ("{*key}", marker.to_owned()),
            ("{kill}", id(&kill)),
            ("{policy}", policy),
            ("{org}", slug.to_owned()),
            ("{resource_type}", "User".to_owned()),
            ("{schema}", "urn:ietf:params:scim:schemas:core:2.0:User".to_owned()),
        ];
        Self { org, marker, slug, names, told_by: BTreeSet::new() }
    }

    /// Once the ledger is drained: a fact of its own.
    pub(super) async fn settle(&mut self, server: &TestServer, owner: &Caller) {
        let list = owner.get("/api/v1/audit/events?kind=agent.created&limit=1").await.ok(200);
        self.names.push(("{fact}", id(&list["items"][0])));
        let rows = said(server, self.org).await;
        self.told_by = rows;
    }

    /// The first thing of this organization that a text tells.
    pub(super) fn shown_in(&self, text: &str) -> Option<&str> {
        let ids = self.told_by.iter().map(String::as_str);
        ids.chain([self.marker]).find(|told| text.contains(told))
    }

    fn name(&self, wanted: &str) -> &str {
        &self.names.iter().find(|(name, _)| *name == wanted).expect("a name").1
    }

    /// The operation's path with this organization's things, and with what its query must say.
    pub(super) fn path(&self, spec: &Spec) -> String {
        let mut path = spec.path.to_owned();
        for (name, value) in &self.names {
            path = path.replace(name, value);
        }
        assert!(!path.contains('{'), "{}: isolation does not know how to fill {path}", spec.id);
        match spec.id {
            "access.graph" => path.push_str("?permission=agents:read"),
            "audit.proof.inclusion" => path.push_str(&format!("?fact={}", self.name("{fact}"))),
            "audit.proof.consistency" => path.push_str("?first=1&second=2"),
            _ => {}
        }
        path
    }

    /// What an operation that reads by a body is asked, so that an answer without walls would be about everybody.
    pub(super) fn question(&self, spec: &Spec) -> Value {
        let subject = json!({ "type": "agent", "id": self.name("{agent}") });
        let resource = json!({ "type": "agents", "id": format!("default/{}", self.marker) });
        let (action, nobody) = (json!({ "name": "read" }), json!({ "type": "agent" }));
        let draft =
            "package safeconduct.agents\n\ndeny contains \"hidden\" if input.operation == \"agents.get\"";
        let bundle = json!({ "modules": [{ "path": "draft.rego", "text": draft }] });
        match spec.id {
            "access.evaluation" => json!({ "subject": subject, "action": action, "resource": resource }),
            "access.evaluations" => {
                json!({ "subject": subject, "resource": resource, "evaluations": [{ "action": action }] })
            }
            "access.search_subject" => json!({ "subject": nobody, "action": action, "resource": resource }),
            "access.search_resource" => {
                json!({ "subject": subject, "action": action, "resource": { "type": "agents" } })
            }
            "access.search_action" => json!({ "subject": subject, "resource": resource }),
            "policies.simulate" => json!({ "principal": subject["id"], "permission": "agents:read" }),
            "policies.what_if" => json!({ "days": 7, "bundle": bundle }),
            _ if spec.path.starts_with("/scim/") => {
                json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"] })
            }
            _ => serde_json::from_str(spec.example).expect("an example"),
        }
    }
}

/// Of what both organizations say, neither is told by it.
pub(super) fn part(one: &mut Furnished, other: &mut Furnished) {
    let both: BTreeSet<String> = one.told_by.intersection(&other.told_by).cloned().collect();
    for furnished in [one, other] {
        furnished.told_by.retain(|told| !both.contains(told));
        assert!(furnished.told_by.len() > 60, "{}: {:?}", furnished.slug, furnished.told_by);
    }
}

/// A token of the agent at its organization's issuer.
async fn token(server: &TestServer, slug: &str, agent: &str, credential: &Value) -> String {
    let secret = credential["client_secret"].as_str().expect("a secret");
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{agent}:{secret}"));
    let client = server.anonymous().with("authorization", format!("Basic {basic}"));
    let path = if slug == "home" { "/oauth2/token".to_owned() } else { format!("/o/{slug}/oauth2/token") };
    let answer = client.form(&path, &[("grant_type", "client_credentials")]).await.ok(200);
    answer["access_token"].as_str().expect("a token").to_owned()
}

/// Every id in every row of an organization, without its prefix: whatever an answer calls it, it ends like this.
async fn said(server: &TestServer, org: OrgId) -> BTreeSet<String> {
    let tamper = server.database.tamper().await;
    let mut said = BTreeSet::new();
    for table in tables_of_organizations(&tamper).await {
        let rows =
            tamper.rows(&format!("SELECT * FROM {table} WHERE org = {}", tamper.uuid(org.uuid()))).await;
        for cell in rows.into_iter().flatten().flatten() {
            let uuid = Uuid::try_parse(&cell).ok().filter(|uuid| uuid.get_version_num() == 7);
            if let Some(uuid) = uuid {
                said.insert(suffix(uuid));
            }
        }
    }
    let keys = format!("SELECT kid FROM signing_keys WHERE org = {}", tamper.uuid(org.uuid()));
    said.extend(tamper.rows(&keys).await.into_iter().flatten().flatten());
    said
}

fn suffix(uuid: Uuid) -> String {
    let text = FactId::from_uuid(uuid).to_string();
    text.trim_start_matches("evt_").to_owned()
}
