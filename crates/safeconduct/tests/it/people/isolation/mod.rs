//! A member of two organizations sees the rows of the one that it stands in, and never the other's. Both organizations
//! hold something of every kind, so that each list would show the other's rows if its wall were gone.

mod furnished;
mod last_wall;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use web::{Access, Described, Method, Spec};

use crate::support::{Answer, Caller, TestServer};
use furnished::Furnished;

/// Reading operations that the test leaves out, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("audit.stream", "it does not end by itself; audit::stream holds it"),
    ("state.entries.watch", "it does not end by itself; state::watch holds it"),
    ("audit.tile", "the log's tiles are hashes of everybody's facts"),
];

/// Lists that have no rows of an organization, and why.
const BARE: &[(&str, &str)] = &[
    ("access.search_action", "answers which actions one subject may do"),
    ("auth.factors", "of the person, wherever it stands"),
    ("auth_providers.kinds", "what this server can do"),
    ("events.catalogue", "what this server can record"),
    ("permissions.check", "answers which permissions the caller holds"),
    ("permissions.opens", "answers which operations a permission opens"),
    ("queues.list", "counts; runs::queue holds that they are the organization's own"),
    ("scim.resource_types.list", "describes the protocol"),
    ("scim.schemas.list", "describes the protocol"),
];

/// What the person may read about the organizations that it belongs to, wherever it stands.
const OF_THE_PERSON: &[&str] = &["orgs.list", "orgs.get"];

/// The ledger of the organization that the founder stood in says which one was founded: its id, and nothing in it.
const OF_THE_FOUNDER: &[&str] = &["audit.events.list", "audit.export"];

/// What is named in a path and is nobody's in particular.
const SHARED: &[&str] = &["queues.dead", "scim.resource_types.get", "scim.schemas.get"];

/// Reads, by a caller: acts, open doors and what only operators read are held by `every_route` and their own tests.
fn reads(spec: &Spec) -> bool {
    let asks = spec.method == Method::Post
        && spec.facts.is_empty()
        && spec.further_facts.is_empty()
        && !spec.id.starts_with("auth.");
    let of_operators = spec.required().is_some_and(|required| required.to_string().starts_with("system:"));
    let left_out = LEFT_OUT.iter().any(|(id, _)| *id == spec.id);
    spec.access != Access::Open && (spec.method == Method::Get || asks) && !of_operators && !left_out
}

/// Whether the answer is described as a list.
fn lists(described: &Described) -> bool {
    let Some(schema) = described.answer_schema() else { return false };
    let named = schema["$ref"].as_str().and_then(|name| schema.pointer(name.trim_start_matches('#')));
    let properties = &named.unwrap_or(&schema)["properties"];
    ["items", "results", "Resources"].iter().any(|name| properties[name]["type"] == "array")
}

/// Somebody who stands in an organization, in both ways that callers prove themselves.
struct Standing {
    by_cookie: Caller,
    by_token: Caller,
}

impl Standing {
    /// The cookie is for the console and our own API.
    fn caller(&self, spec: &Spec) -> &Caller {
        if spec.path.starts_with("/api/v1/") { &self.by_cookie } else { &self.by_token }
    }

    async fn ask(&self, spec: &Spec, about: &Furnished) -> Answer {
        let caller = self.caller(spec);
        let path = about.path(spec);
        match spec.method {
            Method::Get => caller.get(&path).await,
            _ => caller.post(&path, about.question(spec)).await,
        }
    }
}

/// The same person, here and there.
async fn stand_in_both(server: &TestServer) -> (Standing, Standing) {
    let founder = server.owner().await;
    founder.post("/api/v1/orgs", json!({ "slug": "acme", "name": "Acme" })).await.ok(201);
    let answer = founder.post("/api/v1/auth/switch", json!({ "org": "acme" })).await;
    answer.ok(200);
    let cookie = answer.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    let moved = server.owner_tokens().await.1;
    let moved = moved.post("/api/v1/auth/switch/token", json!({ "org": "acme" })).await.ok(200);
    let bearer = moved["access_token"].as_str().map(str::to_owned);
    let there = Standing {
        by_cookie: Caller { cookie: Some(cookie), ..server.anonymous() },
        by_token: Caller { bearer, ..server.anonymous() },
    };
    (Standing { by_cookie: server.owner().await, by_token: server.owner_tokens().await.1 }, there)
}

/// Asks a list to its end.
async fn whole(standing: &Standing, spec: &Spec, about: &Furnished) -> String {
    let first = standing.ask(spec, about).await;
    assert!(first.status.is_success(), "{}: {}", spec.id, first.text);
    let mut text = first.text.clone();
    let next = |text: &str| {
        let body: Value = serde_json::from_str(text).unwrap_or_default();
        body["next_cursor"].as_str().map(str::to_owned)
    };
    let path = about.path(spec);
    let mut cursor = next(&text).filter(|_| spec.method == Method::Get);
    while let Some(after) = cursor {
        let join = if path.contains('?') { '&' } else { '?' };
        let page = standing.caller(spec).get(&format!("{path}{join}cursor={after}")).await;
        assert!(page.status.is_success(), "{}: {}", spec.id, page.text);
        cursor = next(&page.text);
        text.push_str(&page.text);
    }
    text
}

testing::on_both_databases! {
    async fn no_read_shows_rows_of_the_other_organization(database: TestDatabase) {
        let server = TestServer::start_with(database, &[("decisions.record", "full")]).await;
        let (here, there) = stand_in_both(&server).await;
        let home = server.home().await;
        let away = server.house().people.org_by_slug("acme").await.unwrap().unwrap().id;
        let mut own = Furnished::new(&server, &here.by_cookie, home, "home", "at-home").await;
        let mut other = Furnished::new(&server, &there.by_cookie, away, "acme", "far-away").await;
        server.house().policies.flush().await;
        server.house().ledger.drain().await.unwrap();
        own.settle(&server, &here.by_cookie).await;
        other.settle(&server, &there.by_cookie).await;
        furnished::part(&mut own, &mut other);

        let routes = safeconduct::routes(server.house());
        let (mut bare, mut faults) = (BTreeSet::new(), Vec::new());
        for described in routes.described().iter().filter(|described| reads(described.spec)) {
            let spec = described.spec;
            for (standing, own, other) in [(&here, &own, &other), (&there, &other, &own)] {
                let mut text = whole(standing, spec, own).await;
                if OF_THE_FOUNDER.contains(&spec.id) {
                    text = text.replace(&other.org.to_string(), "the founded");
                }
                let place = format!("{} in {}", spec.id, own.marker);
                if let Some(shown) = other.shown_in(&text).filter(|_| !OF_THE_PERSON.contains(&spec.id)) {
                    faults.push(format!("{place} shows {shown} of the other organization"));
                }
                if lists(described) && own.shown_in(&text).is_none() {
                    bare.insert(spec.id);
                }
                // What is there is not there for who stands elsewhere, with every right in both.
                if spec.path.contains('{') && !OF_THE_PERSON.contains(&spec.id) && !SHARED.contains(&spec.id) {
                    let foreign = standing.ask(spec, other).await;
                    if foreign.status.as_u16() != 404 {
                        faults.push(format!("{place} answers {} about the other's: {}", foreign.status, foreign.text));
                    }
                }
            }
        }
        assert_eq!(faults, Vec::<String>::new());
        // A list without rows of its own would prove nothing.
        assert_eq!(bare.into_iter().collect::<Vec<_>>(), BARE.iter().map(|(id, _)| *id).collect::<Vec<_>>());
        server.finish().await;
    }
}
