//! Wheels that mean harm, a call that does, and what is left of it: nothing outside of the jail that it was meant for.

use safeconduct_packages::BuildError;
use sandbox::{Outcome, ZygoteSpec};
use serde_json::{Value, json};
use testing::Wheel;

use crate::builds::environments;
use crate::fixture::Fixture;

#[tokio::test(flavor = "multi_thread")]
async fn no_path_in_a_wheel_leads_out_of_its_environment() {
    let fixture = Fixture::new();
    let out = fixture.home.path().join("out.txt");
    for (name, path) in [
        ("climber", "../../../../../../../../out.txt".to_owned()),
        ("absolute", out.display().to_string()),
        ("scripted", "scripted-1.data/scripts/../../../../out.txt".to_owned()),
        ("schemed", "schemed-1.data/data/../../../../out.txt".to_owned()),
    ] {
        Wheel::new(name, "1").file(&format!("{name}.py"), "").file(&path, "out").write(&fixture.wheels());
        match fixture.build(&[name]).await {
            Err(error) => assert!(matches!(error, BuildError::Refused(_)), "{name}: {error}"),
            Ok(ready) => {
                // uv left it out: what is there is below its directory.
                assert!(
                    fixture.run(&ready, &format!("import {name}\ndef handler(i, c): return 1\n")).await == 1
                );
            }
        }
        assert!(!out.exists(), "{name}");
    }
    let beside: Vec<_> =
        std::fs::read_dir(fixture.home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside.len(), 2, "{beside:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_in_a_wheel_is_no_link_in_the_environment() {
    let fixture = Fixture::new();
    let secret = fixture.home.path().join("secret.txt");
    std::fs::write(&secret, "the host's").unwrap();
    Wheel::new("linked", "1")
        .file("linked/__init__.py", "")
        .link("linked/way", &secret.display().to_string())
        .write(&fixture.wheels());
    if let Ok(ready) = fixture.build(&["linked"]).await {
        let way = ready.path.join("linked/way");
        assert!(way.symlink_metadata().is_err() || way.symlink_metadata().unwrap().is_file());
        let code = "def handler(i, c):\n    try: return open('/packages/linked/way').read()\n    except OSError as error: return str(error)\n";
        assert!(!fixture.run(&ready, code).await.as_str().unwrap().contains("the host's"));
    }
}

/// `.pth` files run at the start of an interpreter that sees the environment: that is the jail of calls, and no other.
#[tokio::test(flavor = "multi_thread")]
async fn code_that_runs_by_itself_runs_in_the_jail_of_calls_only() {
    let fixture = Fixture::new();
    let line =
        "import os, sys; sys.sprung = [os.getuid(), os.path.exists('/safeconduct/tool'), os.listdir('/')]\n";
    let wheel = Wheel::new("sprung", "1").file("sprung.pth", line).file("sprung.py", "");
    wheel
        .file("sitecustomize.py", "raise SystemExit(9)\n")
        .file("usercustomize.py", "raise SystemExit(9)\n")
        .write(&fixture.wheels());
    let ready = fixture.build(&["sprung"]).await.unwrap();
    let answer = fixture.run(&ready, "import sys\ndef handler(i, c): return sys.sprung\n").await;
    assert_eq!(
        (&answer[0], &answer[1]),
        (&json!(1000), &json!(false)),
        "neither the host's user nor the build jail"
    );
    assert!(answer[2].as_array().unwrap().contains(&json!("packages")));
    // Another build sees nothing of it, and works.
    Wheel::new("calm", "1").file("calm.py", "").write(&fixture.wheels());
    fixture.build(&["calm", "sprung"]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_is_ended_and_leaves_nothing() {
    let fixture = Fixture::with(|settings| settings.environment_bytes = 16 << 20);
    // 64 MiB of nothing, well packed.
    let zeros = vec![0; 16 << 20];
    let bomb = (0..4)
        .fold(Wheel::new("bomb", "1"), |wheel, number| wheel.file(&format!("bomb/{number}.bin"), &zeros));
    let packed = bomb.write(&fixture.wheels());
    assert!(packed.metadata().unwrap().len() < 1 << 20);
    let error = fixture.build(&["bomb"]).await.unwrap_err();
    assert!(matches!(error, BuildError::TooLarge(_)), "{error}");
    assert_eq!(environments(&fixture), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wheel_that_poses_as_another_is_refused() {
    let fixture = Fixture::new();
    Wheel::new("requests", "1").posing_as("evil").file("requests.py", "").write(&fixture.wheels());
    let error = fixture.build(&["requests"]).await.unwrap_err();
    assert!(matches!(&error, BuildError::Refused(reason) if reason.contains("evil")), "{error}");
    // Names differ by their normal form only: it is one package, whoever spells it how.
    Wheel::new("Straight.Name", "1").file("straight.py", "").write(&fixture.wheels());
    assert_eq!(
        fixture.build(&["straight_NAME"]).await.unwrap().lock.packages()[0].name.as_str(),
        "straight-name"
    );
}

const WRITE: &str = "
import os
def attempt(act):
    try:
        act()
        return 'done'
    except OSError as error:
        return error.strerror
def handler(input, context):
    return [
        attempt(lambda: open('/packages/mine.py', 'w').write('evil')),
        attempt(lambda: open('/packages/new.py', 'w').write('evil')),
        attempt(lambda: os.unlink('/packages/mine.py')),
        attempt(lambda: os.chmod('/packages/mine.py', 0o777)),
        attempt(lambda: os.rename('/packages/mine.py', '/packages/other.py')),
    ]
";

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_cannot_be_written_from_a_call_nor_from_its_module() {
    let fixture = Fixture::new();
    Wheel::new("mine", "1").file("mine.py", "WORD = 'mine'\n").write(&fixture.wheels());
    let ready = fixture.build(&["mine"]).await.unwrap();
    let refused = |answer: Value| {
        let answer: Vec<String> = serde_json::from_value(answer).unwrap();
        assert!(answer.iter().all(|one| one != "done"), "{answer:?}");
    };
    refused(fixture.run(&ready, WRITE).await);
    let at_load = WRITE.replace("def handler(input, context):", "def tried():")
        + "TRIED = tried()\ndef handler(i, c): return TRIED\n";
    refused(fixture.run(&ready, &at_load).await);
    assert_eq!(std::fs::read_to_string(ready.path.join("mine.py")).unwrap(), "WORD = 'mine'\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_is_its_organizations_alone() {
    let fixture = Fixture::new();
    Wheel::new("mine", "1").file("mine.py", "WORD = 'mine'\n").write(&fixture.wheels());
    let ready = fixture.build(&["mine"]).await.unwrap();
    let other = fixture.world.id();
    assert!(fixture.environments.find(other, &ready.lock).is_none(), "the same lock, another organization");
    // A call without it sees neither its place in the jail nor the host's.
    let code = format!(
        "import os\ndef handler(i, c): return [os.path.exists('/packages'), os.path.exists({:?})]\n",
        ready.path.display().to_string()
    );
    let call = |zygote| {
        let (logs, _lines) = tokio::sync::mpsc::channel(64);
        fixture.sandbox.call(sandbox::Call {
            zygote,
            input: b"null".to_vec(),
            context: sandbox::ContextFrame::default(),
            limits: sandbox::Limits::default(),
            logs,
            progress: tokio::sync::watch::Sender::default(),
            outside: None,
            questions: tokio::sync::mpsc::channel(1).0,
            cancel: tokio_util::sync::CancellationToken::new(),
        })
    };
    let slot = sandbox::OrgSlot::new(9).unwrap();
    let without = ZygoteSpec::new(slot, "same", code.as_str(), &["handler"]);
    // The same code with and without an environment are two trust units: neither is served by the other's interpreter.
    let with = without.clone().with_packages(ready.path.clone());
    for (zygote, seen) in [(with.clone(), true), (without, false), (with, true)] {
        let outcome = call(zygote).await.unwrap().outcome;
        assert_eq!(outcome, Outcome::Succeeded { output: json!([seen, false]).to_string().into() });
    }
    // And what lies in the data directory is closed to everybody but the server.
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(ready.path.parent().unwrap()).unwrap().permissions(),
    );
    assert_eq!(mode & 0o077, 0);
}
