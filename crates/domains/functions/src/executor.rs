//! Runs a function: version, rights, token, sandbox, output. The engine (platform/runs) does the rest.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use access::Access;
use authority::{Authority, Required, Selector};
use db::{Db, OrgScope};
use egress::Egress;
use futures::future::BoxFuture;
use named_secrets::NamedSecrets;
use packages::{BuildError, Environments};
use parking_lot::Mutex;
use problem::Problem;
use runs::{Ending, Executor, Finish, LogSink, RunError, RunToken, Task, Usage};
use sandbox::{
    Call, ContextFrame, LogLevel, LogLine, LogSource, OrgSlot, Outcome, Progress, Redactor, Report, Sandbox,
    ZygoteSpec,
};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use types::{FunctionId, FunctionVersionId, Id, World, json};
use web::PrincipalId;

use crate::mandate::{RunPass, RunTokens, TokenWanted, principals};
use crate::model::{Function, FunctionRef, Mode, Version};
use crate::outgoing::{self, Held, HttpDoor, Tally};
use crate::questions::attend;
use crate::service::FunctionsGround;
use crate::settings::FunctionsSettings;
use crate::slots::Slots;
use crate::store;
use crate::versions::{Ready, Versions};

/// Lines under way from the sandbox; a full channel holds the function back.
const LINES: usize = 256;
/// Longer than any call, so that a token does not end before its run.
const TOKEN_MARGIN: Duration = Duration::from_secs(60);
/// Arrays and objects that stand in each other in an output; usual readers give up at 128.
const DEEPEST: usize = 100;
/// Permission to run, asked again when a run begins.
const EXECUTE: Required = Required::parse("functions:execute");

/// The executor of `function` runs; clones share it.
#[derive(Clone)]
pub struct FunctionExecutor(Arc<Inner>);

struct Inner {
    db: Db,
    world: World,
    access: Access,
    versions: Versions,
    tokens: Arc<dyn RunTokens>,
    secrets: NamedSecrets,
    egress: Egress,
    /// None where this machine has none.
    sandbox: Option<Sandbox>,
    environments: Option<Environments>,
    settings: FunctionsSettings,
    slots: Slots,
}

impl Executor for FunctionExecutor {
    fn kind(&self) -> &'static str {
        "function"
    }

    fn target(&self) -> &'static str {
        "function"
    }

    fn execute(&self, task: Task) -> BoxFuture<'static, Finish> {
        let executor = self.clone();
        Box::pin(async move {
            match executor.run(&task).await {
                Ok(finish) => finish,
                Err(ending) => Finish::without_work(ending),
            }
        })
    }
}

impl FunctionExecutor {
    pub(crate) fn new(
        ground: &FunctionsGround,
        versions: Versions,
        settings: FunctionsSettings,
        slots: Slots,
    ) -> Self {
        let FunctionsGround { db, world, access, tokens, secrets, egress, sandbox, environments, .. } =
            ground;
        Self(Arc::new(Inner {
            db: db.clone(),
            world: world.clone(),
            access: access.clone(),
            versions,
            tokens: tokens.clone(),
            secrets: secrets.clone(),
            egress: egress.clone(),
            sandbox: sandbox.clone(),
            environments: environments.clone(),
            settings,
            slots,
        }))
    }

    async fn run(&self, task: &Task) -> Result<Finish, Ending> {
        let scope = OrgScope::proven(task.run.org);
        let id = FunctionId::from_uuid(task.run.target);
        let found = store::find(&self.0.db, &scope, &FunctionRef::Id(id)).await.map_err(ours)?;
        let function =
            found.ok_or_else(|| failed("function_deleted", "The function does not exist any more."))?;
        if function.deleted_at.is_some() {
            return Err(failed("function_deleted", "The function was deleted while the run was waiting."));
        }
        let version = FunctionVersionId::from_uuid(task.run.version.unwrap_or_default());
        let ready = self.0.versions.get(&scope, version).await.map_err(|error| ours(Problem::from(error)))?;
        self.still_allowed(task, &function).await?;
        let held = outgoing::hold(&self.0.secrets, &scope, task, &ready.version).await?;
        let pass = self.token(task, &ready).await?;
        let tally = Arc::new(Tally::default());
        let (report, halted) = self.call(task, &function, &ready, &pass, held, &tally).await?;
        drop(pass.counted);
        let token = RunToken { jti: pass.jti, audience: pass.audience, scope: pass.scope, txn: pass.txn };
        let mut finish = finish(report, &ready, Some(token));
        finish.outgoing = tally.told();
        finish.ending = halted.unwrap_or(finish.ending);
        finish.again_in = ready.version.retry.map(|retry| retry.wait(task.run.attempts, &self.0.world));
        Ok(finish)
    }

