//! The file of the server's own settings, with the real program: it is checked and applied at each start.

use std::path::Path;

use serde_json::{Value, json};
use testing::TestDatabase;

use super::document;
use crate::support::{Caller, Process, Start};

const ROLE: &str =
    "roles:\n  - {name: note-taker, description: 'For ${WHO}', permissions: ['agents:read:all']}\n";
const FUNCTION: &str = "functions:\n  - {name: told, code: '${file:code/told.py}'}\n";

/// With a file of configuration beside its data.
fn start(database: &TestDatabase, spec: &str) -> Start {
    let start = Start::of(database);
    std::fs::create_dir_all(start.directory.join("etc/code")).expect("a folder");
    let code = "def handler(input, context):\n    return 7\n";
    std::fs::write(start.directory.join("etc/code/told.py"), code).expect("a file");
    write(&start.directory, spec);
    let path = start.directory.join("etc/safeconduct.yaml").display().to_string();
    let wrapper = ["env", "WHO=whoever starts it"].map(str::to_owned).to_vec();
    Start { wrapper, ..start }.set("config.file", path)
}

fn write(directory: &Path, spec: &str) {
    std::fs::write(directory.join("etc/safeconduct.yaml"), document("house", spec)).expect("a file");
}

async fn key(owner: &Caller, permissions: Value) -> String {
    let body = json!({ "name": "file", "permissions": permissions });
    let made = owner.post("/api/v1/api-keys", body).await.ok(201);
    made["api_key"].as_str().expect("a key").to_owned()
}

async fn applied(database: &TestDatabase) -> i64 {
    database.tamper().await.number("SELECT count(*) FROM facts WHERE kind = 'config.applied'").await
}

async fn role(process: &Process, start: &Start) -> Value {
    process.owner(&start.directory).await.get("/api/v1/roles/note-taker").await.json()
}

testing::on_both_databases! {
    async fn each_start_brings_about_what_the_file_says(database: TestDatabase) {
        let start = start(&database, &format!("{ROLE}{FUNCTION}"));
        // Nobody is there yet in whose name it could be applied: it is only read.
        let process = start.run().expect("it starts");
        let owner = process.owner(&start.directory).await;
        let needed = ["config:update", "config:read", "roles:create", "roles:read", "roles:update", "roles:delete",
            "agents:read:all", "functions:create", "functions:read", "functions:update"];
        let key = key(&owner, json!(needed)).await;
        assert_eq!(process.stop(), Some(0));
        assert_eq!(applied(&database).await, 0);

        let keyed = start.clone().set("config.key", &key);
        let process = keyed.run().expect("it starts");
        assert_eq!(role(&process, &start).await["status"], 404, "without auto_apply it only looks");
        assert_eq!(process.stop(), Some(0));

        let follows = keyed.set("config.auto_apply", "true");
        let process = follows.run().expect("it starts");
        assert_eq!(role(&process, &start).await["description"], "For whoever starts it");
        let owner = process.owner(&start.directory).await;
        let ran = owner.post("/api/v1/functions/default:told/execute", json!({})).await.ok(200);
        assert_eq!(ran["output"], 7, "code beside the file");
        let facts = owner.get("/api/v1/audit/events?kind=config.applied").await.ok(200);
        let fact = owner.get(&format!("/api/v1/audit/events/{}", facts["items"][0]["id"].as_str().expect("an id"))).await.ok(200);
        assert!(fact.to_string().contains("key_"), "in the name of the key: {fact:#}");
        // What was done by hand since is taken back by the next start, and then nothing more is done.
        owner.patch("/api/v1/roles/note-taker", json!({ "description": "by hand" })).await.ok(200);
        assert_eq!(process.stop(), Some(0));
        assert_eq!(applied(&database).await, 1);
        for _ in 0..2 {
            let process = follows.run().expect("it starts");
            assert_eq!(role(&process, &start).await["description"], "For whoever starts it");
            assert_eq!(process.stop(), Some(0));
            assert_eq!(applied(&database).await, 2);
        }

        // What it names no more stays, unless it is said that it goes.
        write(&start.directory, FUNCTION);
        let process = follows.run().expect("it starts");
        assert_eq!(role(&process, &start).await["name"], "note-taker");
        assert_eq!(process.stop(), Some(0));
        let process = follows.clone().set("config.prune", "true").run().expect("it starts");
        assert_eq!(role(&process, &start).await["status"], 404);
        assert_eq!(process.stop(), Some(0));

        // What the key does not hold is not done, and the start says what is missing.
        write(&start.directory, "agents:\n  - {name: reporter}\n");
        let refused = follows.run().err().expect("no start");
        assert!(refused.errors.contains("agents:create"), "{}", refused.errors);
        assert_ne!(refused.code, Some(0));
        assert_eq!(applied(&database).await, 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_file_stops_the_start() {
    let database = TestDatabase::sqlite();
    let start = start(&database, ROLE);
    let at = start.directory.join("etc/safeconduct.yaml");
    for (text, reasons) in [
        (document("house", "roles:\n  - {name: a, colour: red}\n"), &["line 7", "/spec/roles/0/colour"][..]),
        (document("house", "functions:\n  - {name: a, code: '${file:../b.py}'}\n"), &["below the folder"]),
        (
            document("house", "functions:\n  - {name: a, code: '${file:none.py}'}\n"),
            &["none.py", "No such file"],
        ),
        (document("house", "roles:\n  - {name: '${NOBODY}', permissions: []}\n"), &["line 7", "NOBODY"]),
        (document("house", "budgets: []\n"), &["the section `budgets` is not there yet"]),
        ("a: [".to_owned(), &["line "]),
    ] {
        std::fs::write(&at, &text).expect("a file");
        let refused = start.run().err().expect("no start");
        for reason in reasons.iter().chain(&["config.file: ", "safeconduct.yaml"]) {
            assert!(refused.errors.contains(reason), "{reason}: {}\n{text}", refused.errors);
        }
        assert_ne!(refused.code, Some(0));
    }
    let nowhere =
        Start::of(&database).set("config.file", "/nowhere/safeconduct.yaml").run().err().expect("no start");
    assert!(nowhere.errors.contains("/nowhere/safeconduct.yaml: No such file"), "{}", nowhere.errors);
    std::fs::write(&at, document("house", ROLE)).expect("a file");
    for (settings, reason) in [
        (&[("config.auto_apply", "true")][..], "config.key"),
        (&[("config.auto_apply", "true"), ("config.key", "sk_made_up")], "config.key"),
    ] {
        let set = |start: Start, (key, value): &(&str, &str)| start.set(key, *value);
        let refused = settings.iter().fold(start.clone(), set).run().err().expect("no start");
        assert!(refused.errors.contains(reason), "{}", refused.errors);
    }
    let alone = Start::of(&database).set("config.prune", "true").run().err().expect("no start");
    assert!(alone.errors.contains("config.file"), "{}", alone.errors);
}
