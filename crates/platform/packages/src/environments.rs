//! Every environment of this process: found, or built once, whoever asks and however many at once.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use egress::Egress;
use parking_lot::Mutex;
use sandbox::{Call, ContextFrame, JailDoor, Limits, LogLine, OrgSlot, Outcome, Sandbox, ZygoteSpec};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;
use types::{OrgId, Timestamp, World};

use crate::build::Log;
use crate::files::{Files, Held};
use crate::index::Door;
use crate::unpack::{UnpackError, Unpacker};
use crate::{Build, BuildError, Lock, Name, PackagesSettings, Ready, Requirement};

const BUILDER: &str = include_str!("builder.py");

/// Builds at a time: each may use the memory of its environment twice.
const BUILDS: usize = 2;

/// How long a build that went well is remembered, so that what was tried is what is published.
const REMEMBERED: Duration = Duration::from_secs(600);

/// How often another process is asked whether it has finished.
const LOOK: Duration = Duration::from_millis(200);

const MEBIBYTE: u64 = 1 << 20;

/// What environments stand on.
pub struct Ground {
    pub sandbox: Sandbox,
    pub egress: Egress,
    pub world: World,
    /// The program; or why there is none.
    pub uv: Result<PathBuf, String>,
}

/// Clones share it.
#[derive(Clone)]
pub struct Environments(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) settings: PackagesSettings,
    pub(crate) world: World,
    pub(crate) files: Files,
    sandbox: Sandbox,
    egress: Egress,
    uv: Result<PathBuf, String>,
    builds: Mutex<HashMap<(OrgId, Wanted), Known>>,
    places: Semaphore,
}

struct Known {
    build: Build,
    begun: Timestamp,
}

/// What a build is for.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Wanted {
    Resolved { requirements: Vec<Requirement>, refused: BTreeSet<Name> },
    Installed([u8; 32]),
}

impl Environments {
    pub fn new(ground: Ground, settings: PackagesSettings) -> Self {
        let Ground { sandbox, egress, world, uv } = ground;
        let files = Files::new(settings.directory.clone());
        let (builds, places) = (Mutex::default(), Semaphore::new(BUILDS));
        Self(Arc::new(Inner { settings, world, files, sandbox, egress, uv, builds, places }))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub fn settings(&self) -> &PackagesSettings {
        &self.0.settings
    }

    /// Whether the lock is for the interpreter that runs functions here.
    pub fn suits(&self, lock: &Lock) -> bool {
        lock.interpreter() == Some(&*self.0.interpreter())
    }

    /// The environment of a lock, if it is there.
    pub fn find(&self, org: OrgId, lock: &Lock) -> Option<PathBuf> {
        self.0.files.find(org, lock, self.0.world.now())
    }

    /// Resolves and installs. Of `refused` nothing is taken, whoever asks for it. `slot` is whose host user the jail has.
    pub fn prepare(
        &self,
        org: OrgId,
        slot: OrgSlot,
        mut requirements: Vec<Requirement>,
        refused: BTreeSet<Name>,
    ) -> Build {
        requirements.sort();
        requirements.dedup();
        let wanted = Wanted::Resolved { requirements: requirements.clone(), refused: refused.clone() };
        let inner = self.0.clone();
        self.join(org, wanted, move |log| async move {
            let lock = inner.resolve(slot, &requirements, refused, &log).await?;
            inner.install(org, slot, lock, &log).await
        })
    }

    /// Builds what a lock says, from files with its hashes and no others.
    pub fn install(&self, org: OrgId, slot: OrgSlot, lock: Lock) -> Build {
        let (wanted, inner) = (Wanted::Installed(lock.sha256()), self.0.clone());
        self.join(org, wanted, move |log| async move { inner.install(org, slot, lock, &log).await })
    }

    /// The build of this, begun if there is none.
    fn join<F>(&self, org: OrgId, wanted: Wanted, work: impl FnOnce(Log) -> F) -> Build
    where
        F: Future<Output = Result<Ready, BuildError>> + Send + 'static,
    {
        let (inner, key) = (self.0.clone(), (org, wanted));
        let now = inner.world.now();
        let mut builds = self.0.builds.lock();
        if let Some(known) = builds.get(&key).filter(|known| known.is_good(now)) {
            return known.build.clone();
        }
        let build = Build::new();
        builds.insert(key, Known { build: build.clone(), begun: now });
        let (work, begun) = (work(build.log()), build.clone());
        telemetry::spawn("package build", async move {
            let place = inner.places.acquire().await;
            let ended = work.await;
            drop(place);
            let label = ended.as_ref().map_or_else(BuildError::label, |_| "built");
            metrics::counter!("safeconduct_package_builds_total", "outcome" => label).increment(1);
            begun.end(ended);
        });
        build
    }

    pub(crate) fn forget_builds(&self) {
        let now = self.0.world.now();
        self.0.builds.lock().retain(|_, known| known.is_good(now));
    }
}

impl Known {
    /// Under way, or gone well a short time ago and still there.
    fn is_good(&self, now: Timestamp) -> bool {
        match self.build.ended() {
            None => true,
            Some(Ok(ready)) => now.since(self.begun) < REMEMBERED && ready.path.exists(),
            Some(Err(_)) => false,
        }
    }
}

impl Inner {
    async fn resolve(
        &self,
        slot: OrgSlot,
        requirements: &[Requirement],
        refused: BTreeSet<Name>,
        log: &Log,
    ) -> Result<Lock, BuildError> {
        let texts: Vec<String> = requirements.iter().map(ToString::to_string).collect();
        log.say(format!("resolving {}", texts.join(" ")));
        let door = self.door(refused, None, log);
        let order = json!({ "step": "lock", "requirements": texts });
        let limits = self.limits(self.settings.environment_bytes, 4 << 20);
        let said = self.call(slot, &order, door, limits, log).await?;
        let said = said.as_str().unwrap_or_default();
        let lock =
            Lock::read(said, &self.interpreter()).map_err(|error| BuildError::Refused(error.to_string()))?;
        log.say(format!("resolved to {} packages", lock.packages().len()));
        Ok(lock)
    }

