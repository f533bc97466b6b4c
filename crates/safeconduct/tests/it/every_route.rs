//! Every operation is tried: anonymous, from another organization, without the right, with it. A refused try changes no
//! row; a success answers its declared status, leaves exactly its declared facts and keeps to its documented schema.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;
use testing::Engine;
use web::{Access, Described, Spec};

use crate::sign_in::{App, Authenticator};
use crate::support::{Caller, TestDns, TestServer};

/// Operations that anybody may reach: the uniform tries do not fit. Each names a test that holds it instead.
const OPEN: &[(&str, &str)] = &[
    ("auth.redeem_link", "people::link::a_newer_link_voids_the_older_and_each_works_once"),
    ("auth.accept_invitation", "people::invitations::somebody_new_joins_with_the_roles_that_were_given"),
    ("auth.providers", "sign_in::flow::an_organizations_provider_signs_in_there_and_nowhere_else"),
    ("auth.begin", "sign_in::flow::an_organizations_provider_signs_in_there_and_nowhere_else"),
    ("auth.login", "sign_in::flow::an_organizations_provider_signs_in_there_and_nowhere_else"),
    ("auth.callback", "sign_in::oidc::somebody_comes_in_by_a_certified_provider"),
    ("auth.external", "sign_in::external::a_trusted_issuers_token_signs_in_once"),
    ("auth.send_code", "sign_in::otp::what_is_malformed_is_named_and_other_sites_are_refused"),
    ("auth.verify_code", "sign_in::otp::a_code_signs_its_person_in"),
    ("auth.second_factor", "sign_in::factors::with_an_app_a_password_is_half_a_sign_in"),
    (
        "auth.forgot_password",
        "sign_in::password::a_reset_link_dies_by_its_clock_by_a_newer_one_and_goes_to_known_addresses_only",
    ),
    ("auth.reset_password", "sign_in::password::of_a_hundred_that_use_one_reset_link_exactly_one_succeeds"),
    ("oauth.metadata", "oauth::metadata::metadata_names_what_answers_and_nothing_else"),
    ("oauth.org_metadata", "oauth::metadata::metadata_names_what_answers_and_nothing_else"),
    ("oauth.inserted_metadata", "oauth::metadata::metadata_names_what_answers_and_nothing_else"),
    ("oauth.openid", "oauth::metadata::metadata_names_what_answers_and_nothing_else"),
    ("oauth.org_openid", "oauth::metadata::metadata_names_what_answers_and_nothing_else"),
    ("oauth.keys", "oauth::keys::keys_of_organizations_are_their_own"),
    ("oauth.org_keys", "oauth::keys::keys_of_organizations_are_their_own"),
    ("oauth.token", "oauth::token::an_agent_gets_a_token_by_each_method"),
    ("oauth.org_token", "oauth::refusals::clients_belong_to_one_issuer"),
    ("oauth.introspect", "oauth::introspect::subject_owner_and_readers_see_a_token_and_nobody_else_does"),
    ("oauth.org_introspect", "oauth::introspect::what_is_no_living_token_of_this_issuer_is_inactive"),
    ("oauth.revoke", "oauth::revocation::revoking_is_for_the_client_the_owner_and_who_may"),
    ("oauth.org_revoke", "oauth::revocation::revoking_is_for_the_client_the_owner_and_who_may"),
    ("auth.redeem_link_for_token", "oauth::sign_in::a_link_becomes_tokens_once"),
    ("auth.refresh", "oauth::sign_in::a_refresh_token_works_once_and_its_reuse_ends_the_session"),
    ("oauth.device_authorization", "oauth::logins::a_device_comes_in_when_a_person_lets_it"),
    ("oauth.authorize", "oauth::logins::the_browser_is_sent_to_our_console_and_nowhere_else"),
    ("access.metadata", "policies::authzen::the_decision_point_describes_itself"),
    ("hooks.receive", "hooks::receive::a_delivery_runs_the_function_as_the_hook"),
    ("hooks.receive_get", "hooks::receive::every_method_may_be_taken"),
    ("hooks.receive_put", "hooks::receive::every_method_may_be_taken"),
    ("hooks.receive_patch", "hooks::receive::every_method_may_be_taken"),
    ("hooks.receive_delete", "hooks::receive::every_method_may_be_taken"),
    ("files.open_link", "files::links::a_link_opens_to_anybody_until_it_expires"),
];

