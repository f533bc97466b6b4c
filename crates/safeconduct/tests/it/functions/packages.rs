//! Packages that functions name: approved, locked, built, imported.

use std::path::Path;

use serde_json::{Value, json};
use testing::{TestDatabase, Wheel};

use super::{FUNCTIONS, made, run};
use crate::declare::{apply, changes, plan};
use crate::support::{Caller, TestServer};

const PACKAGES: &str = "/api/v1/packages";
const ENVIRONMENTS: &str = "/api/v1/environments";
const CODE: &str = "import greeting\ndef handler(input, context):\n    return greeting.hello()\n";

/// A server whose index is a directory of these wheels.
async fn server(database: TestDatabase, more: &[(&str, &str)]) -> TestServer {
    let wheels = database.directory().join("wheels");
    std::fs::create_dir_all(&wheels).unwrap();
    greetings(&wheels);
    let (wheels, uv) = (wheels.display().to_string(), testing::uv().display().to_string());
    let mut settings = vec![("packages.directory", wheels.as_str()), ("packages.uv", uv.as_str())];
    settings.extend(more);
    TestServer::start_with(database, &settings).await
}

fn greetings(wheels: &Path) {
    Wheel::new("polite-words", "1.2").file("polite_words.py", "WORD = 'hello'\n").write(wheels);
    let code = "from polite_words import WORD\ndef hello():\n    return WORD\n";
    Wheel::new("greeting", "2.0").needs("polite-words>=1").file("greeting.py", code).write(wheels);
    Wheel::new("needy", "1").needs("nowhere-to-be-found").file("needy.py", "").write(wheels);
}

async fn approve(owner: &Caller, name: &str) {
    owner.post(PACKAGES, json!({ "name": name })).await.ok(201);
    owner.post(&format!("{PACKAGES}/{name}/approve"), json!({})).await.ok(200);
}

fn greeter(name: &str) -> Value {
    json!({ "namespace": "ops", "name": name, "code": CODE, "requirements": ["Greeting >= 2"] })
}

