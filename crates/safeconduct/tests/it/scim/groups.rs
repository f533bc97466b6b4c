//! Groups and who is in them.

use serde_json::json;

use super::{GROUP, Setting, id, patch, path, refused};

testing::on_both_databases! {
    async fn members_come_and_go_by_every_shape_that_directories_send(database: TestDatabase) {
        let setting = Setting::of(database).await;
        let directory = &setting.directory;
        let (ada, bob, eve) = (setting.user("ada").await, setting.user("bob").await, setting.user("eve").await);
        let agent = setting.server.agent(&setting.owner, "bot", &[]).await;
        let body = json!({
            "schemas": [GROUP], "displayName": "Engineering", "externalId": "00g-1",
            "members": [{ "value": id(&ada), "display": "ada" }, { "value": agent.id }],
        });
        let group = directory.post("/scim/v2/Groups", body.clone()).await.ok(201);
        let place = path(&group);
        let members = |group: &serde_json::Value| -> Vec<String> {
            let all = group["members"].as_array().cloned().unwrap_or_default();
            all.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(group["members"][0], json!({ "value": id(&ada), "$ref": ada["meta"]["location"], "type": "User" }));
        assert_eq!(group["members"][1]["type"], "Agent");
        refused(&directory.post("/scim/v2/Groups", body).await, 409, Some("uniqueness"), "already_exists");
        let shown = directory.get(&path(&ada)).await.ok(200);
        assert_eq!(shown["groups"], json!([{ "value": id(&group), "$ref": group["meta"]["location"], "display": "Engineering" }]));
        // Okta, then Entra.
        let after = directory.patch(&place, patch(json!([
            { "op": "add", "path": "members", "value": [{ "value": id(&bob), "display": "bob" }, { "value": id(&ada) }] },
            { "op": "remove", "path": format!("members[value eq \"{}\"]", agent.id) },
            { "op": "replace", "value": { "id": id(&group), "displayName": "Engineers" } },
        ]))).await.ok(200);
        assert_eq!((members(&after), &after["displayName"]), (vec![id(&ada).to_owned(), id(&bob).to_owned()], &json!("Engineers")));
        let after = directory.patch(&place, patch(json!([
            { "op": "Add", "path": "members", "value": [{ "value": id(&eve) }] },
            { "op": "Remove", "path": "members", "value": [{ "value": id(&ada) }] },
        ]))).await.ok(200);
        assert_eq!(members(&after), [id(&bob), id(&eve)]);
        // The same again is no change.
        let told = setting.count("group.updated").await;
        let same = patch(json!([{ "op": "Add", "path": "members", "value": [{ "value": id(&eve) }] }]));
        assert_eq!(directory.patch(&place, same).await.ok(200), after);
        assert_eq!(setting.count("group.updated").await, told);
        // Each coming and going changes the version, though not the group's own row.
        let version = after["meta"]["version"].as_str().unwrap().to_owned();
        let swap = patch(json!([{ "op": "replace", "path": "members", "value": [{ "value": id(&bob) }, { "value": id(&ada) }] }]));
        setting.server.clock.advance(std::time::Duration::from_millis(5));
        let swapped = directory.with("if-match", version.clone()).patch(&place, swap.clone()).await.ok(200);
        assert_eq!(members(&swapped), [id(&ada), id(&bob)]);
        refused(&directory.with("if-match", version).patch(&place, swap).await, 412, None, "stale_revision");
        // A replacement without members leaves them; an empty list takes all.
        let put = |body: serde_json::Value| directory.send(reqwest::Method::PUT, &place, Some(body.to_string()));
        let named = put(json!({ "schemas": [GROUP], "displayName": "Eng" })).await.ok(200);
        assert_eq!((members(&named).len(), named.get("externalId")), (2, None));
        let emptied = put(json!({ "schemas": [GROUP], "displayName": "Eng", "members": [] })).await.ok(200);
        assert!(emptied.get("members").is_none());
        assert_eq!(directory.delete(&place).await.status.as_u16(), 204);
        refused(&directory.get(&place).await, 404, None, "not_found");
        setting.server.finish().await;
    }

    async fn nobody_is_put_into_a_group_that_holds_more_than_the_directory(database: TestDatabase) {
        let setting = Setting::of(database).await;
        let (server, owner, directory) = (&setting.server, &setting.owner, &setting.directory);
        let ada = setting.user("ada").await;
        let group = json!({ "schemas": [GROUP], "displayName": "Auditors" });
        let group = directory.post("/scim/v2/Groups", group).await.ok(201);
        owner.post("/api/v1/grants", json!({ "principal": id(&group), "role": "auditor" })).await.ok(201);
        let add = patch(json!([{ "op": "add", "path": "members", "value": [{ "value": id(&ada) }] }]));
        refused(&directory.patch(&path(&group), add.clone()).await, 403, None, "authority_exceeded");
        assert!(directory.get(&path(&group)).await.ok(200).get("members").is_none());
        let strong = setting.holding("strong", &["auditor"]).await;
        strong.patch(&path(&group), add).await.ok(200);
        // In force on the next request, and gone on the next.
        let person = server.house().people.member(server.home().await, id(&ada).parse().unwrap()).await.unwrap().unwrap();
        let token = server.by_token(server.home().await, &person).await;
        token.get("/api/v1/policies").await.ok(200);
        let remove = patch(json!([{ "op": "remove", "path": format!("members[value eq \"{}\"]", id(&ada)) }]));
        directory.patch(&path(&group), remove).await.ok(200);
        token.get("/api/v1/policies").await.refused(403, "permission_denied");
        setting.server.finish().await;
    }

    async fn members_that_are_nobodys_are_refused_whole(database: TestDatabase) {
        let setting = Setting::of(database).await;
        let directory = &setting.directory;
        let ada = setting.user("ada").await;
        let group = json!({ "schemas": [GROUP], "displayName": "Ops" });
        let group = directory.post("/scim/v2/Groups", group).await.ok(201);
        let add = |value: &str| patch(json!([
            { "op": "replace", "path": "displayName", "value": "Changed" },
            { "op": "add", "path": "members", "value": [{ "value": id(&ada) }, { "value": value }] },
        ]));
        refused(&directory.patch(&path(&group), add("nobody")).await, 400, Some("invalidValue"), "invalid_value");
        let unknown = "usr_01h455vb4pex5vsknk084sn02q";
        refused(&directory.patch(&path(&group), add(unknown)).await, 400, Some("invalidValue"), "validation_failed");
        let many: Vec<_> = (0..1_001).map(|at| json!({ "value": format!("usr_01h455vb4pex5vsknk08400{at:03}") })).collect();
        let many = patch(json!([{ "op": "add", "path": "members", "value": many }]));
        refused(&directory.patch(&path(&group), many).await, 400, Some("invalidValue"), "invalid_value");
        let after = directory.get(&path(&group)).await.ok(200);
        assert_eq!((&after["displayName"], after.get("members")), (&json!("Ops"), None));
        let agent = setting.server.agent(&setting.owner, "owned", &[]).await;
        setting.owner.patch(&format!("/api/v1/agents/{}", agent.id), json!({ "owner": id(&group) })).await.ok(200);
        refused(&directory.delete(&path(&group)).await, 409, None, "group_in_use");
        setting.server.finish().await;
    }
}
