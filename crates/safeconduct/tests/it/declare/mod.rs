//! Configuration as files, over HTTP: what a document says is planned, brought about whole, and written again.

mod apply;
mod hooks;
mod managers;
mod own_file;
mod policies;
mod read;
mod rights;
mod round_trip;
mod sinas;
mod ways_out;

use serde_json::{Value, json};

use crate::support::{Answer, Caller, TestServer};

const VALIDATE: &str = "/api/v1/config/validate";
const PLAN: &str = "/api/v1/config/plan";
const APPLY: &str = "/api/v1/config/apply";
const EXPORT: &str = "/api/v1/config/export";
const DRIFT: &str = "/api/v1/config/drift";

/// A document of the file `name`, whose sections stand below `spec`.
fn document(name: &str, spec: &str) -> String {
    let mut text =
        format!("apiVersion: safeconduct.dev/v1\nkind: Config\nmetadata:\n  name: {name}\nspec:\n");
    for line in spec.lines() {
        text.push_str("  ");
        text.push_str(line);
        text.push('\n');
    }
    text
}

pub(crate) async fn apply(caller: &Caller, text: &str) -> Answer {
    caller.post(APPLY, json!({ "document": text })).await
}

pub(crate) async fn plan(caller: &Caller, text: &str) -> Value {
    caller.post(PLAN, json!({ "document": text })).await.ok(200)
}

/// `create roles/a`, in their order.
pub(crate) fn changes(view: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let told =
        |one: &Value| format!("{} {}/{}", text(&one["action"]), text(&one["section"]), text(&one["key"]));
    view["changes"].as_array().expect("changes").iter().map(told).collect()
}

/// Line and path of each finding.
fn lines(findings: &Value) -> Vec<(i64, String)> {
    let told = |one: &Value| {
        (one["line"].as_i64().unwrap_or_default(), one["path"].as_str().expect("a path").to_owned())
    };
    findings.as_array().expect("findings").iter().map(told).collect()
}

async fn facts(server: &TestServer) -> i64 {
    server.database.tamper().await.number("SELECT count(*) FROM facts").await
}

async fn facts_of(server: &TestServer, kind: &str) -> i64 {
    let tamper = server.database.tamper().await;
    tamper.number(&format!("SELECT count(*) FROM facts WHERE kind = '{kind}'")).await
}

/// One thing of each section, each standing on those before it.
const EVERYTHING: &str = r#"roles:
  - name: note-taker
    description: Writes notes
    permissions: ["state/notes/**:update", "functions/ops/*:execute"]
groups:
  - name: Operations
    description: Who is called at night
functions:
  - namespace: ops
    name: greet
    description: Says hello
    code: |
      def handler(input, context):
          return {"hello": input}
    input_schema: {type: object, required: [name], properties: {name: {type: string}}}
    timeout_seconds: 20
    retry: {max_attempts: 3}
    permissions: ["state/notes/**:read"]
    tags: [greeting]
state_namespaces:
  - name: notes
    default_visibility: organization
    history_depth: 5
collections:
  - name: reports
    content_types: ["text/csv", "image/*"]
agents:
  - namespace: ops
    name: reporter
    display_name: Reporter
    owner: group:Operations
    roles: [note-taker, viewer]
    permissions: ["agents:read:own"]
    metadata: {team: {name: ops, floor: 3}}
schedules:
  - name: nightly
    timing: {cron: "0 2 * * *"}
    time_zone: Europe/Berlin
    function: ops/greet
    input: {name: night}
"#;