/// What a path names is not an organization's own: the log's tiles are hashes of everybody's facts; each organization has a
/// queue of each kind, whose letters `runs::queue` and `people::isolation` look at.
const SHARED: &[&str] = &["audit.tile", "queues.dead", "scim.resource_types.get", "scim.schemas.get"];

testing::on_both_databases! {
    async fn every_operation_is_refused_and_allowed_as_declared(database: TestDatabase) {
        let dns = TestDns::start().await;
        let server = TestServer::start_with(database, &[("dns.servers", &dns.address.to_string())]).await;
        let owner = server.owner().await;
        proved_domain(&owner, &dns, "proved.example").await;
        let (foreigner, stranger) = server.person(server.elsewhere().await, &["owner"]).await;
        let (person, nobody) = server.person(server.home().await, &[]).await;
        let routes = safeconduct::routes(server.house());
        let mut open = Vec::new();
        for described in routes.described() {
            let spec = described.spec;
            if spec.access == Access::Open {
                open.push(spec.id);
                continue;
            }
            // What an earlier operation set going goes on by itself, and its end is a fact.
            at_rest(&server).await;
            let stage = Stage::set(&server, &dns, spec, &owner).await;
            // Decision points and directories are programs: the cookie is for the console and our own API.
            let by_token = match !spec.path.starts_with("/api/v1/") {
                true => Some((server.owner_tokens().await.1, server.by_token(server.home().await, &person).await)),
                false => None,
            };
            let (caller, nobody) = by_token.as_ref().map_or((&owner, &nobody), |(owner, nobody)| (owner, nobody));
            // Another organization's directory finds nobody either.
            let elsewhere = match spec.path.starts_with("/scim/") {
                true => Some(server.by_token(server.elsewhere().await, &foreigner).await),
                false => None,
            };
            let before = rows(&server).await;
            let unknown = stage.call(&server.anonymous(), spec).await;
            if spec.path.starts_with("/scim/") {
                crate::scim::refused(&unknown, 401, None, "unauthenticated");
            } else {
                unknown.refused(401, "unauthenticated");
            }
            let stranger = elsewhere.as_ref().unwrap_or(&stranger);
            if stage.names_something && !SHARED.contains(&spec.id) {
                let foreign = stage.call(stranger, spec).await;
                // What belongs to the instance is no secret, but an operator's.
                let operators = spec.required().is_some_and(|required| required.to_string().starts_with("system:"));
                let expected = if operators { 403 } else { 404 };
                assert_eq!(foreign.status.as_u16(), expected, "{} for another organization: {}", spec.id, foreign.text);
            }
            if let Some(required) = spec.required() {
                let problem = stage.call(nobody, spec).await;
                assert!(matches!(problem.status.as_u16(), 403 | 404), "{}: {}", spec.id, problem.text);
                if problem.status == 403 && spec.path.starts_with("/scim/") {
                    assert!(problem.text.contains(&required.to_string()), "{}: {}", spec.id, problem.text);
                } else if problem.status == 403 {
                    assert_eq!(problem.json()["permission"], required.to_string(), "{}", spec.id);
                }
            }
            assert_eq!(rows(&server).await, before, "a refused {} changed rows", spec.id);
            succeed(&server, described, &stage, caller).await;
        }
        let argued: Vec<&str> = OPEN.iter().map(|(id, _)| *id).collect();
        assert_eq!(open, argued, "open operations and the list of their own tests");
        server.finish().await;
    }
}

/// A test that was renamed or taken away must not go on holding an exception.
#[test]
fn the_tests_that_hold_open_operations_exist() {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    for (id, test) in OPEN {
        let (module, name) = test.rsplit_once("::").expect("a module and a name");
        let file = tests.join(module.replace("::", "/")).with_extension("rs");
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        // As tests begin: alone, or in `on_both_databases!`.
        let begins = [
            format!("#[tokio::test]\nasync fn {name}() {{"),
            format!("async fn {name}(database: TestDatabase) {{"),
        ];
        assert!(begins.iter().any(|begin| text.contains(begin)), "{id}: there is no {test}");
    }
}

