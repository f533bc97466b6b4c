//! Functions in files of configuration: each with the version that calls run. A change publishes another version.

use std::collections::BTreeSet;
use std::time::Duration;

use authority::{Authority, Permission};
use manifest::Section;
use named_secrets::SecretName;
use problem::Problem;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use types::FunctionId;
use utoipa::ToSchema;
use web::{Errand, Undone};

use crate::model::{Function, FunctionRef, Mode, Runtime, Version, Visibility};
use crate::outgoing::EgressRule;
use crate::rate::Rate;
use crate::retry::Retry;
use crate::routes::functions::{COLUMNS, CreateFunction, DeleteFunction, ListFunctions};
use crate::routes::versions::PublishVersion;
use crate::service::{Wanted, WantedVersion};
use crate::store::Filter;
use crate::{Functions, requirements, store};

/// Functions of one organization at the most that a file deals with.
const MOST: i64 = 10_000;

/// How long applying waits for an environment, before anything is changed.
const PATIENCE: Duration = Duration::from_secs(600);

/// The section `functions`.
pub struct FunctionsSection(pub Functions);

/// A function and its version.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfigFunction)]
pub struct FunctionEntry {
    #[serde(default = "default_namespace")]
    #[schema(max_length = 63, pattern = "^[a-zA-Z_][a-zA-Z0-9_]*$")]
    namespace: String,
    #[schema(max_length = 63, pattern = "^[a-zA-Z_][a-zA-Z0-9_]*$")]
    name: String,
    #[serde(default)]
    #[schema(max_length = 4000)]
    description: String,
    #[serde(default = "python")]
    runtime: Runtime,
    #[serde(default = "fork")]
    mode: Mode,
    /// `def handler(input, context)`, or a function of the function's own name. `${file:path}` for code in a file of its own.
    #[schema(min_length = 1, max_length = 524288)]
    code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 63, pattern = "^[a-zA-Z_][a-zA-Z0-9_]*$")]
    entrypoint: String,
    /// JSON Schema 2020-12; refers to itself only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    input_schema: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    output_schema: Option<Value>,
    /// What the server allows, if left out.
    #[schema(minimum = 1)]
    timeout_seconds: Option<i64>,
    /// What the server allows, if left out.
    #[schema(minimum = 16)]
    memory_mb: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<Retry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 10000)]
    concurrency: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<Rate>,
    /// What a run's token may do at the most.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    permissions: Vec<Permission>,
    /// Names of secrets; never their values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, max_items = 50)]
    secrets: Vec<SecretName>,
    /// What `context.http` may call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    egress: Vec<EgressRule>,
    /// Python packages that it imports, as `requests==2.32.3` or `pandas>=2`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    requirements: Vec<String>,
    #[serde(default)]
    #[schema(max_items = 50)]
    tags: Vec<String>,
    #[serde(default = "organization")]
    visibility: Visibility,
}

fn default_namespace() -> String {
    "default".into()
}

fn python() -> Runtime {
    Runtime::Python
}

fn fork() -> Mode {
    Mode::Fork
}

fn organization() -> Visibility {
    Visibility::Organization
}

impl Section for FunctionsSection {
    type Entry = FunctionEntry;

