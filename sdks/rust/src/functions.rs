//! Functions: code that people write and agents run.

use std::time::Duration;

use futures::Stream;
use reqwest::header::HeaderName;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::packages::PackageLock;
use crate::runs::Run;
use crate::{Client, Error, Owner, Page, Time, page};

/// The server answers earlier: with the run as it stands, once it has waited long enough.
const LONGEST_CALL: Duration = Duration::from_secs(600);
pub(crate) const PREFER: HeaderName = HeaderName::from_static("prefer");

/// A function without its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionSummary {
    pub id: String,
    pub namespace: String,
    pub name: String,
    pub description: String,
    pub tags: Vec<String>,
    pub visibility: String,
    pub owner: Owner,
    /// The version that calls run.
    pub live_version: String,
    /// How many versions there are.
    pub versions: i64,
    pub created_at: Time,
    pub updated_at: Time,
    pub deleted_at: Option<Time>,
    pub revision: i64,
}

/// A function with the version that calls run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Function {
    #[serde(flatten)]
    pub summary: FunctionSummary,
    pub version: FunctionVersion,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FunctionVersion {
    pub id: String,
    pub function: String,
    /// From 1.
    pub number: i64,
    pub runtime: String,
    /// `fork` or `cold`.
    pub mode: String,
    pub code: String,
    pub code_sha256: String,
    /// Empty: `handler`, or the function's own name.
    pub entrypoint: String,
    pub input_schema: Option<Value>,
    pub output_schema: Option<Value>,
    pub timeout_seconds: i64,
    pub memory_mb: i64,
    /// None: a failure is the end.
    pub retry: Option<Retry>,
    /// Runs of it at a time, on all servers together.
    pub concurrency: Option<i64>,
    /// Starts in any span of time, on all servers together.
    pub rate: Option<Rate>,
    /// What a run's token may do at the most, beyond its own run.
    pub permissions: Vec<String>,
    /// Secrets that its runs are given, or have put into their requests.
    pub secrets: Vec<String>,
    /// What `context.http` may call; nothing without.
    pub egress: Vec<EgressRule>,
    /// Packages that it names.
    pub requirements: Vec<String>,
    /// What they led to.
    pub package_lock: Option<PackageLock>,
    pub author: Owner,
    pub created_at: Time,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewFunction {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    #[serde(flatten)]
    pub version: NewVersion,
}

/// What is left out is as in the version before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewVersion {
    pub code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<String>,
    /// `fork` or `cold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// 0 for no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub egress: Option<Vec<EgressRule>>,
    /// Python packages, as `requests==2.32.3` or `pandas>=2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirements: Option<Vec<String>>,
}

/// Requests that `context.http` makes: with one of these methods, to this host, below this path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EgressRule {
    /// `GET` and `HEAD` if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// `api.example.com`, or `*.example.com` for all below.
    pub host: String,
    /// `/` if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// `https` if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// The scheme's own if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// How often a function may start: so many times in any span of that length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// 0 for no limit.
    pub starts: i64,
    pub per_seconds: i64,
}

/// How often a function that failed is tried again; the wait doubles from the first to the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// 1 to 20.
    pub max_attempts: i64,
    pub initial_seconds: i64,
    pub max_seconds: i64,
}

/// What is asked of a function: an input (`Execution::from(&value)`), and when it is worked on.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Execution {
    pub input: Value,
    /// -100 to 100; higher goes first within the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_seconds: Option<i64>,
    /// While a run of yours under the same key is open, that one is the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deduplication_key: Option<String>,
    /// Runs under the same key are worked on one after the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency_key: Option<String>,
}

impl From<&Value> for Execution {
    fn from(input: &Value) -> Self {
        Self { input: input.clone(), ..Self::default() }
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct FunctionFilter {
    pub namespace: Option<String>,
    pub tag: Option<String>,
    /// Part of the name or description.
    pub q: Option<String>,
    /// Named by the version that calls run.
    pub package: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// `client.functions()`. A function is named by its id or as `namespace:name`.
#[derive(Clone, Copy)]
pub struct Functions<'a>(&'a Client);

impl Client {
    pub fn functions(&self) -> Functions<'_> {
        Functions(self)
    }
}

impl Functions<'_> {
    pub async fn create(&self, new: &NewFunction) -> Result<Function, Error> {
        self.0.post(&path(&[])).json(new).once().answer().await
    }

    pub async fn list(&self, filter: &FunctionFilter) -> Result<Page<FunctionSummary>, Error> {
        self.0.get(&path(&[])).query(filter).answer().await
    }

    pub fn all(&self, filter: &FunctionFilter) -> impl Stream<Item = Result<FunctionSummary, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&FunctionFilter { cursor, ..filter.clone() }).await
        })
    }

    pub async fn get(&self, function: &str) -> Result<Function, Error> {
        self.0.get(&path(&[function])).answer().await
    }

    /// Nothing runs it any more; versions and runs stay on record.
    pub async fn delete(&self, function: &str) -> Result<Function, Error> {
        self.0.delete(&path(&[function])).answer().await
    }

    /// A new version, which calls run from now on.
    /// Lets calls run this version from now on: a roll back, or the way forward again.
    pub async fn make_live(&self, function: &str, version: &str) -> Result<Function, Error> {
        let path = ["api", "v1", "functions", function, "versions", version, "live"];
        self.0.post(&path).once().answer().await
    }

    pub async fn publish(&self, function: &str, new: &NewVersion) -> Result<Function, Error> {
        self.0.post(&path(&[function, "versions"])).json(new).once().answer().await
    }

    pub async fn versions(
        &self,
        function: &str,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<Page<FunctionVersion>, Error> {
        let filter = FunctionFilter { limit, cursor: cursor.map(str::to_owned), ..FunctionFilter::default() };
        self.0.get(&path(&[function, "versions"])).query(&filter).answer().await
    }

    pub async fn version(&self, function: &str, version: &str) -> Result<FunctionVersion, Error> {
        self.0.get(&path(&[function, "versions", version])).answer().await
    }

    /// Runs a function and waits for its end; one that takes long is answered with the run as it stands. A run that
    /// failed is an answer, not an error: look at its status.
    pub async fn execute(&self, function: &str, execution: impl Into<Execution>) -> Result<Run, Error> {
        let call = self.0.post(&path(&[function, "execute"])).json(&execution.into());
        call.once().timeout(Some(LONGEST_CALL)).answer().await
    }

    /// Queues a run and answers at once.
    pub async fn execute_later(&self, function: &str, execution: impl Into<Execution>) -> Result<Run, Error> {
        let call = self.0.post(&path(&[function, "execute"])).json(&execution.into());
        call.once().header(PREFER, "respond-async").answer().await
    }
}

fn path<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&["api", "v1", "functions"], rest].concat()
}
