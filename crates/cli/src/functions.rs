//! `safeconduct functions …`

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use client::{
    Client, Execution, Function, FunctionFilter, FunctionSummary, FunctionVersion, NewFunction, NewVersion,
    Rate, Retry, RunFilter,
};
use serde_json::{Map, Value};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, Listing, show, show_all};
use crate::table::{Cell, Tone};
use crate::{egress, files, packages, runs, span};

/// Between two attempts at the most, in seconds.
const LONGEST_WAIT: i64 = 300;

#[derive(Subcommand, Clone, Debug)]
pub enum FunctionsCommand {
    /// Create a function from a file, or publish its next version.
    #[command(visible_alias = "create")]
    Push(Box<Push>),
    /// List functions, newest first.
    List(List),
    /// Show a function and the version that calls run.
    Show(Show),
    /// List the versions of a function, newest first.
    Versions(Named),
    /// Let calls run an earlier version again, or a later one.
    Rollback(Rollback),
    /// Run a function and print what it gives.
    Run(Run),
    /// Print the log of a function's latest run.
    Logs(Logs),
    /// Delete a function; its versions and runs stay on record.
    Delete(Named),
}

#[derive(Args, Clone, Debug)]
pub struct Named {
    /// Id, or `namespace:name`.
    function: String,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct functions rollback ops:report
  safeconduct functions rollback ops:report --to 7")]
pub struct Rollback {
    /// Id, or `namespace:name`.
    function: String,
    /// Number of the version; the one before the live one if left out.
    #[arg(long, value_name = "NUMBER")]
    to: Option<i64>,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct functions push report.py --name ops:report --permission 'agents:read:all'
  safeconduct functions push report.py --input-schema input.schema.json --timeout 30
  safeconduct functions push crm.py --secret CRM_TOKEN --egress 'GET,POST https://api.crm.example/v1'")]
pub struct Push {
    /// Python file with `def handler(input, context)`.
    file: PathBuf,
    /// `namespace:name`; the file's name in the namespace `default` if left out.
    #[arg(long)]
    name: Option<String>,
    #[arg(long)]
    description: Option<String>,
    /// Which function of the file to call, if not `handler` or the function's own name.
    #[arg(long, value_name = "NAME")]
    entrypoint: Option<String>,
    /// File with a JSON Schema that inputs must match.
    #[arg(long, value_name = "FILE")]
    input_schema: Option<PathBuf>,
    /// File with a JSON Schema that outputs must match.
    #[arg(long, value_name = "FILE")]
    output_schema: Option<PathBuf>,
    /// Seconds that a run may take.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<i64>,
    /// Megabytes that a run may use.
    #[arg(long, value_name = "MB")]
    memory: Option<i64>,
    /// Attempts until a run that fails is given up; 1 to try it once.
    #[arg(long, value_name = "NUMBER")]
    attempts: Option<i64>,
    /// Seconds before the second attempt; doubles with each further one.
    #[arg(long, value_name = "SECONDS", requires = "attempts", default_value_t = 1)]
    retry_wait: i64,
    /// Runs of it at a time, on all servers together; 0 for no limit.
    #[arg(long, value_name = "NUMBER")]
    concurrency: Option<i64>,
    /// fork: each call from a warm interpreter; cold: a new interpreter for each.
    #[arg(long)]
    mode: Option<String>,
    /// How often it may start, on all servers together: 10/60s is ten times in any minute; 0 for no limit.
    #[arg(long, value_name = "STARTS/SPAN")]
    rate: Option<String>,
    /// What a run's token may do at the most, if its caller may; may be repeated.
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,
    /// Name of a secret that its runs are given, or have put into their requests; may be repeated.
    #[arg(long = "secret", value_name = "NAME")]
    secrets: Vec<String>,
    /// What context.http may call; may be repeated. GET and HEAD if no method is named.
    #[arg(long = "egress", value_name = "[METHODS ]URL")]
    egress: Vec<String>,
    /// Give its runs no secrets any more.
    #[arg(long, conflicts_with = "secrets")]
    no_secrets: bool,
    /// Let it call nothing any more.
    #[arg(long, conflicts_with = "egress")]
    no_egress: bool,
    /// Python package that it imports, as `requests==2.32.3`; may be repeated. As before if left out, none if empty.
    #[arg(long = "require", value_name = "PACKAGE")]
    requirements: Vec<String>,
    /// May be repeated; only for a new function.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// private or organization; only for a new function.
    #[arg(long)]
    visibility: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub struct List {
    #[arg(long)]
    namespace: Option<String>,
    #[arg(long)]
    tag: Option<String>,
    /// Python package that the version which calls run names.
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
    /// Part of the name or description.
    #[arg(long, short = 's', value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Args, Clone, Debug)]
pub struct Show {
    /// Id, or `namespace:name`.
    function: String,
    /// Print the code and nothing else.
    #[arg(long)]
    code: bool,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct functions run ops:greet --input '{\"name\": \"world\"}'
  safeconduct functions run ops:report --text csv=checks.csv
  safeconduct functions run ops:report --input @input.json --detach")]
pub struct Run {
    /// Id, or `namespace:name`.
    function: String,
    /// JSON, or @FILE, or `-` for standard input; an empty object if left out.
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    /// Put a file's text into a member of the input; may be repeated.
    #[arg(long = "text", value_name = "KEY=FILE")]
    texts: Vec<String>,
    /// Queue the run and print it instead of waiting for its end.
    #[arg(long)]
    detach: bool,
    /// -100 to 100; runs of higher priority go first within your organization.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    priority: Option<i64>,
    /// Begin no sooner than after this time: 90s, 15m, 2h, 7d.
    #[arg(long, value_name = "SPAN")]
    delay: Option<String>,
    /// While a run of yours under the same key is open, that one is the answer.
    #[arg(long, value_name = "KEY")]
    deduplication_key: Option<String>,
    /// Runs under the same key are worked on one after the other.
    #[arg(long, value_name = "KEY")]
    concurrency_key: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub struct Logs {
    /// Id, or `namespace:name`.
    function: String,
    /// Go on until the run ends.
    #[arg(long, short)]
    follow: bool,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: FunctionsCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let functions = client.functions();
    match command {
        FunctionsCommand::Push(push) => push_one(desk, &client, &push).await,
        FunctionsCommand::List(list) => list_some(desk, &client, &list).await,
        FunctionsCommand::Show(show) => {
            let function = functions.get(&show.function).await?;
            match show.code {
                true => desk.screen.raw(function.version.code.as_bytes()),
                false => shown(desk, &function),
            }
        }
        FunctionsCommand::Versions(Named { function }) => {
            let page = functions.versions(&function, Some(200), None).await?;
            show(&mut desk.screen, &page, &VERSIONS)
        }
        FunctionsCommand::Rollback(rollback) => roll_back(desk, &client, &rollback).await,
        FunctionsCommand::Run(run) => run_one(desk, &client, &run).await,
        FunctionsCommand::Logs(logs) => {
            let id = functions.get(&logs.function).await?.summary.id;
            let latest = RunFilter { function: Some(id), limit: Some(1), ..RunFilter::default() };
            match client.runs().list(&latest).await?.items.first() {
                Some(run) => runs::print_logs(desk, &client, &run.id, logs.follow).await,
                None => desk.screen.note(&format!("{} has not run yet", logs.function)),
            }
        }
        FunctionsCommand::Delete(Named { function }) => {
            desk.screen.confirm(&format!("Delete {function}? Nothing runs it any more."))?;
            shown(desk, &functions.delete(&function).await?)
        }
    }
}

async fn push_one(desk: &mut Desk<'_>, client: &Client, push: &Push) -> Result<(), Failure> {
    let version = push.version(desk)?;
    let (namespace, name) = push.full_name()?;
    let known = client.functions().get(&format!("{namespace}:{name}")).await;
    let function = match known {
        // Somebody else's version is published anew: the author answers for what it may do.
        Ok(known)
            if push.changes_nothing(&version, &known.version)
                && client.auth().me().await?.principal.id == known.version.author.id =>
        {
            desk.screen.note("nothing changed; the version stays")?;
            known
        }
        Ok(known) => {
            prepare(desk, client, &version).await?;
            client.functions().publish(&known.summary.id, &version).await?
        }
        Err(error) if error.code() == "not_found" => {
            prepare(desk, client, &version).await?;
            let new = NewFunction {
                namespace: Some(namespace),
                name,
                description: push.description.clone(),
                runtime: Some("python".to_owned()),
                tags: push.tags.clone(),
                visibility: push.visibility.clone(),
                version,
            };
            client.functions().create(&new).await?
        }
        Err(error) => return Err(error.into()),
    };
    shown(desk, &function)
}

/// Packages are built before, so that whoever waits sees what for.
async fn prepare(desk: &mut Desk<'_>, client: &Client, version: &NewVersion) -> Result<(), Failure> {
    match version.requirements.as_deref() {
        None | Some([]) => Ok(()),
        Some(requirements) => packages::build(desk, client, requirements).await.map(drop),
    }
}

async fn roll_back(desk: &mut Desk<'_>, client: &Client, rollback: &Rollback) -> Result<(), Failure> {
    let functions = client.functions();
    let known = functions.get(&rollback.function).await?;
    let wanted = rollback.to.unwrap_or(known.version.number - 1);
    if wanted < 1 {
        let text = format!("{} runs its first version; there is none before it.", rollback.function);
        return Err(Failure::usage(text));
    }
    let mut cursor = None;
    loop {
        let page = functions.versions(&known.summary.id, Some(200), cursor.as_deref()).await?;
        if let Some(version) = page.items.iter().find(|version| version.number == wanted) {
            return shown(desk, &functions.make_live(&known.summary.id, &version.id).await?);
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Err(Failure::usage(format!("{} has no version {wanted}.", rollback.function)));
        }
    }
}

async fn list_some(desk: &mut Desk<'_>, client: &Client, list: &List) -> Result<(), Failure> {
    let filter = FunctionFilter {
        namespace: list.namespace.clone(),
        tag: list.tag.clone(),
        q: list.search.clone(),
        package: list.package.clone(),
        limit: Some(if list.listing.all { 200 } else { list.listing.limit }),
        cursor: list.listing.cursor.clone(),
    };
    match list.listing.all {
        true => show_all(&mut desk.screen, client.functions().all(&filter), &COLUMNS).await,
        false => show(&mut desk.screen, &client.functions().list(&filter).await?, &COLUMNS),
    }
}

async fn run_one(desk: &mut Desk<'_>, client: &Client, run: &Run) -> Result<(), Failure> {
    let execution = Execution {
        input: run.whole_input(desk)?,
        priority: run.priority,
        delay_seconds: run.delay.as_deref().map(span::seconds).transpose()?,
        deduplication_key: run.deduplication_key.clone(),
        concurrency_key: run.concurrency_key.clone(),
    };
    if run.detach {
        let queued = client.functions().execute_later(&run.function, execution).await?;
        return runs::shown(desk, &queued);
    }
    let mut answer = client.functions().execute(&run.function, execution).await?;
    if let Some(asked) = &answer.question {
        runs::say_question(desk, &answer.id, asked)?;
    }
    if !answer.status.has_ended() {
        desk.screen.note(&format!("{} goes on; waiting", answer.id))?;
        answer = client.runs().wait(&answer.id).await?;
    }
    runs::result(desk, client, &answer).await
}

impl Push {
    fn version(&self, desk: &mut Desk<'_>) -> Result<NewVersion, Failure> {
        let mut schema = |path: &Option<PathBuf>| -> Result<Option<Value>, Failure> {
            let Some(path) = path else { return Ok(None) };
            let text = files::read_text(&mut desk.screen, path)?;
            let parsed = types::json::strict(text.as_bytes());
            parsed
                .map(Some)
                .map_err(|error| Failure::usage(format!("{} is not JSON: {error}.", path.display())))
        };
        Ok(NewVersion {
            input_schema: schema(&self.input_schema)?,
            output_schema: schema(&self.output_schema)?,
            code: files::read_text(&mut desk.screen, &self.file)?,
            entrypoint: self.entrypoint.clone(),
            timeout_seconds: self.timeout,
            memory_mb: self.memory,
            retry: self.attempts.map(|max_attempts| Retry {
                max_attempts,
                initial_seconds: self.retry_wait,
                max_seconds: LONGEST_WAIT,
            }),
            concurrency: self.concurrency,
            mode: self.mode.clone(),
            rate: self.rate.as_deref().map(rate_of).transpose()?,
            permissions: (!self.permissions.is_empty()).then(|| self.permissions.clone()),
            secrets: (self.no_secrets || !self.secrets.is_empty()).then(|| self.secrets.clone()),
            egress: match self.no_egress || !self.egress.is_empty() {
                true => Some(self.egress.iter().map(|text| egress::rule(text)).collect::<Result<_, _>>()?),
                false => None,
            },
            requirements: self.wanted_packages(),
        })
    }

    fn wanted_packages(&self) -> Option<Vec<String>> {
        let named = self.requirements.iter().filter(|one| !one.trim().is_empty()).cloned().collect();
        (!self.requirements.is_empty()).then_some(named)
    }

    /// Whether the version that calls run says all of this already.
    fn changes_nothing(&self, wanted: &NewVersion, live: &FunctionVersion) -> bool {
        fn same<T: PartialEq>(wanted: &Option<T>, live: &T) -> bool {
            wanted.as_ref().is_none_or(|wanted| wanted == live)
        }
        let sorted = |permissions: &[String]| {
            let mut sorted = permissions.to_vec();
            sorted.sort_unstable();
            sorted
        };
        wanted.code == live.code
            && same(&wanted.mode, &live.mode)
            && same(&wanted.entrypoint, &live.entrypoint)
            && wanted.input_schema.as_ref().is_none_or(|schema| live.input_schema.as_ref() == Some(schema))
            && wanted.output_schema.as_ref().is_none_or(|schema| live.output_schema.as_ref() == Some(schema))
            && same(&wanted.timeout_seconds, &live.timeout_seconds)
            && same(&wanted.memory_mb, &live.memory_mb)
            && wanted
                .retry
                .is_none_or(|retry| Some(retry).filter(|retry| retry.max_attempts > 1) == live.retry)
            && wanted.concurrency.is_none_or(|most| Some(most).filter(|most| *most > 0) == live.concurrency)
            && wanted.rate.is_none_or(|rate| Some(rate).filter(|rate| rate.starts > 0) == live.rate)
            && wanted.permissions.as_ref().is_none_or(|wanted| sorted(wanted) == sorted(&live.permissions))
            && wanted.secrets.as_ref().is_none_or(|wanted| sorted(wanted) == sorted(&live.secrets))
            && wanted.egress.as_ref().is_none_or(|wanted| egress::same(wanted, &live.egress))
            && wanted.requirements.as_ref().is_none_or(|wanted| sorted(wanted) == live.requirements)
    }

    fn full_name(&self) -> Result<(String, String), Failure> {
        let stem = self.file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let name = self.name.as_deref().unwrap_or(stem);
        match name.split_once(':') {
            Some((namespace, name)) => Ok((namespace.to_owned(), name.to_owned())),
            None if name.is_empty() || name == "-" => Err(Failure::usage("Name the function with --name.")),
            None => Ok(("default".to_owned(), name.to_owned())),
        }
    }
}

impl Run {
    fn whole_input(&self, desk: &mut Desk<'_>) -> Result<Value, Failure> {
        let given = match &self.input {
            Some(given) => files::read_json(&mut desk.screen, given)?,
            None => Value::Object(Map::new()),
        };
        if self.texts.is_empty() {
            return Ok(given);
        }
        let Value::Object(mut members) = given else {
            return Err(Failure::usage("--text adds members, so the input must be an object."));
        };
        for pair in &self.texts {
            let (key, path) = pair
                .split_once('=')
                .ok_or_else(|| Failure::usage(format!("`{pair}`: expected KEY=FILE.")))?;
            members.insert(key.to_owned(), Value::from(files::read_text(&mut desk.screen, Path::new(path))?));
        }
        Ok(Value::Object(members))
    }
}

static COLUMNS: Columns<FunctionSummary> = Columns {
    id: |function| &function.id,
    columns: &[
        ("function", |function| Cell::toned(full_name(function), Tone::Strong)),
        ("versions", |function| Cell::from(function.versions.to_string())),
        ("changed", |function| Cell::from(function.updated_at.as_str())),
        ("id", |function| Cell::from(&function.id)),
        ("about", |function| Cell::from(&function.description)),
    ],
};

static VERSIONS: Columns<FunctionVersion> = Columns {
    id: |version| &version.id,
    columns: &[
        ("number", |version| Cell::from(version.number.to_string())),
        ("version", |version| Cell::from(&version.id)),
        ("created", |version| Cell::from(version.created_at.as_str())),
        ("author", |version| Cell::from(&version.author.id)),
        ("code", |version| Cell::from(version.code_sha256.get(..16).unwrap_or_default())),
        ("permissions", |version| Cell::from(version.permissions.join(", "))),
    ],
};

fn full_name(function: &FunctionSummary) -> String {
    format!("{}:{}", function.namespace, function.name)
}

fn shown(desk: &mut Desk<'_>, function: &Function) -> Result<(), Failure> {
    let Function { summary, version } = function;
    let deleted = summary.deleted_at.as_ref().map_or("", |time| time.as_str());
    let rows = [
        ("id", Cell::from(&summary.id)),
        ("function", Cell::toned(full_name(summary), Tone::Strong)),
        ("about", Cell::from(&summary.description)),
        ("version", Cell::from(format!("{} ({})", version.number, version.id))),
        ("runtime", Cell::from(&version.runtime)),
        ("mode", Cell::from(&version.mode)),
        ("code", Cell::from(format!("SHA-256 {}", version.code_sha256))),
        ("timeout", Cell::from(format!("{} s", version.timeout_seconds))),
        ("memory", Cell::from(format!("{} MB", version.memory_mb))),
        ("attempts", Cell::from(retry(version.retry))),
        ("at a time", Cell::from(version.concurrency.map_or_else(String::new, |most| most.to_string()))),
        ("rate", Cell::from(version.rate.map_or_else(String::new, rate))),
        ("permissions", Cell::from(version.permissions.join(", "))),
        ("secrets", Cell::from(version.secrets.join(", "))),
        ("may call", Cell::from(version.egress.iter().map(egress::shown).collect::<Vec<_>>().join(", "))),
        ("packages", Cell::from(version.requirements.join(", "))),
        ("lock", Cell::from(version.package_lock.as_ref().map_or("", |lock| lock.sha256.as_str()))),
        ("tags", Cell::from(summary.tags.join(", "))),
        ("visibility", Cell::from(&summary.visibility)),
        ("owner", Cell::from(&summary.owner.id)),
        ("author", Cell::from(&version.author.id)),
        ("changed", Cell::from(summary.updated_at.as_str())),
        ("deleted", Cell::toned(deleted, Tone::Bad)),
    ];
    desk.screen.record(function, &summary.id, &rows)
}

fn rate(Rate { starts, per_seconds }: Rate) -> String {
    format!("{starts} in {per_seconds} s")
}

fn rate_of(text: &str) -> Result<Rate, Failure> {
    let wrong = || Failure::usage(format!("{text} is no rate; write it like 10/60s, or 0 for no limit."));
    if text == "0" {
        return Ok(Rate { starts: 0, per_seconds: 1 });
    }
    let (starts, span) = text.split_once('/').ok_or_else(wrong)?;
    Ok(Rate { starts: starts.parse().map_err(|_| wrong())?, per_seconds: span::seconds(span)? })
}

fn retry(retry: Option<Retry>) -> String {
    retry.map_or_else(
        || "1".to_owned(),
        |Retry { max_attempts, initial_seconds, max_seconds }| {
            format!("{max_attempts}, after {initial_seconds} s and up to {max_seconds} s")
        },
    )
}
