//! What the server calls: check code, run a call.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::conversation;
use super::jail::{Jail, NoJail};
use super::launcher::{Births, Launcher};
use super::pool::{Key, Zygotes, runner_limits};
use super::warm::WarmInterpreter;
use crate::guard::{Guard, Removed};
use crate::message::{Bind, JailPlan, Source, Step};
use crate::{
    Call, ContextFrame, Identity, Interpreter, Limits, OrgSlot, Outcome, Report, SandboxError, Settings,
    SyntaxCheckError, SyntaxError, Usage,
};

/// Serves one connection that came through a jail's door, until the future ends. The token in it names the run, not
/// the connection.
pub type DoorHandler = Arc<dyn Fn(OrgSlot, TcpStream) -> Serving + Send + Sync>;
type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Where a jail imports packages from.
const PACKAGES: &str = "/packages";

/// Where a jail finds the program that [`ZygoteSpec::with_tool`] gives it.
pub const TOOL: &str = "/safeconduct/tool";

/// A handler that knows whose jail it serves.
pub type JailDoor = Arc<dyn Fn(TcpStream) -> Serving + Send + Sync>;

/// The trust unit: code that may share an interpreter with itself and with nothing else.
#[derive(Clone)]
pub struct ZygoteSpec {
    pub(super) slot: OrgSlot,
    pub(super) version: String,
    code: Arc<str>,
    pub(super) entrypoints: Vec<String>,
    check: bool,
    cold: bool,
    packages: Option<PathBuf>,
    tool: Option<PathBuf>,
    door: Option<JailDoor>,
    pub(super) removed: Removed,
}

impl ZygoteSpec {
    /// `version` names the code (same version, same code, across all organizations); `entrypoints` are the names to
    /// look for, best first.
    pub fn new(
        slot: OrgSlot,
        version: impl Into<String>,
        code: impl Into<Arc<str>>,
        entrypoints: &[&str],
    ) -> Self {
        Self {
            slot,
            version: version.into(),
            code: code.into(),
            entrypoints: entrypoints.iter().map(|&name| name.to_owned()).collect(),
            check: false,
            cold: false,
            packages: None,
            tool: None,
            door: None,
            removed: Removed::default(),
        }
    }

    /// Each call gets a new jail and interpreter, which loads the module anew and ends with the call.
    #[must_use]
    pub fn cold(mut self) -> Self {
        self.cold = true;
        self
    }

    /// Imports from this directory as well, which it sees read-only at `/packages`.
    #[must_use]
    pub fn with_packages(mut self, directory: PathBuf) -> Self {
        self.packages = Some(directory);
        self
    }

    /// Sees this program of the host at [`TOOL`].
    #[must_use]
    pub fn with_tool(mut self, program: PathBuf) -> Self {
        self.tool = Some(program);
        self
    }

    /// Its door leads to `door` instead of the server's API; so no other call may share its jail.
    #[must_use]
    pub fn with_door(mut self, door: JailDoor) -> Self {
        self.door = Some(door);
        self.cold()
    }

    pub(super) fn binds(&self) -> Vec<Bind> {
        let bind = |from: &Option<PathBuf>, at: &str| {
            from.as_ref().map(|from| Bind { from: from.clone(), at: Path::new(at).to_owned() })
        };
        bind(&self.packages, PACKAGES).into_iter().chain(bind(&self.tool, TOOL)).collect()
    }

    /// For the control half of an attack test: the same jail without these guards.
    #[cfg(feature = "unguarded")]
    pub fn without(mut self, guards: &[Guard]) -> Self {
        self.removed = Removed::these(guards);
        self
    }

    fn checker() -> Self {
        Self { check: true, ..Self::new(OrgSlot::PLATFORM, "syntax", "", &[]) }
    }

    fn steps(&self) -> Vec<Step> {
        use Guard as G;
        let all = [
            (Step::Nest, G::Nesting),
            (Step::Scratch, G::Scratch),
            (Step::Processes, G::Processes),
            (Step::Resources, G::Resources),
            (Step::Landlock, G::Landlock),
            (Step::Dumpable, G::Dumpable),
            (Step::Capabilities, G::Identity),
            (Step::Narrowing, G::Narrowing),
            (Step::Descriptors, G::Descriptors),
        ];
        all.into_iter().filter(|(_, guard)| self.removed.stands(*guard)).map(|(step, _)| step).collect()
    }
}