    const NAME: &'static str = "functions";
    const FIXED: &'static [&'static str] = &["description", "runtime", "tags", "visibility"];

    fn key(entry: &FunctionEntry) -> String {
        format!("{}/{}", entry.namespace, entry.name)
    }

    fn settled(&self, entry: FunctionEntry) -> FunctionEntry {
        let settings = &self.0.inner().settings;
        let seconds = i64::try_from(settings.timeout.as_secs()).unwrap_or(i64::MAX);
        let memory = i64::try_from(settings.memory_mb).unwrap_or(i64::MAX);
        FunctionEntry {
            input_schema: entry.input_schema.filter(says_something),
            output_schema: entry.output_schema.filter(says_something),
            timeout_seconds: entry.timeout_seconds.or(Some(seconds)),
            memory_mb: entry.memory_mb.or(Some(memory)),
            retry: entry.retry.filter(|retry| retry.max_attempts > 1),
            concurrency: entry.concurrency.filter(|most| *most > 0),
            rate: entry.rate.filter(|rate| rate.starts > 0),
            requirements: normal(entry.requirements),
            permissions: entry.permissions.into_iter().collect::<Authority>().permissions().to_vec(),
            secrets: entry.secrets.into_iter().collect::<BTreeSet<_>>().into_iter().collect(),
            ..entry
        }
    }

    async fn standing(&self, errand: &Errand) -> Result<Vec<(String, FunctionEntry)>, Problem> {
        let (by, inner) = (errand.admit::<ListFunctions>().await?, self.0.inner());
        let narrow = |select| by.narrow(select, &COLUMNS);
        let functions = store::list(&inner.db, &by.scope(), &Filter::default(), narrow, None, MOST).await?;
        let mut standing = Vec::with_capacity(functions.len());
        for function in functions {
            let live = inner.versions.get(&by.scope(), function.live_version).await?;
            standing.push(told(function, &live.version));
        }
        Ok(standing)
    }

    /// Building takes its time; nobody has to wait for it while a file is applied.
    async fn prepare(&self, errand: &Errand, entry: &FunctionEntry) -> Result<(), Problem> {
        if entry.requirements.is_empty() {
            return Ok(());
        }
        let wanted = requirements::parse(&entry.requirements)?;
        let by = errand.admit::<CreateFunction>().await?;
        let build = self.0.build(&by, wanted).await?;
        requirements::built(&build, PATIENCE).await?;
        Ok(())
    }

    async fn make(&self, errand: &Errand, entry: &FunctionEntry) -> Result<String, Undone> {
        let wanted = Wanted {
            namespace: entry.namespace.clone(),
            name: entry.name.clone(),
            description: entry.description.clone(),
            tags: entry.tags.clone(),
            visibility: entry.visibility,
            version: WantedVersion { runtime: Some(entry.runtime), ..version(entry) },
        };
        let decide = |by| async move { self.0.create(&by, &wanted).await };
        Ok(errand.act::<CreateFunction, _, _, _>(decide).await?.function.id.to_string())
    }

    async fn alter(
        &self,
        errand: &Errand,
        id: &str,
        _: &FunctionEntry,
        after: &FunctionEntry,
    ) -> Result<(), Undone> {
        let of = named(id)?;
        // Left out, these would be as in the version before.
        let open = || Some(json!({}));
        let once = Retry { max_attempts: 1, initial_seconds: 1, max_seconds: 300 };
        let mut wanted = version(after);
        wanted.input_schema = wanted.input_schema.or_else(open);
        wanted.output_schema = wanted.output_schema.or_else(open);
        wanted.retry = wanted.retry.or(Some(once));
        wanted.concurrency = wanted.concurrency.or(Some(0));
        wanted.rate = wanted.rate.or(Some(Rate { starts: 0, per_seconds: 60 }));
        let decide = |by| async move { self.0.publish(&by, &of, &wanted).await };
        errand.act::<PublishVersion, _, _, _>(decide).await.map(drop)
    }

    async fn remove(&self, errand: &Errand, id: &str) -> Result<(), Undone> {
        let of = named(id)?;
        let decide = |by| async move { self.0.delete(&by, &of).await };
        errand.act::<DeleteFunction, _, _, _>(decide).await.map(drop)
    }
}

/// As they are kept; what is none is refused where it is used.
fn normal(texts: Vec<String>) -> Vec<String> {
    let parsed = requirements::parse(&texts).map(|parsed| parsed.iter().map(ToString::to_string).collect());
    parsed.unwrap_or(texts)
}

fn says_something(schema: &Value) -> bool {
    schema.as_object().is_none_or(|members| !members.is_empty())
}

fn version(entry: &FunctionEntry) -> WantedVersion {
    WantedVersion {
        runtime: None,
        mode: Some(entry.mode),
        code: Some(entry.code.clone()),
        entrypoint: Some(entry.entrypoint.clone()),
        input_schema: entry.input_schema.clone(),
        output_schema: entry.output_schema.clone(),
        timeout_seconds: entry.timeout_seconds,
        memory_mb: entry.memory_mb,
        retry: entry.retry,
        concurrency: entry.concurrency,
        rate: entry.rate,
        permissions: Some(entry.permissions.clone()),
        secrets: Some(entry.secrets.clone()),
        egress: Some(entry.egress.clone()),
        requirements: Some(entry.requirements.clone()),
    }
}

fn told(function: Function, live: &Version) -> (String, FunctionEntry) {
    let entry = FunctionEntry {
        namespace: function.namespace,
        name: function.name,
        description: function.description,
        runtime: live.runtime,
        mode: live.mode,
        code: live.code.clone(),
        entrypoint: live.entrypoint.clone(),
        input_schema: live.input_schema.clone(),
        output_schema: live.output_schema.clone(),
        timeout_seconds: Some(live.timeout_seconds),
        memory_mb: Some(live.memory_mb),
        retry: live.retry,
        concurrency: live.concurrency,
        rate: live.rate,
        permissions: live.permissions.permissions().to_vec(),
        secrets: live.secrets.clone(),
        egress: live.egress.clone(),
        requirements: live.requirements.iter().map(ToString::to_string).collect(),
        tags: function.tags,
        visibility: function.visibility,
    };
    (function.id.to_string(), entry)
}

fn named(id: &str) -> Result<FunctionRef, Problem> {
    Ok(FunctionRef::Id(id.parse::<FunctionId>().map_err(Problem::internal)?))
}
