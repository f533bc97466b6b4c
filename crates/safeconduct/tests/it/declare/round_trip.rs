//! What is exported changes nothing when it is applied, and what is applied is what is exported.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use super::{EVERYTHING, EXPORT, apply, changes, document, plan};
use crate::support::{Caller, TestServer};

async fn exported(owner: &Caller, manager: &str) -> String {
    let view = owner.get(&format!("{EXPORT}?manager={manager}")).await.ok(200);
    view["document"].as_str().expect("a document").to_owned()
}

testing::on_both_databases! {
    async fn an_export_changes_nothing_and_founds_the_same_elsewhere(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        apply(&owner, &document("acme", EVERYTHING)).await.ok(200);
        owner.post("/api/v1/roles", json!({ "name": "by-hand", "permissions": [] })).await.ok(201);
        let text = exported(&owner, "acme").await;
        assert!(!text.contains("by-hand"), "{text}");
        let planned = plan(&owner, &text).await;
        assert_eq!((changes(&planned), &planned["unchanged"]), (Vec::new(), &json!(7)), "{text}");
        // All of it, whoever made it.
        let all = owner.get(EXPORT).await.ok(200);
        let planned = plan(&owner, all["document"].as_str().expect("a document")).await;
        assert_eq!((changes(&planned), &planned["adopted"][0]["key"]), (Vec::new(), &json!("by-hand")));
        let (_, stranger) = server.person(server.elsewhere().await, &["owner"]).await;
        assert_eq!(changes(&apply(&stranger, &text).await.ok(200)).len(), 7, "{text}");
        assert_eq!(exported(&stranger, "acme").await, text);
        server.finish().await;
    }

    /// Random documents: apply, export, plan (nothing), apply elsewhere, export (the same).
    async fn whatever_is_applied_comes_back(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let (_, stranger) = server.person(server.elsewhere().await, &["owner"]).await;
        let mut runner = TestRunner::deterministic();
        for round in 0..12 {
            let spec = specs(round).new_tree(&mut runner).expect("a document").current();
            let name = format!("round-{round}");
            let given = json!({
                "apiVersion": "safeconduct.dev/v1", "kind": "Config", "metadata": { "name": name }, "spec": spec,
            });
            // JSON is YAML.
            let applied = apply(&owner, &given.to_string()).await;
            assert_eq!(applied.status.as_u16(), 200, "{given:#}\n{}", applied.text);
            let text = exported(&owner, &name).await;
            let planned = plan(&owner, &text).await;
            assert_eq!(changes(&planned), Vec::<String>::new(), "{planned:#}\n{text}");
            assert_eq!(changes(&plan(&owner, &given.to_string()).await), Vec::<String>::new(), "{given:#}");
            let there = apply(&stranger, &text).await;
            assert_eq!(there.status.as_u16(), 200, "{text}\n{}", there.text);
            assert_eq!(exported(&stranger, &name).await, text);
        }
        server.finish().await;
    }
}

/// Texts with everything that YAML or our own names could stumble over.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,20}",
        "(\\$|\\{|\\}|\\$\\{|A|B|file:|\n| |#|:|-|é|\u{2028}){0,12}",
        Just("null".to_owned()),
        Just("1e5".to_owned()),
        Just("line\nline\n".to_owned()),
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 10, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z/~]{1,4}", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn permissions() -> impl Strategy<Value = Vec<String>> {
    let one = prop_oneof![
        Just("agents:read:all"),
        Just("agents:read:own"),
        Just("agents/ops/*:read"),
        Just("state/**:update"),
        Just("*:read"),
        Just("functions/a/b:execute:group"),
    ];
    prop::collection::vec(one.prop_map(str::to_owned), 0..4)
}

fn egress() -> impl Strategy<Value = Value> {
    let host = prop::sample::select(&["a.example", "*.a.example", "[::1]", "192.0.2.1"][..]);
    let methods =
        prop::sample::subsequence(&["GET", "POST", "OPTIONS"][..], 1..3).prop_map(|some| json!(some));
    let path = prop::sample::select(&["/", "/v1", "/v1/a%20b/"][..]).prop_map(Value::from);
    (host, some(methods), some(path), some(Just(json!("http"))), some((1..65_536_i64).prop_map(Value::from)))
        .prop_map(|(host, methods, path, scheme, port)| {
            let more = vec![("methods", methods), ("path", path), ("scheme", scheme), ("port", port)];
            with(json!({ "host": host }), more)
        })
}

/// Whether an optional member stands there.
fn some<S: Strategy<Value = Value>>(value: S) -> impl Strategy<Value = Option<Value>> {
    prop::option::of(value)
}

fn with(mut entry: Value, more: Vec<(&str, Option<Value>)>) -> Value {
    let given = more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    entry.as_object_mut().expect("members").extend(given.collect::<Map<_, _>>());
    entry
}

