//! A hook acts for its owner, with what the owner holds when it acts.

use serde_json::{Value, json};
use web::PrincipalId;

use super::{ECHO, HOOKS, deliveries, echo_hook, id, runs, send, wanted};
use crate::functions::function;
use crate::support::{Caller, TestServer};

/// Somebody who may make open hooks, with one that runs `ops/echo`.
async fn somebodys_hook(server: &TestServer, owner: &Caller) -> (people::Person, String, Value) {
    let home = server.home().await;
    let (person, maker) = server.person(home, &[]).await;
    for permission in ["hooks:manage:own"] {
        server.grant(home, PrincipalId::User(person.id), permission).await;
    }
    let grant = json!({ "principal": person.id, "permission": "functions/ops/echo:execute:all" });
    let grant = owner.post("/api/v1/grants", grant).await.ok(201)["id"].as_str().unwrap().to_owned();
    let made = maker.post(HOOKS, wanted(json!({}))).await.ok(201);
    (person, grant, made)
}

testing::on_both_databases! {
    async fn an_owner_who_is_suspended_is_gone_until_they_are_back(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        function(&owner, "echo", ECHO).await;
        let agent = server.agent(&owner, "maker", &["hooks:manage:own", "functions/ops/echo:execute:all"]).await;
        let made = server.as_agent(&agent).await.post(HOOKS, wanted(json!({}))).await.ok(201);
        assert_eq!(made["owner"], agent.id);
        let now = async |act: &str| {
            owner.post(&format!("/api/v1/agents/{}/{act}", agent.id), json!({})).await.ok(200);
        };
        assert_eq!(send(&server, &made, json!({})).await.status, 200);
        now("suspend").await;
        send(&server, &made, json!({})).await.refused(410, "trigger_orphaned");
        assert_eq!(runs(&server).await, 1);
        assert_eq!(deliveries(&owner, &made).await[0]["reason"], "trigger_orphaned");
        now("reactivate").await;
        assert_eq!(send(&server, &made, json!({})).await.status, 200);
        // Somebody takes it over.
        now("suspend").await;
        let taken = owner.patch(&format!("{HOOKS}/{}", id(&made)), json!({ "response": "mapped" })).await.ok(200);
        assert_ne!(taken["owner"], made["owner"]);
        assert_eq!(send(&server, &made, json!({})).await.status, 502, "an echo is no mapped answer, but it ran");
        assert_eq!(runs(&server).await, 3);
        server.finish().await;
    }

    async fn an_owner_who_may_not_run_it_any_more_runs_nothing(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        function(&owner, "echo", ECHO).await;
        let (person, grant, made) = somebodys_hook(&server, &owner).await;
        assert_eq!(send(&server, &made, json!({})).await.status, 200);
        owner.delete(&format!("/api/v1/grants/{grant}")).await.ok(200);
        let problem = send(&server, &made, json!({})).await.refused(403, "permission_denied");
        assert!(!problem.to_string().contains("functions:execute"), "nothing of the owner's rights: {problem:#}");
        server.grant(server.home().await, PrincipalId::User(person.id), "functions/ops/other:execute:all").await;
        send(&server, &made, json!({})).await.refused(410, "trigger_orphaned");
        assert_eq!(runs(&server).await, 1);
        server.finish().await;
    }

    async fn a_function_that_is_gone_takes_its_hooks_along(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({})).await;
        owner.delete("/api/v1/functions/ops:echo").await.ok(200);
        send(&server, &made, json!({})).await.refused(410, "trigger_orphaned");
        assert_eq!(runs(&server).await, 0);
        server.finish().await;
    }
}
