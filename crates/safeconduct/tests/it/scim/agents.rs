//! Agents: somebody answers for each, in the directory's words.

use serde_json::{Value, json};

use super::{AGENT, GROUP, Setting, id, patch, path, refused};

testing::on_both_databases! {
    async fn an_agent_is_registered_changed_stopped_and_retired(database: TestDatabase) {
        let setting = Setting::of(database).await;
        let directory = &setting.directory;
        let ada = setting.user("ada").await;
        let body = json!({
            "schemas": [AGENT], "name": "ops:concierge", "displayName": "Concierge", "externalId": "agent-1",
            "agentType": "router", "environment": "staging", "owner": { "value": "00u-ada" },
        });
        let agent = directory.post("/scim/v2/Agents", body.clone()).await.ok(201);
        assert_eq!(agent["owner"], json!({ "value": id(&ada), "$ref": ada["meta"]["location"] }));
        assert_eq!((&agent["name"], &agent["active"], &agent["agentType"]), (&json!("ops:concierge"), &json!(true), &json!("router")));
        let ours = setting.owner.get("/api/v1/agents/ops:concierge").await.ok(200);
        assert_eq!((&ours["owner"]["id"], &ours["deployment_env"]), (&json!(id(&ada)), &json!("staging")));
        assert_eq!((&ours["permissions"], &ours["roles"]), (&json!([]), &json!([])));
        refused(&directory.post("/scim/v2/Agents", body).await, 409, Some("uniqueness"), "agent_exists");
        let place = path(&agent);
        let rename = patch(json!([{ "op": "replace", "path": "name", "value": "other" }]));
        refused(&directory.patch(&place, rename).await, 400, Some("mutability"), "read_only");
        let odd = patch(json!([{ "op": "replace", "path": "agentType", "value": "butler" }]));
        refused(&directory.patch(&place, odd).await, 400, Some("invalidValue"), "invalid_value");
        // Stopped, its tokens are void at once.
        let made = setting.owner.post(&format!("/api/v1/agents/{}/credentials", id(&agent)), json!({ "kind": "secret", "label": "x" })).await.ok(201);
        let with_secret = crate::support::TestAgent {
            id: id(&agent).to_owned(),
            credential: made["id"].as_str().unwrap().to_owned(),
            secret: made["client_secret"].as_str().unwrap().to_owned(),
        };
        let token = setting.server.as_agent(&with_secret).await;
        token.get("/api/v1/auth/me").await.ok(200);
        let after = directory.patch(&place, patch(json!([
            { "op": "replace", "path": "active", "value": "False" }, { "op": "replace", "path": "description", "value": "Answers the door." },
        ]))).await.ok(200);
        assert_eq!((&after["active"], &after["description"]), (&json!(false), &json!("Answers the door.")));
        token.get("/api/v1/auth/me").await.refused(401, "invalid_token");
        assert_eq!((setting.count("agent.suspended").await, setting.count("agent.updated").await), (1, 1));
        let start = patch(json!([{ "op": "replace", "value": { "active": true } }]));
        assert_eq!(directory.patch(&place, start).await.ok(200)["active"], true);
        let whole = json!({ "schemas": [AGENT], "displayName": "Porter" });
        let after = directory.send(reqwest::Method::PUT, &place, Some(whole.to_string())).await.ok(200);
        assert_eq!((&after["displayName"], &after["name"], after.get("description")), (&json!("Porter"), &json!("ops:concierge"), None));
        assert_eq!(directory.delete(&place).await.status.as_u16(), 204);
        refused(&directory.get(&place).await, 404, None, "not_found");
        assert_eq!(directory.get("/scim/v2/Agents?filter=externalId%20eq%20%22agent-1%22").await.ok(200)["totalResults"], 0);
        assert_eq!(setting.owner.get("/api/v1/agents/ops:concierge").await.ok(200)["status"], "decommissioned");
        setting.server.finish().await;
    }

    async fn somebody_answers_for_an_agent_or_there_is_none(database: TestDatabase) {
        let setting = Setting::of(database).await;
        let directory = &setting.directory;
        let ada = setting.user("ada").await;
        let group = json!({ "schemas": [GROUP], "displayName": "Ops", "externalId": "00g-ops" });
        let group = directory.post("/scim/v2/Groups", group).await.ok(201);
        let agent = |name: &str, owner: Value| json!({ "schemas": [AGENT], "name": name, "owner": owner });
        for (at, (owner, expected)) in [
            (json!({ "value": id(&ada) }), &ada),
            (json!({ "value": "00u-ada" }), &ada),
            (json!({ "value": "ADA@proved.example" }), &ada),
            (json!("ada@proved.example"), &ada),
            (json!({ "value": "00g-ops" }), &group),
            (json!({ "value": id(&group) }), &group),
        ].into_iter().enumerate() {
            let made = directory.post("/scim/v2/Agents", agent(&format!("bot-{at}"), owner.clone())).await.ok(201);
            assert_eq!(made["owner"]["value"], expected["id"], "{owner}");
        }
        for owner in [json!(null), json!({}), json!({ "value": "nobody" }), json!({ "value": "%" })] {
            let answer = directory.post("/scim/v2/Agents", agent("orphan", owner.clone())).await;
            refused(&answer, 422, Some("invalidValue"), "owner_unknown");
        }
        let unknown = json!({ "value": "usr_01h455vb4pex5vsknk084sn02q" });
        refused(&directory.post("/scim/v2/Agents", agent("orphan", unknown)).await, 400, Some("invalidValue"), "validation_failed");
        let first = directory.get("/scim/v2/Agents?filter=name%20eq%20%22bot-0%22").await.ok(200)["Resources"][0].clone();
        let orphan = patch(json!([{ "op": "remove", "path": "owner" }]));
        refused(&directory.patch(&path(&first), orphan).await, 422, Some("invalidValue"), "owner_unknown");
        let pass = patch(json!([{ "op": "replace", "path": "owner", "value": "00g-ops" }]));
        assert_eq!(directory.patch(&path(&first), pass).await.ok(200)["owner"]["value"], id(&group));
        // Whoever leaves takes nobody along: without an owner who stays, agents are suspended.
        assert_eq!(directory.delete(&path(&ada)).await.status.as_u16(), 204);
        let of_ada = directory.get("/scim/v2/Agents?filter=name%20eq%20%22bot-1%22").await.ok(200);
        assert_eq!(of_ada["Resources"][0]["active"], false);
        setting.server.finish().await;
    }
}
