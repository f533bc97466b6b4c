//! Files of `sinas.co/v1`.

use serde_json::json;

use super::{PLAN, VALIDATE, apply, changes, lines, plan};
use crate::support::TestServer;

const FILE: &str = "apiVersion: sinas.co/v1
kind: SinasConfig
metadata:
  name: Demo Data
  labels: {environment: demo}
spec:
  groups:
    - name: Data Team
      description: Reads notes
      permissions:
        - {key: 'sinas.functions.execute:all', value: true}
        - {key: 'sinas.ontology.read:all', value: true}
  users: []
  functions:
    - name: send-mail
      description: Sends nothing
      code: |
        def send_mail(input, context):
            return {'to': input}
      inputSchema: {type: object}
      requirements: []
      tags: [mail]
      groupName: Data Team
  agents:
    - name: CRM Assistant
      systemPrompt: Be kind.
      temperature: 0.7
      enabledFunctions: [send-mail]
  webhooks:
    - {path: /mail, functionName: send-mail, httpMethod: POST, defaultValues: {to: nobody}}
  schedules:
    - name: Nightly
      functionName: send-mail
      cronExpression: '0 2 * * *'
      timezone: Europe/Berlin
      inputData: {to: ada}
";

testing::on_both_databases! {
    async fn a_file_of_theirs_is_brought_about_in_our_words(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let planned = plan(&owner, FILE).await;
        assert_eq!(
            changes(&planned),
            [
                "create roles/data-team", "create functions/default/send_mail", "create agents/default/crm-assistant",
                "create hooks/POST mail", "create schedules/Nightly",
            ]
        );
        assert_eq!(planned["manager"], "demo-data");
        let warned = [
            (4, "/metadata/name"), (5, "/metadata/labels"), (12, "/spec/groups/0/permissions/1"), (23, "/spec/functions/0/groupName"),
            (26, "/spec/agents/0/systemPrompt"), (27, "/spec/agents/0/temperature"),
        ];
        assert_eq!(lines(&planned["warnings"]), warned.map(|(line, path)| (line, path.to_owned())));
        let checked = owner.post(VALIDATE, json!({ "document": FILE })).await.ok(200);
        assert_eq!((&checked["valid"], checked["warnings"].as_array().map(Vec::len)), (&json!(true), Some(6)));
        apply(&owner, FILE).await.ok(200);
        assert_eq!(changes(&plan(&owner, FILE).await), Vec::<String>::new());
        let agent = owner.get("/api/v1/agents/default:crm-assistant").await.ok(200);
        assert_eq!(agent["display_name"], "CRM Assistant");
        assert_eq!(agent["permissions"], json!(["functions/default/send_mail:execute"]));
        let schedules = owner.get("/api/v1/schedules").await.ok(200);
        assert_eq!(schedules["items"][0]["function_name"], "default/send_mail");
        let run = json!({ "input": { "to": "ada" } });
        let ran = owner.post("/api/v1/functions/default:send_mail/execute", run).await.ok(200);
        assert_eq!(ran["output"], json!({ "to": { "to": "ada" } }));
        server.finish().await;
    }

    async fn what_cannot_be_carried_over_is_named_with_its_line(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let refused = |text: String| {
            let owner = owner.clone();
            async move {
                let problem = owner.post(PLAN, json!({ "document": text })).await.refused(422, "config_invalid");
                lines(&problem["findings"])
            }
        };
        let at = |line: i64, path: &str| (line, path.to_owned());
        let users = FILE.replace("users: []", "users: [{email: ada@example.com}]");
        assert_eq!(refused(users).await, [at(13, "/spec/users")]);
        let packages = FILE.replace("requirements: []", "requirements: [requests]");
        assert_eq!(refused(packages).await, [at(21, "/spec/functions/0/requirements")]);
        // Two that are one in our words; and what our own schema says of a line of theirs.
        let twice = FILE.replace("    - name: Data Team\n", "    - name: Data team\n      permissions: []\n    - name: Data Team\n");
        assert_eq!(refused(twice).await, [at(10, "/spec/groups/1/name")]);
        let zone = FILE.replace("timezone: Europe/Berlin", "timezone: 5");
        assert_eq!(refused(zone).await, [at(35, "/spec/schedules/0/time_zone")]);
        let kind = FILE.replace("kind: SinasConfig", "kind: SinasPackage");
        assert_eq!(refused(kind).await, [at(2, "/kind")]);
        server.finish().await;
    }
}