#[tokio::test]
async fn operations_are_well_described() {
    let server = TestServer::sqlite().await;
    let routes = safeconduct::routes(server.house());
    let mut ids = std::collections::BTreeSet::new();
    for spec in routes.specs() {
        assert!(ids.insert(spec.id), "{} stands twice", spec.id);
        assert!(spec.id.contains('.'), "{}", spec.id);
        assert!(spec.method.writes() || spec.facts.is_empty(), "{} reads and records", spec.id);
        // Questions in a body, and first halves of acts: they write nothing.
        let is_quiet = matches!(
            spec.id,
            "auth.begin_passkey"
                | "auth.begin_totp"
                | "auth.begin_step_up"
                | "permissions.check"
                | "permissions.opens"
                | "policies.validate"
                | "policies.simulate"
                | "policies.what_if"
                | "schedules.preview"
                | "hooks.try"
                | "config.validate"
                | "config.plan"
                | "oauth.device_authorization"
                | "auth.show_device"
                // Only the part that completes an upload leaves its fact.
                | "uploads.append"
                // What it builds is a file of this machine, and no act.
                | "environments.build"
        ) || spec.path.starts_with("/access/v1/")
            || spec.path.ends_with("/.search");
        assert!(
            !spec.method.writes() || !spec.facts.is_empty() || is_quiet,
            "{} writes without a fact",
            spec.id
        );
        if !spec.example.is_empty() {
            assert!(serde_json::from_str::<serde_json::Value>(spec.example).is_ok(), "{}", spec.id);
        }
    }
    server.finish().await;
}

/// Two domains that give different types one name would describe one of them wrongly.
#[tokio::test]
async fn a_schemas_name_means_one_thing() {
    let server = TestServer::sqlite().await;
    let routes = safeconduct::routes(server.house());
    let mut known: BTreeMap<String, serde_json::Value> = BTreeMap::new();
    for described in routes.described() {
        for (name, schema) in described.named_schemas() {
            let first = known.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(*first, schema, "{name} of {}", described.spec.id);
        }
    }
    server.finish().await;
}

/// A domain that the home organization may speak for.
pub(crate) async fn proved_domain(owner: &Caller, dns: &TestDns, name: &str) {
    let domain = owner.post("/api/v1/domains", json!({ "name": name })).await.ok(201);
    dns.says(domain["record"].as_str().expect("a name"), domain["value"].as_str().expect("a text"));
    let path = format!("/api/v1/domains/{}/prove", domain["id"].as_str().expect("an id"));
    owner.post(&path, json!({})).await.ok(200);
}

/// A world in which the operation's example body succeeds.
struct Stage {
    path: String,
    /// The example body; ids in it are of things that are there.
    body: String,
    names_something: bool,
}

