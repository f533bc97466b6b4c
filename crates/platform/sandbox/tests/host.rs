//! The program that the tests start: the launcher, or a small server that runs one endless call until it is killed.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use safeconduct_sandbox::{
    Call, ContextFrame, Identity, Interpreter, Launcher, Limits, OrgSlot, Sandbox, Settings, ZygoteSpec,
};
use tokio_util::sync::CancellationToken;

const ENDLESS: &str = "
import os, time
def handler(input, context):
    if os.fork() == 0:
        os.setsid()
        print('up', flush=True)
    while True: time.sleep(60)
";

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    safeconduct_sandbox::become_launcher_if_asked();
    let python = std::env::args().nth(1).ok_or("the interpreter's path is missing")?;
    let interpreter = Interpreter::discover(Path::new(&python))?;
    let settings = Settings::new(interpreter, Identity::detect(2_000_000, 65_536));
    let launcher = Launcher::start(&settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(run(launcher, settings))
}

/// Says `running <launcher's pid>` as soon as the handler does, and goes on until killed.
async fn run(launcher: Launcher, settings: Settings) -> Result<(), Failure> {
    let sandbox =
        Sandbox::new(launcher, settings, Arc::new(|_, stream| Box::pin(async move { drop(stream) })));
    let slot = OrgSlot::new(1).ok_or("no such slot")?;
    let (logs, mut lines) = tokio::sync::mpsc::channel(8);
    let call = Call {
        zygote: ZygoteSpec::new(slot, "endless", ENDLESS, &["handler"]),
        input: b"null".to_vec(),
        context: ContextFrame::default(),
        limits: Limits::default(),
        logs,
        progress: tokio::sync::watch::Sender::default(),
        outside: None,
        questions: tokio::sync::mpsc::channel(1).0,
        cancel: CancellationToken::new(),
    };
    let running = sandbox.call(call);
    tokio::pin!(running);
    loop {
        tokio::select! {
            ended = &mut running => return Err(format!("the endless call ended: {ended:?}").into()),
            Some(_) = lines.recv() => {
                let mut out = std::io::stdout();
                writeln!(out, "running {}", sandbox.launcher_pid())?;
            }
        }
    }
}