    /// A run may have waited while its caller lost the right to it.
    async fn still_allowed(&self, task: &Task, function: &Function) -> Result<(), Ending> {
        let (namespace, name) = (function.namespace.as_str(), function.name.as_str());
        let selector = Selector::object([namespace, name])
            .map_err(|error| failed("permission_denied", error.to_string()))?;
        for principal in principals(&task.mandate) {
            let grants = self.0.access.grants(task.run.org, principal).await.map_err(ours)?;
            if !may(&grants, function, principal, &selector) {
                let message =
                    format!("{principal} does not hold functions:execute for {namespace}/{name} any more.");
                return Err(failed("permission_denied", message));
            }
        }
        Ok(())
    }

    async fn token(&self, task: &Task, ready: &Ready) -> Result<RunPass, Ending> {
        let author = ready.version.author.parse().map_err(ours)?;
        let wanted = TokenWanted {
            org: task.run.org,
            on_behalf: &task.mandate.on_behalf,
            function: ready.version.function,
            author,
            run: task.run.id,
            fence: task.run.fence,
            permissions: &ready.version.permissions,
            lifetime: ready.limits(&self.0.settings).wall + self.0.settings.question_wait + TOKEN_MARGIN,
        };
        self.0.tokens.mint(wanted).await.map_err(|problem| match problem.status() {
            500.. => Ending::Again(problem.to_string()),
            _ => failed("authority_lost", problem.detail().to_owned()),
        })
    }

    async fn call(
        &self,
        task: &Task,
        function: &Function,
        ready: &Ready,
        pass: &RunPass,
        held: Held,
        tally: &Arc<Tally>,
    ) -> Result<(Report, Option<Ending>), Ending> {
        let unavailable =
            |reason: &str| failed("sandbox_unavailable", format!("{reason} The server's log says more."));
        let sandbox = self.0.sandbox.as_ref().ok_or_else(|| unavailable("This server has no sandbox."))?;
        let slot = self.0.slots.of(task.run.org);
        let slot =
            slot.ok_or_else(|| unavailable("Too many organizations have run functions since the start."))?;
        let (send, lines) = mpsc::channel(LINES);
        let (progress, said) = watch::channel(None);
        let (questions, asked) = mpsc::channel(1);
        let (stop, over) = (task.cancel.child_token(), CancellationToken::new());
        let version = &ready.version;
        let zygote = ready.zygote(slot, function, self.environment(task, slot, version).await?);
        let call = Call {
            zygote: if version.mode == Mode::Cold { zygote.cold() } else { zygote },
            input: task.input.clone(),
            context: ContextFrame { secrets: held.given.clone(), ..self.context(task, ready, pass) },
            limits: ready.limits(&self.0.settings),
            outside: Some(Arc::new(self.way_out(task, ready, held, tally, send.clone()))),
            logs: send,
            progress,
            questions,
            cancel: stop.clone(),
        };
        let forwarding = telemetry::spawn("run log", forward(lines, task.logs.clone()));
        let watching = telemetry::spawn("run progress", pass_on(said, task.logs.clone()));
        let attending = attend(asked, task.interview.clone(), stop);
        let ended = over.clone();
        let attending =
            telemetry::spawn("run questions", async move { ended.run_until_cancelled(attending).await });
        let report = sandbox.call(call).await;
        // A question that is open when the call ends is asked by nobody any more.
        over.cancel();
        // They end with the last word: the call has let go of its ends of the channels.
        let _ = (forwarding.await, watching.await);
        let halted = attending.await.ok().flatten().flatten();
        report.map(|report| (report, halted)).map_err(|error| Ending::Again(error.to_string()))
    }

