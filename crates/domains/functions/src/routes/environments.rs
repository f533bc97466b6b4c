//! `/api/v1/environments`: trying what requirements lead to, with the build to watch.

use std::convert::Infallible;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use futures::Stream;
use futures::stream::unfold;
use packages::{Build, Line, Lock, Locked};
use problem::{ENVIRONMENT_FAILED, PACKAGE_NOT_APPROVED, PACKAGES_UNAVAILABLE, SANDBOX_UNAVAILABLE};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use web::{Allowed, Input, Rate, Refusal, Reply, Spec, Tether, operation, refuses};

use super::streams::{stream, text, wants_events};
use crate::requirements::{self, failed};
use crate::{FunctionError, Functions};

operation! {
    /// Builds the environment that requirements lead to, so that a version which asks for the same is published at once. With
    /// `Accept: text/event-stream` it is told line by line (`line`) up to how it ended (`environment`, or `failed` with the
    /// problem); else the answer waits for it, up to half a minute.
    pub BuildEnvironment(NewEnvironment) -> EnvironmentView = Spec::post("environments.build", "/api/v1/environments")
        .needs("functions:create").not_idempotent().rate(Rate::Heavy)
        .errors(refuses![PACKAGE_NOT_APPROVED, ENVIRONMENT_FAILED, PACKAGES_UNAVAILABLE, SANDBOX_UNAVAILABLE])
        .example(r#"{"requirements": []}"#);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEnvironment {
    /// As a function names them.
    #[schema(max_items = 50)]
    pub requirements: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct EnvironmentView {
    pub status: EnvironmentStatus,
    /// In the form in which they are kept.
    pub requirements: Vec<String>,
    /// Once it is built.
    pub package_lock: Option<PackageLockView>,
}

#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentStatus {
    Building,
    Ready,
}

/// Exact versions of everything that is imported.
#[derive(Serialize, ToSchema)]
pub struct PackageLockView {
    pub sha256: String,
    /// As a file of requirements with hashes.
    pub text: String,
    pub packages: Vec<LockedPackageView>,
}

#[derive(Serialize, ToSchema)]
pub struct LockedPackageView {
    pub name: String,
    pub version: String,
    /// Which packages brought it along.
    pub via: Vec<String>,
}

impl From<&Lock> for PackageLockView {
    fn from(lock: &Lock) -> Self {
        Self {
            sha256: hex::encode(lock.sha256()),
            text: lock.text().to_owned(),
            packages: lock.packages().iter().map(LockedPackageView::from).collect(),
        }
    }
}

impl From<&Locked> for LockedPackageView {
    fn from(package: &Locked) -> Self {
        Self {
            name: package.name.to_string(),
            version: package.version.clone(),
            via: package.via.iter().map(ToString::to_string).collect(),
        }
    }
}

pub async fn build(
    State(functions): State<Functions>,
    allowed: Allowed<BuildEnvironment>,
    headers: HeaderMap,
    Input(new): Input<BuildEnvironment>,
) -> Result<Response, Refusal> {
    let wanted = requirements::parse(&new.requirements)?;
    let told: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    if wanted.is_empty() {
        let view =
            EnvironmentView { status: EnvironmentStatus::Ready, requirements: told, package_lock: None };
        return Ok(Reply::of::<BuildEnvironment>(&view)?.into_response());
    }
    let build = functions.build(&allowed, wanted).await?;
    let inner = functions.inner();
    if wants_events(&headers) {
        let tether = Tether::of(&allowed, &inner.feed, &inner.world);
        return Ok(stream(progress(Reader { tether, functions: functions.clone(), build, told })));
    }
    let view = match build.wait(inner.settings.sync).await {
        Some(Ok(ready)) => EnvironmentView::ready(told, &ready.lock),
        Some(Err(error)) => return Err(FunctionError::from(failed(&error)).into()),
        None => {
            EnvironmentView { status: EnvironmentStatus::Building, requirements: told, package_lock: None }
        }
    };
    Ok(Reply::of::<BuildEnvironment>(&view)?.into_response())
}

impl EnvironmentView {
    fn ready(requirements: Vec<String>, lock: &Lock) -> Self {
        Self { status: EnvironmentStatus::Ready, requirements, package_lock: Some(lock.into()) }
    }
}

/// Who follows a build.
struct Reader {
    tether: Tether,
    functions: Functions,
    build: Build,
    told: Vec<String>,
}

impl Reader {
    /// What comes after this line; `None` when whoever reads may not any more, or the server stops.
    async fn next(&self, after: usize) -> Option<Vec<Line>> {
        tokio::select! {
            lines = self.tether.next(async { Some(self.build.lines_after(after).await) }) => lines,
            () = self.functions.runs().stopping() => None,
        }
    }

    fn last(&self) -> Option<Event> {
        Some(match self.build.ended()? {
            Ok(ready) => {
                let view = EnvironmentView::ready(self.told.clone(), &ready.lock);
                Event::default().event("environment").data(text(&view))
            }
            Err(error) => {
                let problem = failed(&error);
                let view = json!({ "code": problem.code().name, "detail": problem.detail(), "output": error.to_string() });
                Event::default().event("failed").data(text(&view))
            }
        })
    }
}

fn progress(reader: Reader) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    let pending = Vec::<Line>::new().into_iter();
    unfold(Some((reader, 0, pending)), async |state| {
        let (reader, after, mut pending) = state?;
        if pending.len() == 0 {
            pending = reader.next(after).await?.into_iter();
        }
        match pending.next() {
            Some(line) => {
                let data = json!({ "number": line.number, "text": line.text });
                let event = Event::default().event("line").data(text(&data));
                Some((Ok(event), Some((reader, line.number, pending))))
            }
            None => Some((Ok(reader.last()?), None)),
        }
    })
}
