//! Secrets and egress rules of functions in files: by name, and never a value.

use serde_json::json;

use super::{EXPORT, apply, changes, document, plan};
use crate::secrets::secret;
use crate::support::TestServer;

const SPEC: &str = "functions:
  - name: calls
    code: 'def handler(input, context): return sorted(context.secrets)'
    secrets: [B_KEY, A_KEY]
    egress:
      - {host: api.example.com, methods: [GET, POST], path: /v1}
      - {host: '*.example.com', scheme: http, port: 8080}
";

testing::on_both_databases! {
    async fn names_of_secrets_and_rules_come_back_as_they_went_in(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let text = document("acme", SPEC);
        apply(&owner, &text).await.refused(422, "validation_failed");
        for name in ["A_KEY", "B_KEY"] {
            secret(&owner, name, "tangerine-submarine", json!([])).await;
        }
        apply(&owner, &text).await.ok(200);
        assert_eq!(changes(&plan(&owner, &text).await), Vec::<String>::new(), "applied once is applied");
        let shown = owner.get("/api/v1/functions/default:calls").await.ok(200);
        assert_eq!(shown["version"]["secrets"], json!(["A_KEY", "B_KEY"]));
        let ran = owner.post("/api/v1/functions/default:calls/execute", json!({ "input": {} })).await.ok(200);
        assert_eq!(ran["output"], json!(["A_KEY", "B_KEY"]));
        let exported = owner.get(EXPORT).await;
        exported.ok(200);
        assert!(exported.text.contains("A_KEY") && exported.text.contains("api.example.com"), "{}", exported.text);
        assert!(!exported.text.contains("tangerine"), "{}", exported.text);
        // What a file leaves out, the next version does not have.
        let without = document("acme", SPEC.split("    secrets").next().unwrap());
        assert_eq!(changes(&plan(&owner, &without).await), ["update functions/default/calls"]);
        apply(&owner, &without).await.ok(200);
        let shown = owner.get("/api/v1/functions/default:calls").await.ok(200);
        assert_eq!((&shown["version"]["secrets"], &shown["version"]["egress"]), (&json!([]), &json!([])));
        server.finish().await;
    }
}
