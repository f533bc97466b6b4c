//! A sandbox with a launcher of its own, and short ways to run code in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use safeconduct_sandbox::{
    Call, ContextFrame, DoorHandler, Failure, Guard, Identity, Interpreter, Launcher, Limits, LogLine,
    OrgSlot, Outcome, Report, Sandbox, Settings, ZygoteSpec,
};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

pub(crate) fn interpreter() -> Interpreter {
    Interpreter::discover(Path::new("/usr/bin/python3")).unwrap()
}

/// The program of `tests/host.rs`: beside this one when both were copied for another user, else where Cargo built it.
pub(crate) fn test_host() -> PathBuf {
    let beside = std::env::current_exe().unwrap().with_file_name("sandbox-test-host");
    if beside.exists() { beside } else { env!("CARGO_BIN_EXE_sandbox-test-host").into() }
}

pub(crate) fn settings() -> Settings {
    let mut settings = Settings::new(interpreter(), Identity::detect(2_000_000, 65_536));
    settings.launcher = test_host();
    settings
}

/// Whoever knocks is sent away.
pub(crate) fn no_door() -> DoorHandler {
    Arc::new(|_, stream| Box::pin(async move { drop(stream) }))
}

pub(crate) fn sandbox() -> Sandbox {
    sandbox_with(settings(), no_door())
}

pub(crate) fn sandbox_with(settings: Settings, door: DoorHandler) -> Sandbox {
    let launcher = Launcher::start(&settings).unwrap();
    Sandbox::new(launcher, settings, door)
}

/// Limits that a test can reach quickly.
pub(crate) fn limits() -> Limits {
    Limits {
        wall: Duration::from_secs(60),
        cpu: Duration::from_secs(20),
        memory: 128 << 20,
        ..Limits::default()
    }
}

/// A zygote of its own for exactly this code.
pub(crate) fn zygote(code: &str) -> ZygoteSpec {
    ZygoteSpec::new(OrgSlot::new(7).unwrap(), code, code, &["handler"])
}

pub(crate) fn call(zygote: ZygoteSpec, limits: Limits) -> (Call, mpsc::Receiver<LogLine>) {
    let (logs, lines) = mpsc::channel(1024);
    let context =
        ContextFrame { run_id: "run_1".into(), trigger_type: "API".into(), attempt: 1, ..Default::default() };
    let (progress, cancel) = (watch::Sender::default(), CancellationToken::new());
    let questions = mpsc::channel(1).0;
    let input = b"null".to_vec();
    (Call { zygote, input, context, limits, logs, progress, outside: None, questions, cancel }, lines)
}

/// Runs `code` with `limits`; the log is read to its end meanwhile.
pub(crate) async fn report(sandbox: &Sandbox, zygote: ZygoteSpec, limits: Limits) -> (Report, Vec<LogLine>) {
    let (call, mut lines) = call(zygote, limits);
    let read = async {
        let mut seen = Vec::new();
        while let Some(line) = lines.recv().await {
            seen.push(line);
        }
        seen
    };
    let (report, lines) = tokio::join!(sandbox.call(call), read);
    (report.unwrap(), lines)
}

pub(crate) async fn outcome(sandbox: &Sandbox, code: &str) -> Outcome {
    report(sandbox, zygote(code), limits()).await.0.outcome
}

pub(crate) async fn outcome_without(sandbox: &Sandbox, code: &str, guards: &[Guard]) -> Outcome {
    report(sandbox, zygote(code).without(guards), limits()).await.0.outcome
}

/// The answer of a call that must have succeeded.
pub(crate) fn answer(outcome: Outcome) -> serde_json::Value {
    match outcome {
        Outcome::Succeeded { output } => serde_json::from_slice(&output).unwrap(),
        outcome => panic!("expected an answer, got {outcome:?}"),
    }
}

pub(crate) fn failure(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Failed(failure) => failure,
        outcome => panic!("expected a failure, got {outcome:?}"),
    }
}