    async fn install(&self, org: OrgId, slot: OrgSlot, lock: Lock, log: &Log) -> Result<Ready, BuildError> {
        let held = tokio::time::timeout(self.settings.build_timeout * 2, self.hold(org)).await;
        let held = held.map_err(|_| BuildError::TimedOut(self.settings.build_timeout.as_secs()))??;
        if let Some(path) = self.files.find(org, &lock, self.world.now()) {
            log.say("the environment is there");
            return Ok(Ready { lock, path });
        }
        log.say("installing");
        let settings = &self.settings;
        let unpacker =
            Unpacker::new(held.building()?, settings.environment_bytes, settings.environment_files)?;
        let door = self.door(BTreeSet::new(), Some(unpacker), log);
        let order = json!({ "step": "install", "lock": lock.text() });
        // The files and uv's cache of them are the same files; what is written besides is the compiled code.
        let limits = self.limits(2 * settings.environment_bytes, 64 << 10);
        let told = self.call(slot, &order, door.clone(), limits, log).await;
        let taken = door.take().map_err(|error| match error {
            UnpackError::TooLarge(_) | UnpackError::TooMany(_) => BuildError::TooLarge(error.to_string()),
            error => BuildError::Refused(error.to_string()),
        })?;
        told?;
        let taken =
            taken.ok_or_else(|| BuildError::Refused("the build handed over no environment".into()))?;
        let path = held.finish(&lock, self.world.now())?;
        log.say(format!("built: {} files, {} MiB", taken.files(), taken.bytes().div_ceil(MEBIBYTE)));
        Ok(Ready { lock, path })
    }

    /// Waits until no other process builds for this organization.
    async fn hold(&self, org: OrgId) -> Result<Held, BuildError> {
        loop {
            if let Some(held) = self.files.hold(org)? {
                return Ok(held);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn door(&self, refused: BTreeSet<Name>, unpacker: Option<Unpacker>, log: &Log) -> Arc<Door> {
        let (source, egress) = (self.settings.index.clone(), self.egress.clone());
        Arc::new(Door::new(source, egress, refused, self.settings.environment_bytes, log.clone(), unpacker))
    }

    /// One run of the builder in a jail of its own, whose only way out is `door`.
    async fn call(
        &self,
        slot: OrgSlot,
        order: &Value,
        door: Arc<Door>,
        limits: Limits,
        log: &Log,
    ) -> Result<Value, BuildError> {
        let uv = self.uv.clone().map_err(BuildError::Unavailable)?;
        let base: Arc<str> = self.sandbox.door_url().into();
        let entrance: JailDoor = Arc::new(move |stream| Box::pin(door.clone().serve(stream, base.clone())));
        let zygote =
            ZygoteSpec::new(slot, "package builder", BUILDER, &["handler"]).with_tool(uv).with_door(entrance);
        let (lines, heard) = mpsc::channel(64);
        let listening = telemetry::spawn("package build log", listen(heard, log.clone()));
        let call = Call {
            zygote,
            input: serde_json::to_vec(order).unwrap_or_default(),
            context: ContextFrame::default(),
            limits,
            logs: lines,
            progress: watch::Sender::default(),
            outside: None,
            questions: mpsc::channel(1).0,
            cancel: CancellationToken::new(),
        };
        let report = self.sandbox.call(call).await?;
        // It ends with the last line: the call has let go of its end.
        let _ = listening.await;
        match report.outcome {
            Outcome::Succeeded { output } => Ok(serde_json::from_slice(&output).unwrap_or_default()),
            Outcome::Failed(failure) if is_full(&failure.message) => Err(self.too_large()),
            Outcome::Failed(failure) => Err(BuildError::Refused(failure.message)),
            Outcome::TimedOut(_) => Err(BuildError::TimedOut(self.settings.build_timeout.as_secs())),
            Outcome::MemoryExceeded => Err(self.too_large()),
            other => Err(BuildError::Refused(format!("the build ended unexpectedly: {other:?}"))),
        }
    }

    fn too_large(&self) -> BuildError {
        let megabytes = self.settings.environment_bytes / MEBIBYTE;
        BuildError::TooLarge(format!("packages.environment_mb is {megabytes}"))
    }

    fn limits(&self, storage: u64, output: usize) -> Limits {
        let wall = self.settings.build_timeout;
        Limits {
            wall,
            cpu: wall * 4,
            storage,
            // `/tmp` is memory; uv and the compiler need some as well.
            memory: storage + 512 * MEBIBYTE,
            processes: 128,
            open_files: 1024,
            output,
            log_bytes: 1 << 20,
            ..Limits::default()
        }
    }

    /// As a lock names it.
    fn interpreter(&self) -> String {
        let (major, minor, _) = self.sandbox.interpreter().version;
        format!("cp{major}{minor}-linux-{}", std::env::consts::ARCH)
    }
}

async fn listen(mut lines: mpsc::Receiver<LogLine>, log: Log) {
    while let Some(line) = lines.recv().await {
        for text in line.text.lines() {
            log.say(text.trim_end());
        }
    }
}

/// The jail's `/tmp` is full.
fn is_full(message: &str) -> bool {
    message.contains("No space left on device") || message.contains("os error 28")
}
