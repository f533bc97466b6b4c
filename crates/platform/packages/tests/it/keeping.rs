//! What stays and what goes: sweeps, `kill -9`, and two servers on one data directory.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use testing::Wheel;

use crate::builds::environments;
use crate::fixture::{Fixture, HOST, PYTHON};

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_that_nobody_uses_goes_and_one_that_is_used_stays() {
    let fixture = Fixture::new();
    Wheel::new("used", "1").file("used.py", "").write(&fixture.wheels());
    Wheel::new("left", "1").file("left.py", "").write(&fixture.wheels());
    let (used, left) = (fixture.build(&["used"]).await.unwrap(), fixture.build(&["left"]).await.unwrap());
    for _ in 0..3 {
        fixture.clock.advance(Duration::from_secs(10 * 3600));
        assert!(fixture.environments.find(fixture.org, &used.lock).is_some());
        fixture.environments.sweep();
    }
    assert!(used.path.exists() && !left.path.exists());
    // It is built again when it is needed again.
    let again = fixture.build(&["left"]).await.unwrap();
    assert_eq!((again.path == left.path, again.path.exists()), (true, true));
}

fn server(fixture: &Fixture, requirement: &str) -> Child {
    let mut command = Command::new(HOST);
    command.args([PYTHON.into(), testing::uv(), fixture.wheels(), fixture.home.path().join("environments")]);
    command.args([fixture.org.to_string(), requirement.to_owned()]).stdout(Stdio::piped());
    command.spawn().unwrap()
}

/// Enough files that handing them over takes a while.
fn slow(fixture: &Fixture) {
    let text = "x = 1\n".repeat(2_000);
    let wheel = (0..600)
        .fold(Wheel::new("slow", "1"), |wheel, number| wheel.file(&format!("slow/m{number}.py"), &text));
    wheel.file("slow/__init__.py", "WORD = 'slow'\n").write(&fixture.wheels());
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_during_a_build_leaves_nothing_that_counts() {
    let fixture = Fixture::new();
    slow(&fixture);
    let mut killed = server(&fixture, "slow");
    let mut lines = BufReader::new(killed.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "compiling"));
    let building = fixture.home.path().join("environments").join(fixture.org.to_string()).join(".building");
    assert!(building.exists());
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(environments(&fixture), Vec::<String>::new(), "nothing half done is an environment");
    fixture.environments.sweep();
    assert!(!building.exists(), "what it left is swept, at once, although it is young");
    let ready = fixture.build(&["slow"]).await.unwrap();
    assert_eq!(fixture.run(&ready, "import slow\ndef handler(i, c): return slow.WORD\n").await, "slow");
    assert_eq!(environments(&fixture).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_one_directory_build_one_environment() {
    let fixture = Fixture::new();
    slow(&fixture);
    let servers: Vec<Child> = (0..2).map(|_| server(&fixture, "slow")).collect();
    let told: Vec<String> = servers
        .into_iter()
        .map(|server| String::from_utf8(server.wait_with_output().unwrap().stdout).unwrap())
        .collect();
    let built = told.iter().filter(|said| said.contains("built: ")).count();
    let found = told.iter().filter(|said| said.contains("the environment is there")).count();
    assert_eq!((built, found), (1, 1), "{told:#?}");
    assert_eq!(told[0].lines().last(), told[1].lines().last(), "the same path");
}