impl Stage {
    async fn set(server: &TestServer, dns: &TestDns, spec: &Spec, owner: &Caller) -> Self {
        let mut path = spec.path.to_owned();
        let mut body = if spec.example.is_empty() { "{}" } else { spec.example }.to_owned();
        if spec.id == "grants.create" {
            let agent = owner.post("/api/v1/agents", json!({ "name": "for-a-grant" })).await.ok(201);
            body = body.replace("agt_01h455vb4pex5vsknk084sn02q", agent["id"].as_str().expect("an id"));
        }
        let names_something = path.contains('{') || spec.id == "audit.proof.inclusion";
        if path.contains("{org}") {
            let (slug, leaves) = match spec.id {
                "orgs.delete" => ("leaving", false),
                "orgs.restore" => ("restored", true),
                _ => ("home", false),
            };
            if slug != "home" {
                owner.post("/api/v1/orgs", json!({ "slug": slug, "name": slug })).await.ok(201);
            }
            path = path.replace("{org}", slug);
            if leaves {
                let typed = json!({ "slug": slug }).to_string();
                let deleted = owner.send(Method::DELETE, &format!("/api/v1/orgs/{slug}"), Some(typed)).await;
                deleted.ok(200);
            }
        }
        if spec.id.starts_with("auth.switch") {
            // The second of these finds it founded.
            owner.post("/api/v1/orgs", json!({ "slug": "elsewhere-too", "name": "Elsewhere too" })).await;
        }
        if path.contains("{agent}") {
            let name = format!("for-{}", spec.id.replace(['.', '_'], "-"));
            let agent = owner.post("/api/v1/agents", json!({ "name": name })).await.ok(201);
            let id = agent["id"].as_str().expect("an id").to_owned();
            if matches!(spec.id, "agents.approve" | "agents.reject") {
                let asks = json!({ "settings": { "new_agents_need_approval": true } });
                owner.patch("/api/v1/orgs/home", asks).await.ok(200);
                let waits = json!({ "settings": { "new_agents_need_approval": false } });
                let name = format!("waiting-{}", spec.id.replace('.', "-"));
                let agent = owner.post("/api/v1/agents", json!({ "name": name })).await.ok(201);
                owner.patch("/api/v1/orgs/home", waits).await.ok(200);
                path = path.replace("{agent}", agent["id"].as_str().expect("an id"));
            }
            if spec.id == "agents.reactivate" {
                owner.post(&format!("/api/v1/agents/{id}/suspend"), json!({})).await.ok(200);
            }
            if path.contains("{credential}") {
                let body = json!({ "kind": "secret", "label": "staged" });
                let made = owner.post(&format!("/api/v1/agents/{id}/credentials"), body).await.ok(201);
                path = path.replace("{credential}", made["id"].as_str().expect("an id"));
            }
            path = path.replace("{agent}", &id);
        }
        if path.contains("{user}") {
            let home = server.home().await;
            let email = format!("for-{}@proved.example", spec.id.replace('.', "-"));
            let person = server.house().people.enrol(home, "Staged", Some(&email), &["member"]).await;
            let person = person.expect("a person");
            if spec.id == "users.reactivate" {
                owner.post(&format!("/api/v1/users/{}/suspend", person.id), json!({})).await.ok(200);
            }
            if spec.id == "system.users.reactivate" {
                owner.post(&format!("/api/v1/system/users/{}/suspend", person.id), json!({})).await.ok(200);
            }
            path = path.replace("{user}", &person.id.to_string());
        }
        if path.contains("{role}") {
            let name = format!("for-{}", spec.id.replace('.', "-"));
            owner.post("/api/v1/roles", json!({ "name": name, "permissions": [] })).await.ok(201);
            path = path.replace("{role}", &name);
        }
        if path.contains("{grant}") {
            let agent = owner
                .post("/api/v1/agents", json!({ "name": format!("for-{}", spec.id.replace('.', "-")) }))
                .await
                .ok(201);
            let body = json!({ "principal": agent["id"], "role": "viewer" });
            let grant = owner.post("/api/v1/grants", body).await.ok(201);
            path = path.replace("{grant}", grant["id"].as_str().expect("an id"));
        }
        if path.contains("{principal}") {
            let me = owner.get("/api/v1/auth/me").await.ok(200);
            path = path.replace("{principal}", me["principal"]["id"].as_str().expect("an id"));
        }
        if path.contains("{prefix}") {
            let prefix = format!("for-{}", spec.id.replace(['.', '_'], "-"));
            owner.post("/api/v1/resource-prefixes", json!({ "prefix": prefix })).await.ok(201);
            path = path.replace("{prefix}", &prefix);
        }
        if path.contains("{key}") {
            let body = json!({ "name": "staged", "permissions": ["agents:read"] });
            let key = owner.post("/api/v1/api-keys", body).await.ok(201);
            path = path.replace("{key}", key["id"].as_str().expect("an id"));
        }
        if path.contains("{auth_provider}") {
            let name = format!("for-{}", spec.id.replace(['.', '_'], "-"));
            let made =
                owner.post("/api/v1/auth-providers", json!({ "name": name, "kind": "otp" })).await.ok(201);
            path = path.replace("{auth_provider}", made["id"].as_str().expect("an id"));
        }
        if path.contains("{kill}") {
            owner.post("/api/v1/agents", json!({ "name": "for-a-kill" })).await.ok(201);
            let kill = owner.post("/api/v1/agents/default:for-a-kill/kill", json!({})).await.ok(200);
            path = path.replace("{kill}", kill["id"].as_str().expect("an id"));
        }
        if path.contains("{jti}") {
            let agent = server.agent(owner, "for-a-token", &["agents:read:all"]).await;
            let caller = server.as_agent(&agent).await;
            let claims = crate::support::claims(caller.bearer.as_deref().expect("a token"));
            server.house().ledger.drain().await.expect("the ledger drains");
            path = path.replace("{jti}", claims["jti"].as_str().expect("an id"));
        }
        if path.contains("{policy}") {
            let rule = "package safeconduct\ndeny contains \"nothing\" if input.operation == \"nothing\"";
            let bundle = json!({ "modules": [{ "path": "staged.rego", "text": rule }] });
            let made = owner.post("/api/v1/policies", json!({ "bundle": bundle })).await.ok(201);
            let id = made["id"].as_str().expect("an id").to_owned();
            if spec.id == "policies.deactivate" {
                owner.post(&format!("/api/v1/policies/{id}/activate"), json!({})).await.ok(200);
            }
            path = path.replace("{policy}", &id);
        }
        if path.contains("{namespace}") {
            let name = format!("for-{}", spec.id.replace(['.', '_'], "-"));
            owner.post("/api/v1/state", json!({ "name": name })).await.ok(201);
            if path.contains("{*key}") {
                let value = match spec.id {
                    "state.entries.increment" => json!(1),
                    "state.entries.append" => json!([]),
                    _ => json!({}),
                };
                owner
                    .put(&format!("/api/v1/state/{name}/entries/a/b"), json!({ "value": value }))
                    .await
                    .ok(200);
                path = path.replace("{*key}", "a/b");
            }
            path = path.replace("{namespace}", &name);
        }
        if path.contains("{collection}") || path.contains("{upload}") || path.contains("{link}") {
            let name = format!("for-{}", spec.id.replace(['.', '_'], "-"));
            owner.post("/api/v1/collections", json!({ "name": name })).await.ok(201);
            let collection = format!("/api/v1/collections/{name}");
            if path.contains("{*name}") || path.contains("{link}") {
                let file = owner.put(&format!("{collection}/files/a/b"), json!("first")).await.ok(200);
                owner.put(&format!("{collection}/files/a/b"), json!("second")).await.ok(200);
                if spec.id == "files.restore" {
                    body = json!({ "version": file["version"] }).to_string();
                }
            }
            if path.contains("{upload}") {
                let begun = json!({ "name": "a/b", "size": body.len() });
                let upload = owner.post(&format!("{collection}/uploads"), begun).await.ok(201);
                path = path.replace("{upload}", upload["id"].as_str().expect("an id"));
            }
            if path.contains("{link}") {
                let link =
                    owner.post(&format!("{collection}/links/a/b"), json!({ "expires_in": 60 })).await.ok(201);
                path = path.replace("{link}", link["id"].as_str().expect("an id"));
            }
            path = path.replace("{collection}", &name).replace("{*name}", "a/b");
        }
        if path.contains("{hook}") || spec.id == "hooks.create" {
            let code = "def handler(input, context):\n    return input\n";
            let function = json!({ "namespace": "staged", "name": "for_hooks", "code": code });
            // There for the first of them is there for all.
            owner.post("/api/v1/functions", function).await;
        }
        if path.contains("{hook}") {
            let authentication = match path.contains("{delivery}") {
                true => json!({ "kind": "none" }),
                false => json!({ "kind": "hmac", "preset": "github" }),
            };
            let hook = json!({
                "path": format!("for-{}", spec.id), "target": { "function": "staged:for_hooks" },
                "authentication": authentication,
            });
            let hook = owner.post("/api/v1/hooks", hook).await.ok(201);
            if path.contains("{delivery}") {
                let url = hook["url"].as_str().expect("an address");
                let sent = server.anonymous().post(url.trim_start_matches(&server.url()), json!({})).await;
                path = path.replace("{delivery}", sent.header("safeconduct-delivery"));
            }
            path = path.replace("{hook}", hook["id"].as_str().expect("an id"));
        }
        if path.contains("{session}") {
            // A second session of the same person: the one in use must live on.
            let second = server.owner().await;
            let me = second.get("/api/v1/auth/me").await.ok(200);
            path = path.replace("{session}", me["session"]["id"].as_str().expect("an id"));
        }
        if path.contains("{function}") || path.contains("{run}") {
            let code = match spec.id {
                "runs.cancel" => "import time\ndef handler(input, context):\n    time.sleep(600)\n",
                "runs.continue" => "def handler(input, context):\n    return context.ask('Go on?')\n",
                "runs.retry" | "runs.flush" => "def handler(input, context):\n    raise ValueError\n",
                _ => "def handler(input, context):\n    return {\"hello\": input}\n",
            };
            let name = format!("for_{}", spec.id.replace('.', "_"));
            let mut body = json!({ "namespace": "staged", "name": name, "code": code });
            if spec.id == "runs.flush" {
                body["retry"] = json!({ "max_attempts": 2, "initial_seconds": 0 });
            }
            let function = owner.post("/api/v1/functions", body).await.ok(201);
            let id = function["id"].as_str().expect("an id").to_owned();
            if spec.id == "functions.make_live" {
                let next = json!({ "code": "def handler(input, context):\n    return 2\n" });
                owner.post(&format!("/api/v1/functions/{id}/versions"), next).await.ok(201);
                let versions = owner.get(&format!("/api/v1/functions/{id}/versions")).await.ok(200);
                path = path.replace("{version}", versions["items"][1]["id"].as_str().expect("an id"));
            }
            if path.contains("{version}") {
                let versions = owner.get(&format!("/api/v1/functions/{id}/versions")).await.ok(200);
                path = path.replace("{version}", versions["items"][0]["id"].as_str().expect("an id"));
            }
            if path.contains("{run}") {
                let execute = format!("/api/v1/functions/{id}/execute");
                let body = json!({ "input": {} });
                let run = if spec.id == "runs.cancel" {
                    owner.with("prefer", "respond-async").post(&execute, body).await.ok(202)
                } else if spec.id == "runs.continue" {
                    owner.post(&execute, body).await.ok(202)
                } else {
                    owner.post(&execute, body).await.ok(200)
                };
                path = path.replace("{run}", run["id"].as_str().expect("an id"));
            }
            path = path.replace("{function}", &id);
        }
        if path.contains("{secret}") {
            let name = format!("FOR_{}", spec.id.replace('.', "_"));
            owner.post("/api/v1/secrets", json!({ "name": name, "value": "staged value" })).await.ok(201);
            path = path.replace("{secret}", &name);
        }
        path = path.replace("{queue}", "function");
        if path.contains("{package}") {
            let wanted = json!({ "name": spec.id.replace('.', "-") });
            let made = owner.post("/api/v1/packages", wanted).await.ok(201);
            path = path.replace("{package}", made["id"].as_str().expect("an id"));
        }
        if path.contains("{schedule}") || spec.id == "schedules.create" {
            let code = "def handler(input, context):\n    return input\n";
            let name = format!("for_{}", spec.id.replace('.', "_"));
            let function = json!({ "namespace": "staged", "name": name, "code": code });
            let function = owner.post("/api/v1/functions", function).await.ok(201);
            body = body.replace("demo:echo", function["id"].as_str().expect("an id"));
            if path.contains("{schedule}") {
                let wanted = json!({ "name": spec.id, "function": function["id"], "timing": { "every_seconds": 86400 } });
                let made = owner.post("/api/v1/schedules", wanted).await.ok(201);
                path = path.replace("{schedule}", made["id"].as_str().expect("an id"));
            }
        }
        if path.contains("{fact}") || spec.id == "audit.proof.inclusion" {
            server.house().ledger.drain().await.expect("the ledger drains");
            let list = owner.get("/api/v1/audit/events?limit=1").await.ok(200);
            let id = list["items"][0]["id"].as_str().expect("a fact");
            path = path.replace("{fact}", id);
            if spec.id == "audit.proof.inclusion" {
                path.push_str(&format!("?fact={id}"));
            }
        }
        if path.contains("{*path}") {
            server.house().ledger.drain().await.expect("the ledger drains");
            path = path.replace("{*path}", "0/000.p/1");
        }
        if spec.id == "audit.proof.consistency" {
            path.push_str("?first=1&second=2");
        }
        if path.contains("{group}") {
            let name = format!("For {}", spec.id);
            let group = owner.post("/api/v1/groups", json!({ "name": name })).await.ok(201);
            let id = group["id"].as_str().expect("an id").to_owned();
            path = path.replace("{group}", &id);
            let (person, _) = server.person(server.home().await, &["member"]).await;
            if spec.id == "groups.add" {
                body = json!({ "member": person.id }).to_string();
            }
            if path.contains("{member}") {
                let members = format!("/api/v1/groups/{id}/members");
                owner.post(&members, json!({ "member": person.id })).await.ok(201);
                path = path.replace("{member}", &person.id.to_string());
            }
        }
        if path.contains("{domain}") {
            let name = format!("for-{}.example", spec.id.replace('.', "-"));
            let domain = owner.post("/api/v1/domains", json!({ "name": name })).await.ok(201);
            dns.says(domain["record"].as_str().expect("a name"), domain["value"].as_str().expect("a text"));
            path = path.replace("{domain}", domain["id"].as_str().expect("an id"));
        }
        if path.contains("{invitation}") {
            let email = format!("for-{}@example.com", spec.id.replace('.', "-"));
            let made = owner.post("/api/v1/invitations", json!({ "email": email })).await.ok(201);
            path = path.replace("{invitation}", made["id"].as_str().expect("an id"));
        }
        if spec.id == "invitations.accept" {
            let elsewhere = server.stranger().await;
            let invitation = json!({ "email": "whoever@example.com" });
            let made = elsewhere.post("/api/v1/invitations", invitation).await.ok(201);
            let token = made["link"].as_str().and_then(|link| link.split_once('#')).expect("a link").1;
            body = json!({ "token": token }).to_string();
        }
        path = path.replace("{resource_type}", "User");
        path = path.replace("{schema}", "urn:ietf:params:scim:schemas:core:2.0:User");
        if path.contains("{factor}") {
            path = path.replace("{factor}", &App::of(server, owner).await.id);
        }
        assert!(!path.contains('{'), "{}: every_route does not know how to fill {path}", spec.id);
        if let Some(own) = Self::body(server, spec, owner).await {
            body = own;
        }
        Self { path, body, names_something }
    }

