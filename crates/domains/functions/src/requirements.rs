//! What a version asks for, held against the allow-list, and the lock and environment that it leads to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use db::{Change, DbError};
use packages::{Build, BuildError, Environments, Lock, Name, Requirement};
use problem::{
    ENVIRONMENT_BUILDING, ENVIRONMENT_FAILED, FieldError, PACKAGE_NOT_APPROVED, PACKAGES_UNAVAILABLE, Problem,
};
use types::PackageId;
use web::Allowance;

use crate::allow_list::State;
use crate::allow_list::store::{self, Listed};
use crate::model::Version;
use crate::{FunctionError, Functions};

/// Requirements of one version at the most.
pub(crate) const MOST: usize = 50;

/// The entries of the allow-list that a decision relied on.
#[derive(Default)]
pub(crate) struct Approvals(Vec<(PackageId, i64)>);

impl Approvals {
    /// The change is made only if they still stand.
    pub(crate) fn guard(&self, change: Change) -> Change {
        self.0.iter().fold(change, |change, (id, revision)| change.guard("packages", *id, *revision))
    }
}

/// All that is wrong, each where it stands.
pub(crate) fn parse(texts: &[String]) -> Result<Vec<Requirement>, FunctionError> {
    let (mut wanted, mut errors) = (Vec::new(), Vec::new());
    for (at, text) in texts.iter().enumerate() {
        match text.parse::<Requirement>() {
            Ok(requirement) => wanted.push(requirement),
            Err(refusal) => errors.push(at_requirement(at, refusal.to_string())),
        }
    }
    if texts.len() > MOST {
        errors.push(FieldError {
            field: "/requirements".into(),
            reason: format!("has more than {MOST} entries"),
        });
    }
    match errors.is_empty() {
        true => {
            wanted.sort();
            wanted.dedup();
            Ok(wanted)
        }
        false => {
            let problem = Problem::new(&problem::VALIDATION_FAILED, "Mend the fields named in errors.");
            Err(problem.with_errors(errors).into())
        }
    }
}

fn at_requirement(at: usize, reason: String) -> FieldError {
    FieldError { field: format!("/requirements/{at}"), reason }
}

impl Functions {
    /// Gives the version its lock: that of the live one where nothing else is asked for, else a new one with an environment
    /// that was built. Answers what that relied on.
    pub(crate) async fn lock(
        &self,
        by: &Allowance,
        version: &mut Version,
        live: Option<&Version>,
    ) -> Result<Approvals, FunctionError> {
        let (approvals, refused) = self.approved(by, &version.requirements).await?;
        if version.requirements.is_empty() {
            version.lock = None;
            return Ok(approvals);
        }
        let environments = self.environments()?;
        let inherited = live.filter(|live| live.requirements == version.requirements);
        let inherited = inherited.and_then(|live| live.lock.clone());
        version.lock = match inherited.filter(|lock| environments.suits(lock)) {
            Some(lock) => Some(lock),
            None => {
                let build = self.begin_build(by, environments, version.requirements.clone(), refused)?;
                Some(built(&build, self.inner().settings.sync).await?)
            }
        };
        Ok(approvals)
    }

    /// A build of what may be named, whoever waits for it.
    pub(crate) async fn build(
        &self,
        by: &Allowance,
        requirements: Vec<Requirement>,
    ) -> Result<Build, FunctionError> {
        let (_, refused) = self.approved(by, &requirements).await?;
        self.begin_build(by, self.environments()?, requirements, refused)
    }

    fn begin_build(
        &self,
        by: &Allowance,
        environments: &Environments,
        requirements: Vec<Requirement>,
        refused: BTreeSet<Name>,
    ) -> Result<Build, FunctionError> {
        let slot = self.inner().slots.of(by.org());
        let slot = slot.ok_or_else(|| FunctionError::NoSandbox("too many organizations".into()))?;
        Ok(environments.prepare(by.org(), slot, requirements, refused))
    }

    fn environments(&self) -> Result<&Environments, FunctionError> {
        let environments = self.inner().environments.as_ref();
        environments.ok_or_else(|| FunctionError::NoSandbox("no sandbox".into()))
    }

    /// Whether each may be named. Answers the entries that say so, and what may not even come along.
    pub(crate) async fn approved(
        &self,
        by: &Allowance,
        requirements: &[Requirement],
    ) -> Result<(Approvals, BTreeSet<Name>), FunctionError> {
        if requirements.is_empty() {
            return Ok((Approvals::default(), BTreeSet::new()));
        }
        let inner = self.inner();
        let listed = store::listed(&inner.db, &by.scope()).await?;
        let all = inner.settings.all_packages;
        let mut approvals = Approvals::default();
        let mut errors = Vec::new();
        for (at, requirement) in requirements.iter().enumerate() {
            let name = &requirement.name;
            match listed.get(name) {
                Some(Listed { state: State::Approved, id, revision }) => approvals.0.push((*id, *revision)),
                None if all => {}
                Some(Listed { state: State::Requested, .. }) if all => {}
                found => errors.push(at_requirement(at, refusal(name, found.map(|found| found.state)))),
            }
        }
        if !errors.is_empty() {
            let detail =
                "Functions of this organization may name approved packages only; errors say which are not.";
            return Err(Problem::new(&PACKAGE_NOT_APPROVED, detail).with_errors(errors).into());
        }
        Ok((approvals, refused(listed)))
    }
}

