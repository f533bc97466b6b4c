//! The pool: what is shared, what is not, and what a host without nested namespaces gets.

use std::collections::HashSet;
use std::time::Duration;

use safeconduct_sandbox::{
    Clock, Guard, Interpreter, Launcher, Limits, OrgSlot, Outcome, Pool, Sandbox, Settings, ZygoteSpec,
};

use crate::fixture::{
    answer, call, limits, no_door, outcome, report, sandbox, sandbox_with, settings, zygote,
};
use crate::processes;

/// Tells the zygotes apart: drawn when the module is loaded.
const BORN: &str = "import secrets\nborn = secrets.token_hex(8)\ndef handler(i, c):\n    return born\n";

async fn born(sandbox: &Sandbox, spec: ZygoteSpec, limits: Limits) -> String {
    answer(report(sandbox, spec, limits).await.0.outcome).as_str().unwrap().to_owned()
}

#[tokio::test]
async fn calls_of_one_version_share_a_zygote_and_nobody_else_does() {
    let sandbox = sandbox();
    let spec =
        |slot, version: &str| ZygoteSpec::new(OrgSlot::new(slot).unwrap(), version, BORN, &["handler"]);
    let first = born(&sandbox, spec(1, "v1"), limits()).await;
    assert_eq!(born(&sandbox, spec(1, "v1"), limits()).await, first);
    assert_eq!(
        born(&sandbox, spec(1, "v1"), Limits { wall: Duration::from_secs(9), ..limits() }).await,
        first
    );
    assert_ne!(born(&sandbox, spec(2, "v1"), limits()).await, first);
    assert_ne!(born(&sandbox, spec(1, "v2"), limits()).await, first);
    assert_ne!(born(&sandbox, spec(1, "v1"), Limits { memory: 64 << 20, ..limits() }).await, first);
    sandbox.recycle(None);
    assert_ne!(born(&sandbox, spec(1, "v1"), limits()).await, first);
}

#[tokio::test]
async fn many_first_calls_at_once_make_one_zygote() {
    let sandbox = sandbox();
    let calls = (0..16).map(|_| born(&sandbox, zygote(BORN), limits()));
    let zygotes: HashSet<String> = futures::future::join_all(calls).await.into_iter().collect();
    assert_eq!(zygotes.len(), 1);
}

#[tokio::test]
async fn a_zygote_is_replaced_after_its_calls_and_the_idlest_makes_room() {
    let mut settings = settings();
    settings.pool = Pool { calls: 2, capacity: 2, ..Pool::default() };
    let sandbox = sandbox_with(settings, no_door());
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(born(&sandbox, zygote(BORN), limits()).await);
    }
    assert!(seen[0] == seen[1] && seen[2] == seen[3] && seen[1] != seen[2], "{seen:?}");
    for version in ["a", "b", "c"] {
        let spec = ZygoteSpec::new(OrgSlot::new(1).unwrap(), version, BORN, &["handler"]);
        born(&sandbox, spec, limits()).await;
    }
    // Init and zygote of two jails; those of the others are dead or dying, and die they do.
    let doomed = processes::below(sandbox.launcher_pid());
    sandbox.recycle(None);
    for pid in doomed {
        processes::ended(pid).await;
    }
}

/// Answers which fork of its zygote it is; the test says what the third one does. The first is the trial whether calls can be
/// nested, the second the first call.
fn numbered(third: &str) -> String {
    format!(
        "
import os
number = 0
def before():
    global number
    number += 1
def child():
    if number == 3: {third}
os.register_at_fork(before=before, after_in_child=child)
def handler(i, c):
    return number
"
    )
}

#[tokio::test]
async fn the_next_call_finds_its_process_forked() {
    let sandbox = sandbox();
    let code = numbered("pass");
    assert_eq!(answer(outcome(&sandbox, &code).await), 2);
    processes::only_those_at_rest(sandbox.launcher_pid()).await;
    assert_eq!(answer(outcome(&sandbox, &code).await), 3);
}