    async fn body(server: &TestServer, spec: &Spec, owner: &Caller) -> Option<String> {
        let body = match spec.id {
            "scim.agents.create" => {
                let me = owner.get("/api/v1/auth/me").await.ok(200);
                let unknown = "usr_01h455vb4pex5vsknk084sn02q";
                return Some(spec.example.replace(unknown, me["principal"]["id"].as_str().expect("an id")));
            }
            "auth.confirm_totp" => {
                let begun = owner.post("/api/v1/auth/factors/totp", json!({})).await.ok(200);
                json!({ "state": begun["state"], "code": App::first_code(server, &begun) })
            }
            "auth.confirm_passkey" => {
                let begun = owner.post("/api/v1/auth/factors/passkey", json!({})).await.ok(200);
                let credential = Authenticator::new().create(&server.url(), &begun["options"]);
                json!({ "state": begun["state"], "credential": credential })
            }
            "auth.show_device" | "auth.approve_device" | "auth.deny_device" => {
                let form = [("client_id", "cli_01jc000000e008000000000001")];
                let begun = server.anonymous().form("/oauth2/device_authorization", &form).await.ok(200);
                json!({ "user_code": begun["user_code"] })
            }
            _ => return None,
        };
        Some(body.to_string())
    }

    async fn call(&self, caller: &Caller, spec: &Spec) -> crate::support::Answer {
        let method = Method::from_bytes(spec.method.name().as_bytes()).expect("a method");
        let body = spec.method.writes().then(|| self.body.clone());
        if spec.id == "uploads.append" {
            return caller.with("upload-offset", "0").send(method, &self.path, body).await;
        }
        caller.send(method, &self.path, body).await
    }
}

