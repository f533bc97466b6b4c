//! Which deliveries run the function, what they become, and trying that out.

use serde_json::{Value, json};
use web::PrincipalId;

use super::{HOOKS, deliveries, echo_hook, facts, hook, id, knock, path, runs, send, wanted};
use crate::functions::ended;
use crate::support::TestServer;

fn opened() -> Value {
    json!([
        { "when": [{ "at": "/body/action", "is": "equal_to", "value": "opened" }],
          "transform": { "title": { "$at": "/body/issue/title" }, "text": { "$text": "{/method} {/body/issue/title}" } } },
        { "when": [{ "at": "/body/issue", "is": "present" }, { "at": "/headers/x-test", "is": "present", "not": true }] },
    ])
}

testing::on_both_databases! {
    async fn the_first_route_that_takes_a_delivery_says_what_the_function_is_given(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({ "routes": opened() })).await;
        assert_eq!(made["routes"], opened());
        let issue = json!({ "title": "It broke" });
        let first = send(&server, &made, json!({ "action": "opened", "issue": issue })).await.ok(200);
        assert_eq!(first["got"], json!({ "title": "It broke", "text": "POST It broke" }));
        let second = send(&server, &made, json!({ "action": "closed", "issue": issue })).await.ok(200);
        assert_eq!(second["got"], json!({ "action": "closed", "issue": issue }));
        server.finish().await;
    }

    async fn what_no_route_takes_is_ignored_kept_and_answered_as_a_success(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({ "routes": opened(), "deduplication": { "pointer": "/key" } })).await;
        let ignored = send(&server, &made, json!({ "action": "starred", "key": "a" })).await;
        assert_eq!((ignored.ok(200), ignored.headers.get("safeconduct-run")), (json!({ "status": "ignored" }), None));
        let kept = deliveries(&owner, &made).await;
        assert_eq!((kept.len(), &kept[0]["outcome"], &kept[0]["reason"], &kept[0]["run"]), (1, &json!("ignored"), &json!("no_route"), &Value::Null));
        assert_eq!(kept[0]["id"], ignored.header("safeconduct-delivery"));
        assert_eq!((runs(&server).await, facts(&server, "hook.refused").await), (0, 0));
        let only = owner.get(&format!("{HOOKS}/{}/deliveries?outcome=ignored", id(&made))).await.ok(200);
        assert_eq!(only["items"].as_array().unwrap().len(), 1);
        // Replayed under the routes of today, not those of then.
        let replay = format!("{HOOKS}/{}/deliveries/{}/replay", id(&made), kept[0]["id"].as_str().unwrap());
        owner.post(&replay, json!({})).await.refused(409, "delivery_not_routed");
        assert_eq!(runs(&server).await, 0);
        owner.patch(&format!("{HOOKS}/{}", id(&made)), json!({ "routes": null })).await.ok(200);
        let again = owner.post(&replay, json!({})).await.ok(202);
        assert_eq!((&again["outcome"], &again["reason"]), (&json!("accepted"), &Value::Null));
        let run = ended(&owner, again["run"].as_str().unwrap()).await;
        assert_eq!(run["output"]["got"], json!({ "action": "starred", "key": "a" }));
        // What was ignored took no key: the first that runs is the first.
        let first = send(&server, &made, json!({ "action": "starred", "key": "a" })).await;
        assert_eq!((first.ok(200)["got"]["key"].clone(), first.headers.get("safeconduct-duplicate")), (json!("a"), None));
        server.finish().await;
    }

    async fn routes_are_what_a_hook_does_and_are_refused_by_their_place(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({})).await;
        let one = format!("{HOOKS}/{}", id(&made));
        for (routes, field) in [
            (json!([{ "when": [{ "at": "/nobody", "is": "present" }] }]), "/routes/0/when/0/at"),
            (json!([{ "transform": { "a": { "$at": "/body", "$b": 1 } } }]), "/routes/0/transform/a/$at"),
            (json!([{}, {}]), "/routes/1"),
        ] {
            for refused in [
                owner.post(HOOKS, wanted(json!({ "path": "other", "routes": routes }))).await,
                owner.patch(&one, json!({ "routes": routes })).await,
            ] {
                assert_eq!(refused.refused(422, "validation_failed")["errors"][0]["field"], field, "{routes}");
            }
        }
        for routes in [json!([{ "when": [{ "at": "/body", "is": "like" }] }]), json!([{ "then": 1 }]), json!({})] {
            let refused = owner.patch(&one, json!({ "routes": routes })).await;
            assert_eq!(refused.status, 422, "{routes}");
        }
        assert_eq!(owner.get(&one).await.ok(200)["routes"], json!([]));
        // Whoever changes them becomes the owner, and needs to be able to execute the function.
        let home = server.home().await;
        let (person, editor) = server.person(home, &[]).await;
        server.grant(home, PrincipalId::User(person.id), "hooks:update:all").await;
        editor.patch(&one, json!({ "description": "mended" })).await.ok(200);
        let refused = editor.patch(&one, json!({ "routes": opened() })).await;
        assert_eq!(refused.refused(422, "validation_failed")["errors"][0]["field"], "/target/function");
        server.grant(home, PrincipalId::User(person.id), "functions/ops/echo:execute").await;
        let changed = editor.patch(&one, json!({ "routes": opened() })).await.ok(200);
        assert_eq!((&changed["owner"], &changed["routes"]), (&json!(person.id), &opened()));
        server.finish().await;
    }

    async fn a_trial_says_what_would_be_done_and_does_nothing(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let code = "def handler(input, context):\n    return {'got': input}\n";
        let schema = json!({ "type": "object", "properties": { "title": { "type": "string" } } });
        let function = json!({ "namespace": "ops", "name": "echo", "code": code, "input_schema": schema });
        owner.post("/api/v1/functions", function).await.ok(201);
        let more = json!({ "path": "in/{shop}", "routes": opened(), "deduplication": { "header": "X-Id" } });
        let made = hook(&owner, more).await;
        let attempt = format!("{HOOKS}/{}/try", id(&made));
        let issue = json!({ "title": "It broke" });
        let takes = json!({ "body": { "action": "opened", "issue": issue } });
        let tried = owner.post(&attempt, takes.clone()).await.ok(200);
        assert_eq!(tried, json!({
            "outcome": "accepted", "route": 0, "declined": [], "misfits": [], "repeat_of": null,
            "input": { "title": "It broke", "text": "POST It broke" },
        }));
        let second = json!({ "body": { "action": "closed", "issue": { "title": 1 } } });
        let tried = owner.post(&attempt, second).await.ok(200);
        assert_eq!((&tried["route"], &tried["declined"]), (&json!(1), &json!([{ "route": 0, "test": 0 }])));
        let none = json!({ "body": { "action": "closed", "issue": 1 }, "headers": { "X-Test": "" } });
        let tried = owner.post(&attempt, none).await.ok(200);
        assert_eq!(tried, json!({
            "outcome": "ignored", "route": null, "input": null, "misfits": null, "repeat_of": null,
            "declined": [{ "route": 0, "test": 0 }, { "route": 1, "test": 1 }],
        }));
        // Settings that are not the hook's yet; a path with its parameters; what does not fit.
        let other = json!({
            "path": made["path"].as_str().unwrap().replace("{shop}", "berlin"), "query": "n=1", "body": {},
            "routes": [{ "transform": { "title": { "$at": "/body/nothing", "$else": [1] }, "shop": { "$at": "/path_params/shop" }, "n": { "$at": "/query/n" } } }],
        });
        let tried = owner.post(&attempt, other).await.ok(200);
        let misfit = tried["misfits"][0]["field"].clone();
        assert_eq!((&tried["input"], misfit), (&json!({ "title": [1], "shop": "berlin", "n": "1" }), json!("/input/title")));
        for (body, field) in [
            (json!({ "path": "out" }), "/path"),
            (json!({ "method": "PUT" }), "/method"),
            (json!({ "routes": [{}, {}] }), "/routes/1"),
        ] {
            let refused = owner.post(&attempt, body.clone()).await.refused(422, "validation_failed");
            assert_eq!(refused["errors"][0]["field"], field, "{body}");
        }
        assert_eq!((runs(&server).await, deliveries(&owner, &made).await.len()), (0, 0));
        assert_eq!((facts(&server, "hook.refused").await, facts(&server, "hook.updated").await), (0, 0));
        // What came in, under other routes; and what would be a repeat.
        let url = path(&made).replace("{shop}", "7");
        let headers = [("content-type", "application/json"), ("x-id", "1")];
        let body = json!({ "action": "opened", "issue": issue }).to_string();
        let sent = knock(&server, reqwest::Method::POST, &url, &headers, body).await;
        sent.ok(200);
        let delivery = sent.header("safeconduct-delivery");
        let tried = owner.post(&attempt, json!({ "delivery": delivery, "routes": [] })).await.ok(200);
        assert_eq!((&tried["outcome"], &tried["input"]["action"]), (&json!("duplicate"), &json!("opened")));
        assert_eq!(tried["repeat_of"], sent.header("safeconduct-run"));
        // Those who may not change the hook do not try it, nor does another organization.
        let home = server.home().await;
        let (person, reader) = server.person(home, &[]).await;
        server.grant(home, PrincipalId::User(person.id), "hooks:read:all").await;
        reader.post(&attempt, takes.clone()).await.refused(403, "permission_denied");
        server.grant(home, PrincipalId::User(person.id), "hooks:update:all").await;
        assert_eq!(reader.post(&attempt, takes.clone()).await.ok(200)["misfits"], Value::Null, "not theirs to execute");
        server.stranger().await.post(&attempt, takes).await.refused(404, "not_found");
        assert_eq!((runs(&server).await, deliveries(&owner, &made).await.len()), (1, 1));
        server.finish().await;
    }
}