fn refused(listed: BTreeMap<Name, Listed>) -> BTreeSet<Name> {
    listed.into_iter().filter(|(_, one)| one.state == State::Refused).map(|(name, _)| name).collect()
}

fn refusal(name: &Name, state: Option<State>) -> String {
    match state {
        Some(State::Refused) => format!("{name} was refused in this organization"),
        Some(_) => format!("{name} was asked for and is not approved yet"),
        None => format!(
            "{name} is not approved; ask for it with POST /packages or `safeconduct packages request {name}`"
        ),
    }
}

/// Waits for a build, no longer than `patience`.
pub(crate) async fn built(build: &Build, patience: Duration) -> Result<Lock, FunctionError> {
    match build.wait(patience).await {
        Some(Ok(ready)) => Ok(ready.lock),
        Some(Err(error)) => Err(failed(&error).into()),
        None => {
            let detail =
                "The environment is still being built. Ask again in a moment; nothing was published.";
            Err(Problem::new(&ENVIRONMENT_BUILDING, detail).with_retry_after(5).into())
        }
    }
}

/// The first line of the reason is the detail; all of it is there as `output`.
pub(crate) fn failed(error: &BuildError) -> Problem {
    let said = error.to_string();
    match error {
        BuildError::Unavailable(_) => Problem::new(
            &PACKAGES_UNAVAILABLE,
            "This server cannot install packages now. The server's log says what is missing.",
        )
        .with_retry_after(30)
        .with_context(said),
        _ => Problem::new(
            &ENVIRONMENT_FAILED,
            format!("The environment was not built: {}", in_one_line(&said)),
        )
        .with_error("/requirements", in_one_line(&said))
        .with_member("output", said),
    }
}

/// uv draws a tree over several lines.
fn in_one_line(text: &str) -> String {
    let drawn = ['×', '╰', '─', '▶', '│', '├', ' '];
    let lines = text.lines().map(|line| line.trim_matches(drawn.as_slice())).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ").chars().take(1_000).collect()
}

/// A stored lock; one that was tampered with is an error, never another environment.
pub(crate) fn kept(text: Option<String>, sha256: Option<[u8; 32]>) -> Result<Option<Lock>, DbError> {
    let Some(text) = text else { return Ok(None) };
    let lock = Lock::kept(&text).map_err(|error| DbError::Internal(error.to_string()))?;
    match Some(lock.sha256()) == sha256 {
        true => Ok(Some(lock)),
        false => Err(DbError::Internal("a stored lock is not the one that was stored".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_requirement_is_told_where_it_stands() {
        let texts = ["requests", "./evil", "x @ https://evil", "pandas>=2"].map(str::to_owned);
        let FunctionError::Refused(problem) = parse(&texts).unwrap_err() else { panic!("a problem") };
        let text = problem.to_string() + &serde_json::to_string(&problem.errors()).unwrap();
        assert!(text.contains("/requirements/1") && text.contains("/requirements/2"), "{text}");
        assert!(parse(&vec!["x".to_owned(); MOST + 1]).is_err());
        let twice = ["b>=1", "a", "b >= 1"].map(str::to_owned);
        let normal: Vec<String> = parse(&twice).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(normal, ["a", "b>=1"]);
    }

    #[test]
    fn what_uv_draws_is_told_in_a_line() {
        let drawn = "  × No solution found when resolving dependencies:\n  ╰─▶ Because absent was not found in the\n      package registry, no.\n";
        assert_eq!(
            in_one_line(drawn),
            "No solution found when resolving dependencies: Because absent was not found in the package registry, no."
        );
    }

    #[test]
    fn a_lock_that_was_tampered_with_is_an_error() {
        let hash = "0".repeat(64);
        let lock = Lock::read(&format!("x==1 \\\n --hash=sha256:{hash}"), "cp311").unwrap();
        assert!(kept(Some(lock.text().into()), Some(lock.sha256())).unwrap().is_some());
        assert!(kept(Some(lock.text().replace("x==1", "x==2")), Some(lock.sha256())).is_err());
        assert!(kept(Some(lock.text().into()), None).is_err());
        assert!(kept(None, None).unwrap().is_none());
    }
}