impl Stage {
    /// The status, without waiting for the body's end.
    async fn head(&self, caller: &Caller) -> u16 {
        let request = caller.http.get(format!("{}{}", caller.url, self.path));
        let response = request.header("cookie", caller.cookie.clone().expect("a cookie")).send().await;
        response.expect("the server answers").status().as_u16()
    }
}

async fn succeed(server: &TestServer, described: &Described, stage: &Stage, owner: &Caller) {
    let spec = described.spec;
    // What ends the caller's session must not end the test's.
    let caller = match spec.id {
        "auth.logout" | "auth.switch" => server.owner().await,
        "auth.switch_for_token" => server.owner_tokens().await.1,
        "sessions.revoke_all" => server.person(server.home().await, &["owner"]).await.1,
        "auth.begin_step_up" | "auth.step_up" => somebody_with_a_password(server, owner, spec).await,
        _ => owner.clone(),
    };
    let before = kinds(server).await;
    if matches!(spec.id, "audit.stream" | "state.entries.watch") {
        // It does not end by itself.
        assert_eq!(stage.head(&caller).await, spec.status, "{}", spec.id);
        return;
    }
    let answer = stage.call(&caller, spec).await;
    assert_eq!(answer.status.as_u16(), spec.status, "{}: {}", spec.id, answer.text);
    // The run goes on by itself; its facts must not be taken for another operation's.
    if matches!(spec.id, "schedules.run" | "hooks.deliveries.replay" | "runs.continue" | "runs.retry") {
        at_rest(server).await;
    }
    let mut left = kinds(server).await;
    for (kind, count) in before {
        let now = left.get_mut(&kind).expect("facts do not vanish");
        *now -= count;
    }
    left.retain(|_, count| *count > 0);
    for declared in spec.facts {
        assert!(left.remove(declared.name).is_some(), "{} left no {}", spec.id, declared.name);
    }
    left.retain(|kind, _| !spec.further_facts.iter().any(|further| further.name == kind));
    left.retain(|kind, _| !COMING.contains(kind.as_str()));
    if spec.stands_for_others {
        let routes = safeconduct::routes(server.house());
        let others: Vec<&str> = routes.specs().flat_map(|other| other.facts).map(|fact| fact.name).collect();
        left.retain(|kind, _| !others.contains(&kind.as_str()));
    }
    assert!(left.is_empty(), "{} left {left:?}, which it does not declare", spec.id);
    if let Some(schema) = described.answer_schema() {
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let body = answer.json();
        let errors: Vec<String> =
            validator.iter_errors(&body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{} against its schema: {errors:#?}", spec.id);
    }
}

/// Who can confirm: with an address, and the password of the example.
async fn somebody_with_a_password(server: &TestServer, owner: &Caller, spec: &Spec) -> Caller {
    let name = spec.id.replace(['.', '_'], "-");
    let provider = json!({ "name": name, "kind": "password", "instance": true });
    owner.post("/api/v1/auth-providers", provider).await.ok(201);
    let (people, home) = (&server.house().people, server.home().await);
    let email = format!("{name}@example.com");
    let person = people.enrol(home, "Somebody", Some(&email), &["member"]).await.expect("a person");
    let contact = web::Contact::default();
    let started = people.sign_in(home, &person, people::SessionKind::Browser, "test", &contact).await;
    let cookie = format!("safeconduct_dev={}", started.expect("a session").secret.reveal());
    let caller = Caller { cookie: Some(cookie), ..server.anonymous() };
    caller.post("/api/v1/auth/password", json!({ "password": "tangerine-submarine-4" })).await.ok(200);
    caller
}

/// Waits until no run is under way.
async fn at_rest(server: &TestServer) {
    let tamper = server.database.tamper().await;
    let open = "SELECT count(*) FROM runs WHERE state IN ('queued', 'leased', 'running')";
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while tamper.number(open).await > 0 {
        assert!(std::time::Instant::now() < until, "runs do not end");
        tokio::task::yield_now().await;
    }
}

async fn kinds(server: &TestServer) -> BTreeMap<String, i64> {
    let tamper = server.database.tamper().await;
    let rows = tamper.rows("SELECT kind, count(*) FROM facts GROUP BY kind").await;
    let pair = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter().flatten();
        (cells.next().expect("a kind"), cells.next().and_then(|text| text.parse().ok()).expect("a count"))
    };
    rows.into_iter().map(pair).collect()
}

/// Tables that move by themselves: readers of the ledger, heartbeats, notes of last use.
const MOVING: &[&str] = &[
    "leaves",
    "tiles",
    "checkpoints",
    "audit_index",
    "audit_terms",
    "ledger_readers",
    "log_head",
    "last_used",
    "nodes",
    "node_reports",
    "workers",
    "permission_uses",
];

/// Facts that come by themselves: what was counted for a minute, keys that were due.
const COMING: &str = "('decision.allowed', 'key.retired')";

/// Row counts of every table that does not move by itself.
async fn rows(server: &TestServer) -> BTreeMap<String, i64> {
    let tamper = server.database.tamper().await;
    let tables = match tamper.engine() {
        Engine::Sqlite => "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        // Partitions are counted with what they are parts of.
        Engine::Postgres => {
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') \
             AND NOT relispartition"
        }
    };
    let mut counts = BTreeMap::new();
    for table in tamper.rows(tables).await.into_iter().flatten().flatten() {
        if !MOVING.contains(&table.as_str()) {
            let moving =
                if table == "facts" { format!(" WHERE kind NOT IN {COMING}") } else { String::new() };
            let count = tamper.number(&format!("SELECT count(*) FROM {table}{moving}")).await;
            counts.insert(table, count);
        }
    }
    counts
}