testing::on_both_databases! {
    async fn a_function_imports_what_it_names_once_that_is_approved(database: TestDatabase) {
        let server = server(database, &[]).await;
        let owner = server.owner().await;
        let refused = owner.post(FUNCTIONS, greeter("greet")).await.refused(422, "package_not_approved");
        assert_eq!(refused["errors"][0]["field"], "/requirements/0");
        let reason = refused["errors"][0]["reason"].as_str().unwrap();
        assert!(reason.contains("greeting") && reason.contains("packages request greeting"), "{reason}");
        let asked = owner.post(PACKAGES, json!({ "name": "Greeting", "reason": "To be polite." })).await.ok(201);
        assert_eq!((&asked["name"], &asked["state"]), (&json!("greeting"), &json!("requested")));
        let waiting = owner.post(FUNCTIONS, greeter("greet")).await.refused(422, "package_not_approved");
        assert!(waiting["errors"][0]["reason"].as_str().unwrap().contains("not approved yet"), "{waiting:#}");
        let approved = owner.post(&format!("{PACKAGES}/greeting/approve"), json!({ "reason": "Reviewed." })).await.ok(200);
        assert_eq!((&approved["state"], &approved["answer"]), (&json!("approved"), &json!("Reviewed.")));

        let function = owner.post(FUNCTIONS, greeter("greet")).await.ok(201);
        let version = &function["version"];
        assert_eq!(version["requirements"], json!(["greeting>=2"]));
        let lock = &version["package_lock"];
        let names: Vec<_> = lock["packages"].as_array().unwrap().iter().map(|one| (&one["name"], &one["version"])).collect();
        assert_eq!(names, [(&json!("greeting"), &json!("2.0")), (&json!("polite-words"), &json!("1.2"))]);
        assert_eq!(lock["packages"][1]["via"], json!(["greeting"]), "it comes along, and it is shown");
        let id = function["id"].as_str().unwrap();
        assert_eq!(run(&owner, id, json!({})).await["output"], "hello");

        // What asks for the same keeps its lock, whatever the index has by now.
        Wheel::new("polite-words", "1.3").file("polite_words.py", "WORD = 'hi'\n").write(&server.database.directory().join("wheels"));
        let path = format!("{FUNCTIONS}/{id}/versions");
        let again = owner.post(&path, json!({ "code": format!("{CODE}\n") })).await.ok(201);
        assert_eq!(again["version"]["package_lock"]["sha256"], lock["sha256"]);
        let again = owner.post(&path, json!({ "requirements": ["greeting>=2"] })).await.ok(201);
        assert_eq!(again["version"]["package_lock"]["sha256"], lock["sha256"]);
        let none = owner.post(&path, json!({ "requirements": [] })).await.ok(201);
        assert_eq!((&none["version"]["requirements"], &none["version"]["package_lock"]), (&json!([]), &Value::Null));
        let failed = run(&owner, id, json!({})).await;
        assert_eq!((&failed["status"], &failed["error"]["exception"]), (&json!("failed"), &json!("ModuleNotFoundError")));

        let listed = owner.get(&format!("{PACKAGES}?state=approved")).await.ok(200);
        assert_eq!((&listed["items"][0]["name"], &listed["items"][0]["functions"]), (&json!("greeting"), &json!(0)));
        made(&owner, greeter("other")).await;
        assert_eq!(owner.get(&format!("{PACKAGES}/GREETING")).await.ok(200)["functions"], 1);
        let users = owner.get(&format!("{FUNCTIONS}?package=greeting")).await.ok(200);
        assert_eq!((users["items"].as_array().unwrap().len(), &users["items"][0]["name"]), (1, &json!("other")));
        assert_eq!(owner.get(&format!("{FUNCTIONS}?package=greet")).await.ok(200)["items"], json!([]));

        let tamper = server.database.tamper().await;
        let kinds = "SELECT count(*) FROM facts WHERE kind IN ('package.requested', 'package.approved')";
        assert_eq!(tamper.number(kinds).await, 2);
        server.finish().await;
    }

    async fn who_may_what_with_packages(database: TestDatabase) {
        let server = server(database, &[]).await;
        let owner = server.owner().await;
        let (_, member) = server.person(server.home().await, &["member"]).await;
        let (_, viewer) = server.person(server.home().await, &["viewer"]).await;
        let stranger = server.stranger().await;
        let asked = member.post(PACKAGES, json!({ "name": "greeting" })).await.ok(201);
        let id = asked["id"].as_str().unwrap();
        member.post(PACKAGES, json!({ "name": "greeting" })).await.refused(409, "package_exists");
        for act in ["approve", "refuse"] {
            member.post(&format!("{PACKAGES}/{id}/{act}"), json!({})).await.refused(403, "permission_denied");
            viewer.post(&format!("{PACKAGES}/{id}/{act}"), json!({})).await.refused(403, "permission_denied");
            stranger.post(&format!("{PACKAGES}/{id}/{act}"), json!({})).await.refused(404, "not_found");
        }
        member.delete(&format!("{PACKAGES}/{id}")).await.refused(403, "permission_denied");
        viewer.post(PACKAGES, json!({ "name": "other" })).await.refused(403, "permission_denied");
        stranger.get(&format!("{PACKAGES}/greeting")).await.refused(404, "not_found");
        assert_eq!(stranger.get(PACKAGES).await.ok(200)["items"], json!([]));
        assert_eq!(viewer.get(&format!("{PACKAGES}/greeting")).await.ok(200)["state"], "requested");
        for name in ["", "../x", "a b", "-x", "x;y"] {
            owner.post(PACKAGES, json!({ "name": name })).await.refused(422, "validation_failed");
        }
        // What one organization approved says nothing in another.
        owner.post(&format!("{PACKAGES}/{id}/approve"), json!({})).await.ok(200);
        owner.post(&format!("{PACKAGES}/{id}/approve"), json!({})).await.refused(409, "package_decided");
        owner.with("if-match", "\"1\"").post(&format!("{PACKAGES}/{id}/refuse"), json!({})).await.refused(412, "stale_revision");
        made(&owner, greeter("greet")).await;
        stranger.post(FUNCTIONS, greeter("greet")).await.refused(422, "package_not_approved");
        viewer.post(ENVIRONMENTS, json!({ "requirements": ["greeting"] })).await.refused(403, "permission_denied");
        stranger.post(ENVIRONMENTS, json!({ "requirements": ["greeting"] })).await.refused(422, "package_not_approved");
        server.finish().await;
    }

    async fn refused_and_removed_packages_are_in_no_new_version(database: TestDatabase) {
        let server = server(database, &[]).await;
        let owner = server.owner().await;
        approve(&owner, "greeting").await;
        let id = made(&owner, greeter("greet")).await;
        let path = format!("{FUNCTIONS}/{id}/versions");
        let first = owner.get(&path).await.ok(200)["items"][0]["id"].as_str().unwrap().to_owned();
        // A package that comes along is refused by name: it is not even shown to the resolver.
        owner.post(PACKAGES, json!({ "name": "polite-words" })).await.ok(201);
        owner.post(&format!("{PACKAGES}/polite-words/refuse"), json!({ "reason": "No." })).await.ok(200);
        let refused = owner.post(FUNCTIONS, greeter("second")).await.refused(422, "environment_failed");
        assert!(refused["detail"].as_str().unwrap().contains("polite-words"), "{refused:#}");
        // What runs goes on.
        assert_eq!(run(&owner, &id, json!({})).await["output"], "hello");
        owner.delete(&format!("{PACKAGES}/greeting")).await.ok(200);
        owner.get(&format!("{PACKAGES}/greeting")).await.refused(404, "not_found");
        owner.post(&path, json!({ "code": CODE })).await.refused(422, "package_not_approved");
        owner.post(&path, json!({ "code": "def handler(i, c): return 1\n", "requirements": [] })).await.ok(201);
        owner.post(&format!("{path}/{first}/live"), json!({})).await.refused(422, "package_not_approved");
        assert_eq!(run(&owner, &id, json!({})).await["output"], 1);
        server.finish().await;
    }

    async fn a_build_that_fails_names_the_package_and_leaves_the_live_version(database: TestDatabase) {
        let server = server(database, &[]).await;
        let owner = server.owner().await;
        for name in ["greeting", "needy", "absent"] {
            approve(&owner, name).await;
        }
        let id = made(&owner, greeter("greet")).await;
        let path = format!("{FUNCTIONS}/{id}/versions");
        for (requirement, named) in [("absent", "absent"), ("needy", "nowhere-to-be-found"), ("greeting==9", "greeting==9")] {
            let refused = owner.post(&path, json!({ "requirements": [requirement] })).await.refused(422, "environment_failed");
            assert!(refused["detail"].as_str().unwrap().contains(named), "{refused:#}");
            assert!(refused["output"].as_str().unwrap().contains(named), "{refused:#}");
        }
        let body = json!({ "requirements": ["greeting", "./evil.whl", "-r /etc/passwd", "x @ https://evil.example/x.whl"] });
        let refused = owner.post(&path, body).await.refused(422, "validation_failed");
        let fields: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|one| one["field"].clone()).collect();
        assert_eq!(fields, ["/requirements/1", "/requirements/2", "/requirements/3"]);
        assert_eq!(owner.get(&path).await.ok(200)["items"].as_array().unwrap().len(), 1);
        assert_eq!(run(&owner, &id, json!({})).await["output"], "hello");
        server.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_is_told_line_by_line_and_what_was_built_is_published_at_once() {
    let server = server(TestDatabase::sqlite(), &[]).await;
    let owner = server.owner().await;
    for name in ["greeting", "needy"] {
        approve(&owner, name).await;
    }
    let following = owner.with("accept", "text/event-stream");
    let told = following.post(ENVIRONMENTS, json!({ "requirements": ["greeting>=2"] })).await;
    assert_eq!((told.status.as_u16(), told.header("content-type")), (200, "text/event-stream"));
    for word in [
        "event: line",
        "resolving greeting>=2",
        "fetching greeting-2.0-py3-none-any.whl",
        "built: ",
        "event: environment",
    ] {
        assert!(told.text.contains(word), "{word}: {}", told.text);
    }
    let failed = following.post(ENVIRONMENTS, json!({ "requirements": ["needy"] })).await;
    assert!(
        failed.text.contains("event: failed") && failed.text.contains("nowhere-to-be-found"),
        "{}",
        failed.text
    );
    let ready = owner.post(ENVIRONMENTS, json!({ "requirements": ["greeting>=2"] })).await.ok(200);
    let function = owner.post(FUNCTIONS, greeter("greet")).await.ok(201);
    assert_eq!(ready["status"], "ready");
    assert_eq!(function["version"]["package_lock"]["sha256"], ready["package_lock"]["sha256"]);
    server.finish().await;
}

/// As on a worker's machine, which has never seen it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_without_the_environment_builds_it_from_the_lock_at_its_first_run() {
    let server = server(TestDatabase::sqlite(), &[]).await;
    let owner = server.owner().await;
    approve(&owner, "greeting").await;
    let id = made(&owner, greeter("greet")).await;
    let environments = server.database.directory().join("environments");
    std::fs::remove_dir_all(&environments).unwrap();
    let ran = run(&owner, &id, json!({})).await;
    assert_eq!(ran["output"], "hello", "{ran:#}");
    let log = owner.get(&format!("/api/v1/runs/{}/logs", ran["id"].as_str().unwrap())).await.ok(200);
    assert!(log["items"][0]["text"].as_str().unwrap().contains("being built"), "{log:#}");
    // The index lost what it had: the lock leads nowhere, and the run says which package is missing.
    std::fs::remove_dir_all(&environments).unwrap();
    std::fs::remove_file(server.database.directory().join("wheels/greeting-2.0-py3-none-any.whl")).unwrap();
    server.house().functions.sweep_environments().await;
    let second = json!({ "code": format!("{CODE}\n") });
    owner.post(&format!("{FUNCTIONS}/{id}/versions"), second).await.ok(201);
    let ran = run(&owner, &id, json!({})).await;
    assert_eq!(ran["error"]["kind"], "environment_failed", "{ran:#}");
    assert!(ran["error"]["message"].as_str().unwrap().contains("greeting"), "{ran:#}");
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_operator_allows_all_only_refused_ones_are_kept_out() {
    let server = server(TestDatabase::sqlite(), &[("packages.allow", "all")]).await;
    let owner = server.owner().await;
    made(&owner, greeter("greet")).await;
    owner.post(PACKAGES, json!({ "name": "greeting" })).await.ok(201);
    made(&owner, greeter("asked")).await;
    owner.post(&format!("{PACKAGES}/greeting/refuse"), json!({})).await.ok(200);
    let refused = owner.post(FUNCTIONS, greeter("refused")).await.refused(422, "package_not_approved");
    assert!(refused["errors"][0]["reason"].as_str().unwrap().contains("was refused"), "{refused:#}");
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_uv_functions_without_packages_go_on() {
    let server = server(TestDatabase::sqlite(), &[("packages.uv", "/does/not/exist")]).await;
    let owner = server.owner().await;
    approve(&owner, "greeting").await;
    owner.post(FUNCTIONS, greeter("greet")).await.refused(503, "packages_unavailable");
    let id = super::function(&owner, "plain", "def handler(i, c): return 1\n").await;
    assert_eq!(run(&owner, &id, json!({})).await["output"], 1);
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_configuration_names_packages_and_gets_them_back() {
    let server = server(TestDatabase::sqlite(), &[]).await;
    let owner = server.owner().await;
    let spec = json!({ "functions": [
        { "namespace": "ops", "name": "greet", "code": CODE, "requirements": ["Greeting>=2"] },
    ] });
    let file = |spec: &Value| {
        json!({ "apiVersion": "safeconduct.dev/v1", "kind": "Config", "metadata": { "name": "packages" }, "spec": spec }).to_string()
    };
    let refused = apply(&owner, &file(&spec)).await;
    assert!(refused.text.contains("greeting is not approved"), "{}", refused.text);
    approve(&owner, "greeting").await;
    apply(&owner, &file(&spec)).await.ok(200);
    assert_eq!(changes(&plan(&owner, &file(&spec)).await), Vec::<String>::new());
    assert_eq!(run(&owner, "ops:greet", json!({})).await["output"], "hello");
    let exported = owner.get("/api/v1/config/export?manager=packages").await.ok(200);
    assert!(exported["document"].as_str().unwrap().contains("greeting>=2"), "{exported:#}");
    // Gone from the file, gone from the function.
    let without = json!({ "functions": [{ "namespace": "ops", "name": "greet", "code": "def handler(i, c): return 1\n" }] });
    apply(&owner, &file(&without)).await.ok(200);
    assert_eq!(
        owner.get(&format!("{FUNCTIONS}/ops:greet")).await.ok(200)["version"]["requirements"],
        json!([])
    );
    server.finish().await;
}
