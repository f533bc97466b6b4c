//! The file of the server's own settings: read with what it names, checked at each start, applied in the name of a caller.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use manifest::Given;
use problem::Problem;
use serde_json::Value;
use types::Secret;
use web::{Caller, Contact, Door, Errand};

use crate::Declare;
use crate::apply::Manner;
use crate::document::Source;
use crate::error::DeclareError;
use crate::model::Finding;
use crate::routes::{ApplyConfig, PlanConfig};

/// More than this is no file of configuration.
const MOST_BYTES: u64 = 1 << 20;

/// A file that was read and found sound.
pub struct OwnFile {
    path: PathBuf,
    source: Source,
}

/// The file is not what it should be, or was refused; the start ends with this.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct OwnFileError {
    path: String,
    reason: String,
}

impl Declare {
    /// Reads the file, with `variable` for each `${NAME}` and files below its folder for each `${file:path}`.
    pub fn read_own_file(
        &self,
        path: &Path,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<OwnFile, OwnFileError> {
        let at = |reason: String| OwnFileError { path: path.display().to_string(), reason };
        let text = read_text(path).map_err(at)?;
        let mut source = Source { text, ..Source::default() };
        // What cannot be read at all is told below, with everything else.
        for node in manifest::read(&source.text).unwrap_or_default() {
            let (variables, files) = Given::wanted(&node);
            let found = variables.into_iter().filter_map(|name| variable(&name).map(|value| (name, value)));
            source.variables.extend(found);
            source.files.extend(beside(path, files).map_err(at)?);
        }
        self.read(&source).map_err(|findings| at(listed(&findings)))?;
        Ok(OwnFile { path: path.to_owned(), source })
    }

    /// Answers how many things applying it changes. Nothing is changed.
    pub async fn plan_own_file(
        &self,
        file: &OwnFile,
        door: &Arc<Door>,
        caller: Caller,
        prune: bool,
    ) -> Result<usize, OwnFileError> {
        let plan = |by| async move {
            let document = self.read(&file.source).map_err(DeclareError::Invalid)?;
            let errand = Errand::new(&by);
            let plan = self.plan(&errand, &document, prune, false).await;
            errand.close().await?;
            let plan = plan?;
            Ok::<usize, Problem>(plan.steps.len() + plan.conflicts.len())
        };
        let planned = door.stand_in::<PlanConfig, _, _>(caller, Contact::default(), plan).await;
        planned.map_err(|problem| file.refused(&problem))
    }

    /// Brings it about, all of it or nothing. What other files hold stays theirs: that is refused.
    pub async fn apply_own_file(
        &self,
        file: &OwnFile,
        door: &Arc<Door>,
        caller: Caller,
        prune: bool,
    ) -> Result<(), OwnFileError> {
        let apply = |by| async move {
            let manner = Manner { prune, force: false };
            self.apply(&by, &file.source, manner).await.map(drop).map_err(web::Refusal::into_problem)
        };
        // Boxed: it carries everything that applying does.
        let applied = Box::pin(door.stand_in::<ApplyConfig, _, _>(caller, Contact::default(), apply)).await;
        applied.map_err(|problem| file.refused(&problem))
    }

    /// Whose key this is.
    pub async fn holder_of(
        &self,
        file: &OwnFile,
        door: &Door,
        key: &Secret<String>,
    ) -> Result<Caller, OwnFileError> {
        let refused = |reason: String| OwnFileError { path: file.path.display().to_string(), reason };
        let mut headers = axum::http::HeaderMap::new();
        let value = axum::http::HeaderValue::from_str(key.reveal());
        let value = value.map_err(|_| refused("config.key is no API key".to_owned()))?;
        headers.insert(axum::http::HeaderName::from_static("x-api-key"), value);
        let holder = door.bearer(&headers, &Contact::default()).await;
        holder.map_err(|problem| refused(format!("config.key: {}", problem.detail())))
    }
}

impl OwnFile {
    fn refused(&self, problem: &Problem) -> OwnFileError {
        let told = |finding: &Value| {
            let text = |name: &str| finding[name].as_str().unwrap_or_default();
            match finding["line"].as_u64() {
                Some(line) => format!("line {line}, {}: {}", text("path"), text("message")),
                None => format!("{}: {}", text("path"), text("message")),
            }
        };
        let mut reason = problem.detail().to_owned();
        for finding in problem.member("findings").and_then(Value::as_array).into_iter().flatten() {
            reason.push_str("\n  ");
            reason.push_str(&told(finding));
        }
        for conflict in problem.member("conflicts").and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| conflict[name].as_str().unwrap_or_default();
            let (section, key, manager) = (text("section"), text("key"), text("managed_by"));
            reason.push_str(&format!("\n  {section}/{key} comes from {manager:?}"));
        }
        OwnFileError { path: self.path.display().to_string(), reason }
    }
}

fn listed(findings: &[Finding]) -> String {
    findings.iter().map(Finding::told).collect::<Vec<_>>().join("\n  ")
}

fn read_text(path: &Path) -> Result<String, String> {
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > MOST_BYTES {
        return Err(format!("is larger than {MOST_BYTES} bytes"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// What it names by path: files below its folder and nothing else.
fn beside(path: &Path, names: impl IntoIterator<Item = String>) -> Result<BTreeMap<String, String>, String> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut contents = BTreeMap::new();
    for name in names {
        if !Path::new(&name).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(format!("${{file:{name}}} must name a file below the folder of the document"));
        }
        let text = read_text(&folder.join(&name)).map_err(|reason| format!("${{file:{name}}}: {reason}"))?;
        contents.insert(name, text);
    }
    Ok(contents)
}