    fn way_out(
        &self,
        task: &Task,
        ready: &Ready,
        held: Held,
        tally: &Arc<Tally>,
        log: mpsc::Sender<LogLine>,
    ) -> HttpDoor {
        let given = held.given.iter().map(|(name, value)| (name.as_str(), value));
        HttpDoor::new(outgoing::Inner {
            egress: self.0.egress.clone(),
            rules: ready.version.egress.clone(),
            secrets: self.0.secrets.clone(),
            scope: OrgScope::proven(task.run.org),
            given: Redactor::new(given),
            usable: held.usable,
            reading: held.reading,
            tally: tally.clone(),
            log,
            hidden: Mutex::default(),
        })
    }

    /// The version's packages; built here if this machine has not had them yet.
    async fn environment(
        &self,
        task: &Task,
        slot: OrgSlot,
        version: &Version,
    ) -> Result<Option<PathBuf>, Ending> {
        let Some(lock) = &version.lock else { return Ok(None) };
        let unavailable = || failed("environment_failed", "This server cannot install packages.");
        let environments = self.0.environments.as_ref().ok_or_else(unavailable)?;
        if let Some(found) = environments.find(task.run.org, lock) {
            return Ok(Some(found));
        }
        let say = |text: String| task.logs.line("sandbox", "info", text, None);
        say("The environment of its packages is being built.".into());
        let build = environments.install(task.run.org, slot, lock.clone());
        tokio::select! {
            () = task.cancel.cancelled() => Err(Ending::Cancelled),
            ended = build.wait(Duration::MAX) => match ended {
                Some(Ok(ready)) => Ok(Some(ready.path)),
                Some(Err(error @ BuildError::Unavailable(_))) => Err(Ending::Again(error.to_string())),
                Some(Err(error)) => Err(failed("environment_failed", error.to_string())),
                None => Err(Ending::Again("the build was given up".into())),
            },
        }
    }

    fn context(&self, task: &Task, ready: &Ready, pass: &RunPass) -> ContextFrame {
        let (mut user_id, mut agent_id) = (None, None);
        match principals(&task.mandate).first() {
            Some(PrincipalId::User(id)) => user_id = Some(id.to_string()),
            Some(PrincipalId::Agent(id)) => agent_id = Some(id.to_string()),
            None => {}
        }
        let deadline = self.0.world.now().plus(ready.limits(&self.0.settings).wall);
        ContextFrame {
            run_id: task.run.id.to_string(),
            org_id: task.run.org.to_string(),
            user_id,
            agent_id,
            trigger_type: task.run.trigger.name().to_uppercase(),
            trigger_id: task.run.trigger_id.clone(),
            attempt: u32::try_from(task.run.attempts).unwrap_or(1),
            deadline: Some(deadline.to_string()),
            access_token: Some(pass.token.clone()),
            ..ContextFrame::default()
        }
    }
}

impl Ready {
    /// The unit of trust: this version, for this organization.
    pub(crate) fn zygote(&self, slot: OrgSlot, function: &Function, packages: Option<PathBuf>) -> ZygoteSpec {
        let names: Vec<&str> = match self.version.entrypoint.as_str() {
            "" => vec!["handler", &function.name],
            named => vec![named],
        };
        let zygote = ZygoteSpec::new(slot, self.version.id.to_string(), self.code.clone(), &names);
        match packages {
            Some(packages) => zygote.with_packages(packages),
            None => zygote,
        }
    }

    pub(crate) fn limits(&self, settings: &FunctionsSettings) -> sandbox::Limits {
        let seconds = u64::try_from(self.version.timeout_seconds).unwrap_or(1);
        let megabytes = u64::try_from(self.version.memory_mb).unwrap_or(16);
        settings.limits(Duration::from_secs(seconds), megabytes)
    }
}

fn may(grants: &Authority, function: &Function, principal: PrincipalId, selector: &Selector) -> bool {
    let own = function.owner == principal;
    let needs = if own { authority::Reach::Own } else { authority::Reach::All };
    grants.reach_for(&EXECUTE, selector).is_some_and(|reach| reach >= needs)
}