/// What the host gives to the sandbox beyond what it cannot do without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Calls have namespaces of their own. Without: one call per jail, so each pays for a new interpreter.
    pub nested: bool,
    /// The kernel's version of Landlock.
    pub landlock: Option<u32>,
    /// A weakness of the identity that sandboxed code has.
    pub identity: Option<&'static str>,
}

/// Runs code in jails. Cheap to clone; the last clone's drop ends every jail.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    settings: Settings,
    allow_list: Vec<PathBuf>,
    births: Births,
    zygotes: Zygotes,
    door: DoorHandler,
}

impl Sandbox {
    /// Called in the runtime; `launcher` was started before it.
    pub fn new(launcher: Launcher, settings: Settings, door: DoorHandler) -> Self {
        let sandbox = Self(Arc::new(Inner {
            allow_list: settings.interpreter.allow_list(),
            births: Births::new(launcher),
            zygotes: Zygotes::new(settings.pool.clone()),
            settings,
            door,
        }));
        telemetry::spawn("sandbox sweep", sweep(Arc::downgrade(&sandbox.0)));
        sandbox
    }

    /// Runs one call to its end. Dropping the future kills the call.
    pub async fn call(&self, call: Call) -> Result<Report, SandboxError> {
        let key = Key::of(&call.zygote, &call.limits);
        let jail = tokio::select! {
            biased;
            () = call.cancel.cancelled() => return Ok(unstarted(Outcome::Cancelled)),
            jail = self.open(&call.zygote, &call.limits), if call.zygote.cold => jail.map(Arc::new),
            jail = self.0.zygotes.get(key, || self.open(&call.zygote, &call.limits)), if !call.zygote.cold => jail,
        };
        match jail {
            Ok(jail) => Ok(conversation::run(&jail, call, &self.0.settings.api_url()).await),
            Err(NoJail::Code(outcome)) => Ok(unstarted(outcome)),
            Err(NoJail::Sandbox(error)) => Err(error),
        }
    }

    /// Makes the zygote of `spec` now, so that its first call finds it warm.
    pub async fn warm(&self, spec: &ZygoteSpec, limits: &Limits) -> Result<(), SandboxError> {
        match self.0.zygotes.get(Key::of(spec, limits), || self.open(spec, limits)).await {
            Ok(_) | Err(NoJail::Code(_)) => Ok(()),
            Err(NoJail::Sandbox(error)) => Err(error),
        }
    }

    /// Makes the platform's own zygote and tells what this host gives; for start-up and `doctor`.
    pub async fn examine(&self) -> Result<Findings, SandboxError> {
        let (spec, limits) = (ZygoteSpec::checker(), checker_limits());
        let opened = self.0.zygotes.get(Key::of(&spec, &limits), || self.open(&spec, &limits));
        match opened.await {
            Ok(jail) => Ok(Findings {
                nested: jail.nested,
                landlock: u32::try_from(jail.landlock).ok().filter(|version| *version > 0),
                identity: self.0.settings.identity.note(),
            }),
            Err(NoJail::Sandbox(error)) => Err(error),
            Err(NoJail::Code(outcome)) => Err(SandboxError::Jail(format!("{outcome:?}"))),
        }
    }

    /// Parses `code` with the interpreter that would run it, in a jail of the platform's own.
    pub async fn check_syntax(&self, code: &str) -> Result<(), SyntaxCheckError> {
        let (logs, _unread) = mpsc::channel(1);
        let call = Call {
            zygote: ZygoteSpec::checker(),
            input: serde_json::to_vec(code).unwrap_or_default(),
            context: ContextFrame::default(),
            limits: checker_limits(),
            logs,
            progress: watch::Sender::default(),
            outside: None,
            questions: mpsc::channel(1).0,
            cancel: CancellationToken::new(),
        };
        match self.call(call).await?.outcome {
            Outcome::Succeeded { output } => verdict(&output),
            // Code that breaks the parser itself is not code that can run.
            outcome => {
                Err(SyntaxError { line: 1, column: 1, message: format!("the parser gave up: {outcome:?}") }
                    .into())
            }
        }
    }