fn specs(round: usize) -> impl Strategy<Value = Value> {
    let role =
        (permissions(), some(text().prop_map(Value::from))).prop_map(move |(permissions, description)| {
            with(
                json!({ "name": format!("role-{round}"), "permissions": permissions }),
                vec![("description", description)],
            )
        });
    let group = some(text().prop_map(Value::from)).prop_map(move |description| {
        with(json!({ "name": format!("Group: {round}") }), vec![("description", description)])
    });
    let namespace = (
        some(text().prop_map(Value::from)),
        some((1..1000_i64).prop_map(Value::from)),
        some(any::<bool>().prop_map(Value::from)),
        some(Just(json!({ "type": "object", "properties": { "a": { "type": "string" } } }))),
    )
        .prop_map(move |(description, ttl, secret, schema)| {
            let more = vec![
                ("description", description),
                ("ttl_seconds", ttl),
                ("secret", secret),
                ("schema", schema),
            ];
            with(json!({ "name": format!("space-{round}") }), more)
        });
    let collection = (some((1..100_i64).prop_map(Value::from)), some(Just(json!(["text/csv", "image/*"]))))
        .prop_map(move |(kept, types)| {
            let more = vec![("versions_kept", kept), ("content_types", types)];
            with(json!({ "name": format!("files-{round}") }), more)
        });
    let function = (
        some(text().prop_map(Value::from)),
        some(Just(json!({ "type": "object" }))),
        some((1..5_i64).prop_map(|attempts| json!({ "max_attempts": attempts }))),
        some((0..5_i64).prop_map(Value::from)),
        some(
            (0..5_i64, 1..90_i64).prop_map(|(starts, span)| json!({ "starts": starts, "per_seconds": span })),
        ),
        some(prop::sample::select(&["fork", "cold"][..]).prop_map(Value::from)),
        some(permissions().prop_map(Value::from)),
        some(prop::collection::vec("[a-z]{1,5}", 0..3).prop_map(Value::from)),
        some(prop::collection::vec(egress(), 0..3).prop_map(Value::from)),
    )
        .prop_map(
            move |(description, schema, retry, concurrency, rate, mode, permissions, tags, egress)| {
                let code = "def handler(input, context):\n    # ${NOT} a 'name': {yet}\n    return None\n"
                    .replace("${", "$${");
                let more = vec![
                    ("description", description),
                    ("input_schema", schema),
                    ("retry", retry),
                    ("concurrency", concurrency),
                    ("rate", rate),
                    ("mode", mode),
                    ("permissions", permissions),
                    ("tags", tags),
                    ("egress", egress),
                ];
                with(json!({ "namespace": "made", "name": format!("f_{round}"), "code": code }), more)
            },
        );
    let agent = (
        some(text().prop_map(Value::from)),
        some(json_value().prop_map(|value| json!({ "given": value }))),
        some(permissions().prop_map(Value::from)),
        some(Just(json!(format!("group:Group: {round}")))),
        some(Just(json!(format!("Group: {round}")))),
        some(Just(json!("production"))),
    )
        .prop_map(move |(description, metadata, permissions, owner, group, env)| {
            let owner = owner.or_else(|| Some(json!(format!("group:Group: {round}"))));
            let more = vec![
                ("description", description),
                ("metadata", metadata),
                ("permissions", permissions),
                ("owner", owner),
                ("group", group),
                ("deployment_env", env),
            ];
            let name = format!("agent-{round}");
            with(
                json!({ "namespace": "made", "name": name, "roles": [format!("role-{round}"), "viewer"] }),
                more,
            )
        });
    let schedule = (
        prop_oneof![
            Just(json!({ "cron": "*/5 * * * *" })), Just(json!({ "every_seconds": 90 })),
            Just(json!({ "at": "2099-01-02T03:04:05Z" })),
        ],
        // What the function takes.
        some(json_value().prop_map(|value| json!({ "given": value }))),
        some(any::<bool>().prop_map(Value::from)),
        some(Just(json!("queue"))),
    )
        .prop_map(move |(timing, input, active, overlap)| {
            let entry = json!({ "name": format!("{round}: often"), "timing": timing, "function": format!("made/f_{round}") });
            with(entry, vec![("input", input), ("active", active), ("overlap", overlap)])
        });
    (role, group, function, namespace, collection, agent, schedule).prop_map(
        |(role, group, function, namespace, collection, agent, schedule)| {
            let escape = |entry: Value| escaped(entry);
            json!({
                "roles": [escape(role)], "groups": [escape(group)], "functions": [function],
                "state_namespaces": [escape(namespace)], "collections": [collection], "agents": [escape(agent)],
                "schedules": [escape(schedule)],
            })
        },
    )
}

/// Random texts stand for themselves.
fn escaped(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("${", "$${")),
        Value::Array(items) => items.into_iter().map(escaped).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, escaped(value))).collect(),
        other => other,
    }
}
