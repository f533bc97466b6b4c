//! A house with a sandbox, an offline index and a place for environments.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use egress::{Egress, EgressSettings};
use safeconduct_packages::{Build, BuildError, Environments, Ground, Index, PackagesSettings, Ready};
use sandbox::{
    Call, ContextFrame, Identity, Interpreter, Launcher, Limits, OrgSlot, Outcome, Sandbox, Settings,
    ZygoteSpec,
};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use types::{OrgId, SteeredClock, SystemEntropy, World};

pub(crate) const PYTHON: &str = "/usr/bin/python3";
pub(crate) const HOST: &str = env!("CARGO_BIN_EXE_packages-test-host");
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Fixture {
    pub(crate) home: tempfile::TempDir,
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<SteeredClock>,
    pub(crate) world: World,
    pub(crate) environments: Environments,
    pub(crate) org: OrgId,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut PackagesSettings)) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("wheels")).unwrap();
        let mut settings = PackagesSettings {
            directory: home.path().join("environments"),
            index: Index::Directory(home.path().join("wheels")),
            environment_bytes: 64 << 20,
            environment_files: 10_000,
            build_timeout: Duration::from_secs(60),
            keep: Duration::from_secs(24 * 3600),
        };
        change(&mut settings);
        let mut jails = Settings::new(
            Interpreter::discover(Path::new(PYTHON)).unwrap(),
            Identity::detect(2_000_000, 65_536),
        );
        jails.launcher = HOST.into();
        let launcher = Launcher::start(&jails).unwrap();
        let sandbox =
            Sandbox::new(launcher, jails, Arc::new(|_, stream| Box::pin(async move { drop(stream) })));
        let clock = Arc::new(SteeredClock::default());
        let world = World::new(clock.clone(), Arc::new(SystemEntropy));
        let ground = Ground {
            sandbox: sandbox.clone(),
            egress: Egress::new(EgressSettings::default()).unwrap(),
            world: world.clone(),
            uv: Ok(testing::uv().canonicalize().unwrap()),
        };
        let (environments, org) = (Environments::new(ground, settings), world.id());
        Self { home, sandbox, clock, world, environments, org }
    }

    pub(crate) fn wheels(&self) -> PathBuf {
        self.home.path().join("wheels")
    }

    pub(crate) fn begin(&self, requirements: &[&str]) -> Build {
        let requirements = requirements.iter().map(|one| one.parse().unwrap()).collect();
        self.environments.prepare(self.org, slot(), requirements, [].into())
    }

    pub(crate) async fn build(&self, requirements: &[&str]) -> Result<Ready, BuildError> {
        self.begin(requirements).wait(PATIENCE).await.expect("the build ends")
    }

    /// What a handler in this environment answers.
    pub(crate) async fn run(&self, ready: &Ready, code: &str) -> serde_json::Value {
        match self.outcome(ready, code).await {
            Outcome::Succeeded { output } => serde_json::from_slice(&output).unwrap(),
            outcome => panic!("expected an answer, got {outcome:?}"),
        }
    }

    pub(crate) async fn outcome(&self, ready: &Ready, code: &str) -> Outcome {
        let (logs, mut lines) = mpsc::channel(64);
        let call = Call {
            zygote: ZygoteSpec::new(slot(), code, code, &["handler"]).with_packages(ready.path.clone()),
            input: b"null".to_vec(),
            context: ContextFrame::default(),
            limits: Limits { wall: Duration::from_secs(60), ..Limits::default() },
            logs,
            progress: watch::Sender::default(),
            outside: None,
            questions: mpsc::channel(1).0,
            cancel: CancellationToken::new(),
        };
        let drain = async { while lines.recv().await.is_some() {} };
        tokio::join!(self.sandbox.call(call), drain).0.unwrap().outcome
    }
}

pub(crate) fn slot() -> OrgSlot {
    OrgSlot::new(7).unwrap()
}

/// Everything that a build said.
pub(crate) async fn said(build: &Build) -> String {
    let mut all = String::new();
    let mut told = 0;
    loop {
        let lines = build.lines_after(told).await;
        let Some(last) = lines.last() else { return all };
        told = last.number;
        lines.iter().for_each(|line| all += &format!("{}\n", line.text));
    }
}