async fn forward(mut lines: mpsc::Receiver<LogLine>, sink: LogSink) {
    while let Some(LogLine { source, level, text, fields }) = lines.recv().await {
        sink.line(source_name(source), level_name(level), text, fields);
    }
}

async fn pass_on(mut said: watch::Receiver<Option<Progress>>, sink: LogSink) {
    // The last word is still seen when its speaker is gone.
    while said.changed().await.is_ok() {
        if let Some(Progress { fraction, message }) = said.borrow_and_update().clone() {
            sink.progress(fraction, message);
        }
    }
}

const fn source_name(source: LogSource) -> &'static str {
    match source {
        LogSource::Stdout => "stdout",
        LogSource::Stderr => "stderr",
        LogSource::Log => "log",
        LogSource::Raw => "raw",
        LogSource::Sandbox => "sandbox",
    }
}

const fn level_name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warning => "warning",
        LogLevel::Error => "error",
    }
}

fn failed(kind: &'static str, message: impl Into<String>) -> Ending {
    Ending::Failed(RunError::new(kind, message))
}

fn ours(error: impl std::fmt::Display) -> Ending {
    Ending::Again(error.to_string())
}

fn finish(report: Report, ready: &Ready, token: Option<RunToken>) -> Finish {
    let usage =
        Usage { wall: report.usage.wall, cpu: report.usage.cpu, peak_memory: report.usage.peak_memory };
    Finish {
        ending: ending(report.outcome, ready),
        usage,
        token,
        logs_truncated: report.logs_truncated,
        again_in: None,
        outgoing: None,
    }
}

/// Every way in which a call can end, by its name.
fn ending(outcome: Outcome, ready: &Ready) -> Ending {
    match outcome {
        Outcome::Succeeded { output } => checked(output, ready),
        Outcome::Failed(failure) => Ending::Failed(RunError {
            exception: Some(failure.kind),
            traceback: failure.traceback,
            ..RunError::new("raised", failure.message)
        }),
        Outcome::TimedOut(clock) => {
            let seconds = ready.version.timeout_seconds;
            let what = match clock {
                sandbox::Clock::Wall => "wall-clock time",
                sandbox::Clock::Cpu => "processor time",
            };
            let message = format!("It used up its {what} (timeout_seconds is {seconds}) and was killed.");
            Ending::TimedOut(RunError::new("timed_out", message))
        }
        Outcome::MemoryExceeded => {
            let megabytes = ready.version.memory_mb;
            failed("memory_exceeded", format!("It used more than memory_mb ({megabytes}) and was killed."))
        }
        Outcome::OutputTooLarge { limit } => {
            failed("output_too_large", format!("Its output is larger than {limit} bytes. Return less."))
        }
        Outcome::Killed { signal } => failed(
            "killed",
            format!("Its process ended by signal {signal}: native code crashed, or it killed itself."),
        ),
        Outcome::Cancelled => Ending::Cancelled,
        Outcome::Crashed { reason } => {
            failed("crashed", format!("Its process ended without an answer: {reason}"))
        }
    }
}

/// What is kept must come back as it was: JSON that we read exactly, and that others still can read inside of an answer.
fn checked(output: Vec<u8>, ready: &Ready) -> Ending {
    let value = match json::strict(&output) {
        Ok(value) => value,
        Err(error) => {
            return failed(
                "output_invalid",
                format!("Its output is not JSON that is kept exactly: {error}."),
            );
        }
    };
    if json::depth(&value) > DEEPEST {
        let message = format!("Its output nests more than {DEEPEST} arrays and objects. Return it flatter.");
        return failed("output_invalid", message);
    }
    let violations = ready.output.as_ref().map(|schema| schema.violations(&value, "/output"));
    let violations = violations.unwrap_or_default();
    if violations.is_empty() {
        return Ending::Succeeded(output);
    }
    let message = "Its output does not match output_schema where violations point to.";
    Ending::Failed(RunError { violations, ..RunError::new("output_invalid", message) })
}