/// Nothing of ours runs there yet, so whatever it dies of is no call's fault.
#[tokio::test]
async fn a_waiting_fork_that_dies_costs_no_call() {
    let sandbox = sandbox();
    let code = numbered("os._exit(3)");
    assert_eq!(answer(outcome(&sandbox, &code).await), 2);
    for _ in 0..100 {
        if processes::below(sandbox.launcher_pid()).len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(answer(outcome(&sandbox, &code).await), 4);
}

#[tokio::test]
async fn loading_that_never_ends_times_out() {
    let mut settings = settings();
    settings.pool.load_timeout = Duration::from_millis(300);
    let sandbox = sandbox_with(settings, no_door());
    let code = "import time\nwhile True: time.sleep(60)\n";
    assert_eq!(outcome(&sandbox, code).await, Outcome::TimedOut(Clock::Wall));
}

#[tokio::test]
async fn where_namespaces_cannot_be_nested_each_call_has_a_jail_of_its_own() {
    let sandbox = sandbox();
    let spec = || zygote(BORN).without(&[Guard::Nesting]);
    let one_by_one = [born(&sandbox, spec(), limits()).await, born(&sandbox, spec(), limits()).await];
    assert_ne!(one_by_one[0], one_by_one[1]);
    let calls = (0..4).map(|_| born(&sandbox, spec(), limits()));
    let together: HashSet<String> = futures::future::join_all(calls).await.into_iter().collect();
    assert_eq!(together.len(), 4);
}

#[tokio::test]
async fn a_jail_without_nesting_dies_with_its_call() {
    let sandbox = sandbox();
    let code = "
import os, time
def handler(i, c):
    if os.fork() == 0:
        os.setsid()
        while True: time.sleep(60)
    print('forked')
    while True: time.sleep(60)
";
    let (call, mut lines) = call(zygote(code).without(&[Guard::Nesting]), limits());
    let cancel = call.cancel.clone();
    let watched = async {
        lines.recv().await.unwrap();
        let inside = processes::below(sandbox.launcher_pid());
        assert_eq!(inside.len(), 4, "init, zygote, call and its child: {inside:?}");
        cancel.cancel();
        inside
    };
    let (report, inside) = tokio::join!(sandbox.call(call), watched);
    assert_eq!(report.unwrap().outcome, Outcome::Cancelled);
    for pid in inside {
        processes::ended(pid).await;
    }
}

#[tokio::test]
async fn the_python_of_the_search_path_runs_too_wherever_it_is_installed() {
    let python = Interpreter::discover(std::path::Path::new("python3")).unwrap();
    let executable = python.path.display().to_string();
    let sandbox = sandbox_with(Settings { interpreter: python, ..settings() }, no_door());
    let code = "import json, sqlite3, ssl, sys\ndef handler(i, c):\n    return sys.executable\n";
    assert_eq!(answer(outcome(&sandbox, code).await), executable);
}

#[tokio::test]
async fn a_crowd_of_calls_is_served_in_turns() {
    let sandbox = sandbox();
    let calls = (0..300).map(|_| outcome(&sandbox, "def handler(i, c):\n    return 1\n"));
    for ended in futures::future::join_all(calls).await {
        assert_eq!(answer(ended), 1);
    }
}

#[tokio::test]
async fn a_zygote_may_live_longer_than_the_processor_time_of_one_call() {
    let sandbox = sandbox();
    let limits = Limits { cpu: Duration::from_millis(200), ..limits() };
    let first = born(&sandbox, zygote(BORN), limits.clone()).await;
    for _ in 0..500 {
        assert_eq!(born(&sandbox, zygote(BORN), limits.clone()).await, first);
    }
}

#[tokio::test]
async fn a_zygote_that_works_on_behind_its_calls_is_ended() {
    let sandbox = sandbox();
    let code = "
import threading
def work():
    while True: pass
threading.Thread(target=work, daemon=True).start()
import time
def handler(i, c):
    while True: time.sleep(60)
";
    let limits = Limits { cpu: Duration::from_millis(300), ..limits() };
    let ended = report(&sandbox, zygote(code), limits).await.0.outcome;
    assert_eq!(ended, Outcome::Crashed { reason: "the jail ended while the call ran".into() });
}

#[tokio::test]
async fn what_the_host_gives_is_told() {
    let settings = settings();
    let note = settings.identity.note();
    let found = sandbox_with(settings, no_door()).examine().await.unwrap();
    assert!(found.nested, "{found:?}");
    assert_eq!(found.identity, note);
}

#[tokio::test]
async fn a_launcher_that_does_not_speak_is_refused_at_once() {
    let mut settings = settings();
    settings.launcher = "/bin/false".into();
    let error = Launcher::start(&settings).err().unwrap();
    assert!(error.to_string().contains("cannot be started"), "{error}");
}

/// A cold call has an interpreter of its own, which ends with it and is nobody else's; its module may start threads.
#[tokio::test]
async fn a_cold_call_begins_and_ends_with_its_own_interpreter() {
    let sandbox = sandbox();
    let code = format!("import threading\nthreading.Thread(target=print, daemon=True).start()\n{BORN}");
    let mut seen = HashSet::new();
    for _ in 0..3 {
        seen.insert(born(&sandbox, zygote(&code).cold(), limits()).await);
    }
    assert_eq!(seen.len(), 3);
    let broken = zygote("raise ValueError('at load')\n").cold();
    let outcome = report(&sandbox, broken, limits()).await.0.outcome;
    assert!(matches!(&outcome, Outcome::Failed(failure) if failure.kind == "ValueError"), "{outcome:?}");
    assert_ne!(
        born(&sandbox, zygote(BORN), limits()).await,
        born(&sandbox, zygote(BORN).cold(), limits()).await
    );
}

#[tokio::test]
async fn what_is_warm_is_listed_and_given_up_by_version() {
    let sandbox = sandbox();
    assert!(sandbox.warm_interpreters().is_empty());
    sandbox.warm(&zygote(BORN), &limits()).await.unwrap();
    let other = "def handler(input, context):\n    return 1\n";
    outcome(&sandbox, other).await;
    outcome(&sandbox, other).await;
    // The platform's own is nobody's business.
    sandbox.check_syntax("1").await.unwrap();
    let warm = sandbox.warm_interpreters();
    let of = |code: &str| warm.iter().find(|one| one.version == code).unwrap();
    assert_eq!(warm.len(), 2);
    assert_eq!((of(BORN).calls, of(other).calls, of(other).running), (0, 2, 0));
    assert!(of(BORN).memory.is_some_and(|bytes| bytes > 1 << 20), "{warm:?}");
    assert_eq!(warm[0].version, other, "the last used first");
    assert_eq!((sandbox.recycle(Some(other)), sandbox.recycle(Some(other))), (1, 0));
    assert_eq!(sandbox.warm_interpreters().len(), 1);
}