    /// Gives up the zygotes of one version, or all; running calls keep theirs until they end. How many it were.
    pub fn recycle(&self, version: Option<&str>) -> usize {
        self.0.zygotes.forget(version)
    }

    /// Ends every jail and the launcher; calls that still run end as if their jail had died, and there are no more.
    pub async fn close(&self) {
        self.0.zygotes.forget(None);
        self.0.births.close().await;
    }

    /// What is kept warm in this process, the last used first; not the platform's own.
    pub fn warm_interpreters(&self) -> Vec<WarmInterpreter> {
        self.0.zygotes.list()
    }

    /// Whether one more can be kept warm without another going.
    pub fn has_room(&self) -> bool {
        self.0.zygotes.has_room()
    }

    /// Which interpreter runs functions.
    pub fn interpreter(&self) -> &Interpreter {
        &self.0.settings.interpreter
    }

    /// The base URL at which a call reaches what its door leads to.
    pub fn door_url(&self) -> String {
        self.0.settings.api_url()
    }

    pub fn identity(&self) -> &Identity {
        &self.0.settings.identity
    }

    /// The launcher's process id at present.
    pub fn launcher_pid(&self) -> u32 {
        self.0.births.pid()
    }

    async fn open(&self, spec: &ZygoteSpec, limits: &Limits) -> Result<Jail, NoJail> {
        let inner = &*self.0;
        let ids = if spec.removed.stands(Guard::Identity) {
            inner.settings.identity.map(spec.slot)
        } else {
            Identity::own()
        };
        let plan = JailPlan {
            ids,
            python: inner.settings.interpreter.path.clone(),
            allow_list: inner.allow_list.clone(),
            binds: spec.binds(),
            door_port: inner.settings.door_port,
            memory: limits.memory,
            cpu: limits.cpu,
            storage: limits.storage,
            removed: spec.removed.clone(),
        };
        let source = Source {
            code: spec.code.to_string(),
            entrypoints: spec.entrypoints.clone(),
            check: spec.check,
            packages: spec.packages.as_ref().map(|_| PACKAGES.into()),
            limits: runner_limits(limits),
        };
        let patience = inner.settings.pool.load_timeout;
        let (handler, slot) = (inner.door.clone(), spec.slot);
        let own = spec.door.clone();
        let door = own.unwrap_or_else(|| -> JailDoor { Arc::new(move |stream| handler(slot, stream)) });
        let opened = Jail::open(&inner.births, plan, spec.steps(), &source, &door);
        match tokio::time::timeout(patience, opened).await {
            Ok(opened) => opened.map(|jail| if spec.cold { jail } else { jail.keep_ahead() }),
            Err(_) => Err(NoJail::Code(Outcome::TimedOut(crate::Clock::Wall))),
        }
    }
}

fn checker_limits() -> Limits {
    Limits { wall: Duration::from_secs(10), cpu: Duration::from_secs(10), ..Limits::default() }
}

async fn sweep(sandbox: std::sync::Weak<Inner>) {
    let mut minutes = tokio::time::interval(Duration::from_secs(60));
    loop {
        minutes.tick().await;
        let Some(inner) = sandbox.upgrade() else { return };
        inner.zygotes.sweep();
    }
}

fn unstarted(outcome: Outcome) -> Report {
    Report { outcome, usage: Usage::default(), logs_truncated: false }
}

fn verdict(answer: &[u8]) -> Result<(), SyntaxCheckError> {
    #[derive(Deserialize)]
    struct Place {
        line: u32,
        column: u32,
        message: String,
    }
    match serde_json::from_slice::<Option<Place>>(answer) {
        Ok(None) => Ok(()),
        Ok(Some(Place { line, column, message })) => Err(SyntaxError { line, column, message }.into()),
        Err(_) => Err(SandboxError::Jail("the syntax checker answers nonsense".into()).into()),
    }
}
