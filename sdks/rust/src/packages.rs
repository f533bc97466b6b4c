//! Python packages that functions may name, and the environments that they lead to.

use std::collections::VecDeque;

use futures::Stream;
use reqwest::Response;
use reqwest::header::ACCEPT;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::unreachable;
use crate::sse::{Event, Parser};
use crate::{Client, Error, Owner, Page, Time, page};

/// A package that was asked for, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    pub id: String,
    /// In its normal form.
    pub name: String,
    /// `requested`, `approved` or `refused`.
    pub state: String,
    pub reason: String,
    /// What whoever decided said.
    pub answer: String,
    pub requested_by: Owner,
    pub requested_at: Time,
    pub decided_by: Option<Owner>,
    pub decided_at: Option<Time>,
    /// Functions that name it in the version that calls run.
    pub functions: i64,
    pub revision: i64,
}

/// What a list may be narrowed by.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PackageFilter {
    pub state: Option<String>,
    /// Part of the name.
    pub q: Option<String>,
    /// Items per page, 1 to 200.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// Exact versions of everything that a function imports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageLock {
    pub sha256: String,
    /// As a file of requirements with hashes.
    pub text: String,
    pub packages: Vec<LockedPackage>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedPackage {
    pub name: String,
    pub version: String,
    /// Which packages brought it along.
    pub via: Vec<String>,
}

/// What requirements led to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageEnvironment {
    /// `building` or `ready`.
    pub status: String,
    pub requirements: Vec<String>,
    pub package_lock: Option<PackageLock>,
}

/// `client.packages()`.
#[derive(Clone, Copy)]
pub struct Packages<'a>(&'a Client);

impl Client {
    pub fn packages(&self) -> Packages<'_> {
        Packages(self)
    }
}

const PATH: [&str; 3] = ["api", "v1", "packages"];

impl Packages<'_> {
    pub async fn list(&self, filter: &PackageFilter) -> Result<Page<Package>, Error> {
        self.0.get(&PATH).query(filter).answer().await
    }

    pub fn all(&self, filter: &PackageFilter) -> impl Stream<Item = Result<Package, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&PackageFilter { cursor, ..filter.clone() }).await
        })
    }

    /// By id or name.
    pub async fn get(&self, package: &str) -> Result<Package, Error> {
        self.0.get(&["api", "v1", "packages", package]).answer().await
    }

    /// Asks for it; `reason` says what for.
    pub async fn request(&self, name: &str, reason: Option<&str>) -> Result<Package, Error> {
        self.0.post(&PATH).json(&json!({ "name": name, "reason": reason })).once().answer().await
    }

    pub async fn approve(&self, package: &str, reason: Option<&str>) -> Result<Package, Error> {
        self.decide(package, "approve", reason).await
    }

    pub async fn refuse(&self, package: &str, reason: Option<&str>) -> Result<Package, Error> {
        self.decide(package, "refuse", reason).await
    }

    /// Versions that have it keep it; no new one may name it.
    pub async fn remove(&self, package: &str) -> Result<Package, Error> {
        self.0.delete(&["api", "v1", "packages", package]).answer().await
    }

    async fn decide(&self, package: &str, act: &str, reason: Option<&str>) -> Result<Package, Error> {
        let call = self.0.post(&["api", "v1", "packages", package, act]);
        call.json(&json!({ "reason": reason })).once().answer().await
    }

    /// Has the environment of these requirements built; [`PackageBuild::next`] tells how far it is.
    pub fn build(&self, requirements: &[String]) -> PackageBuild {
        let requirements = requirements.to_vec();
        PackageBuild { client: self.0.clone(), requirements, connection: None, ready: VecDeque::new() }
    }
}

/// A build that is followed.
pub struct PackageBuild {
    client: Client,
    requirements: Vec<String>,
    connection: Option<(Response, Parser)>,
    ready: VecDeque<Event>,
}

/// One word of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackageBuildStep {
    Line(String),
    /// The last one.
    Ready(PackageEnvironment),
}

impl PackageBuild {
    /// The next line, or how it ended.
    ///
    /// # Errors
    /// A refusal, a build that failed, or a connection that broke: the build goes on, and whoever asks again joins it.
    pub async fn next(&mut self) -> Result<PackageBuildStep, Error> {
        #[derive(Deserialize)]
        struct Line {
            text: String,
        }
        #[derive(Deserialize)]
        struct Failed {
            code: String,
            detail: String,
        }
        loop {
            let Some(event) = self.ready.pop_front() else {
                self.read().await?;
                continue;
            };
            let unreadable = |error: serde_json::Error| broken(&error.to_string());
            match event.event.as_str() {
                "line" => {
                    let line: Line = serde_json::from_str(&event.data).map_err(unreadable)?;
                    return Ok(PackageBuildStep::Line(line.text));
                }
                "environment" => {
                    let environment = serde_json::from_str(&event.data).map_err(unreadable)?;
                    return Ok(PackageBuildStep::Ready(environment));
                }
                "failed" => {
                    let Failed { code, detail } = serde_json::from_str(&event.data).map_err(unreadable)?;
                    return Err(Error::new(&code, "The environment was not built", detail));
                }
                _ => {}
            }
        }
    }

    async fn read(&mut self) -> Result<(), Error> {
        if self.connection.is_none() {
            let call = self.client.post(&["api", "v1", "environments"]);
            let call = call.json(&json!({ "requirements": self.requirements })).timeout(None);
            let response = call.header(ACCEPT, "text/event-stream").send().await?;
            self.connection = Some((response, Parser::default()));
        }
        let Some((response, parser)) = &mut self.connection else { return Ok(()) };
        let url = response.url().clone();
        let chunk = response.chunk().await.map_err(|error| unreachable(&url, error))?;
        let chunk = chunk.ok_or_else(|| broken("it ended before the build did"))?;
        self.ready.extend(parser.push(&chunk).map_err(|_| broken("a line of it has no end"))?);
        Ok(())
    }
}

fn broken(how: &str) -> Error {
    Error::new("unreadable_answer", "The stream could not be read", format!("The stream broke: {how}."))
}
