//! Bringing it about: every step in one transaction, each by the operation that it stands for. The plan is made anew within it,
//! so that what is done is what was true then.

use db::{Change, CommitError};
use problem::{CONFLICT, IDEMPOTENCY_IN_FLIGHT, Problem};
use secrets::Purpose;
use serde_json::{Value, json};
use web::{Allowance, Errand, Refusal, Reply, Undone};

use crate::document::{Document, Item, Source};
use crate::error::listed;
use crate::model::{Action, Finding, PlanView};
use crate::plan::{Plan, Step, refused, without};
use crate::routes::ApplyConfig;
use crate::store::{self, Thing};
use crate::{Declare, DeclareError, facts};

/// How often all of it is decided again when others change its grounds.
const TRIES: usize = 8;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    /// Removes what the file made and does not name any more.
    pub(crate) prune: bool,
    /// Takes over what comes from other files.
    pub(crate) force: bool,
}

impl Declare {
    pub(crate) async fn apply(
        &self,
        by: &Allowance,
        source: &Source,
        manner: Manner,
    ) -> Result<Reply, Refusal> {
        let document = self.read(source).map_err(DeclareError::Invalid)?;
        // Cheap refusals first: the transaction keeps others waiting.
        let errand = Errand::new(by);
        let plan = self.ready(&errand, &document, manner).await;
        errand.close().await?;
        let plan = plan?;
        if plan.steps.is_empty() && plan.adopted.is_empty() {
            return by.keyed_answer(Reply::of::<ApplyConfig>(&self.told(&document, &plan))?).await;
        }
        self.open_keys(by).await.map_err(DeclareError::from)?;
        let errand = Errand::new(by);
        let prepared = self.prepare(&errand, &document, &plan).await;
        errand.close().await?;
        prepared?;
        for _ in 0..TRIES {
            let errand = Errand::new(by);
            let work = self.bring_about(&errand, &document, manner);
            let outcome = self.inner().db.exclusive(by.scope(), work).await;
            errand.close().await?;
            match outcome {
                Ok((reply, true)) => return Ok(reply),
                // Somebody else was first, with the same.
                Ok((reply, false)) => return by.keyed_answer(reply).await,
                Err(Undone::Stale) => metrics::counter!("safeconduct_decided_again_total").increment(1),
                Err(Undone::Spoiled(problem)) if *problem.code() == IDEMPOTENCY_IN_FLIGHT => {
                    return by.first_answer().await;
                }
                Err(Undone::Spoiled(problem)) if *problem.code() == CONFLICT => {}
                Err(undone) => return Err(Problem::from(undone).into()),
            }
        }
        let detail = "Others keep changing the same things. Nothing was changed; wait a moment and retry.";
        Err(Problem::new(&CONFLICT, detail).with_retry_after(1).into())
    }

    /// The plan, if nothing is in its way.
    async fn ready(
        &self,
        errand: &Errand,
        document: &Document,
        manner: Manner,
    ) -> Result<Plan, DeclareError> {
        let plan = self.plan(errand, document, manner.prune, manner.force).await?;
        match plan.conflicts.is_empty() {
            true => Ok(plan),
            false => Err(DeclareError::Elsewhere(
                plan.conflicts.iter().map(|step| self.view(document, step)).collect(),
            )),
        }
    }

    /// What takes long is done before others have to wait.
    async fn prepare(&self, errand: &Errand, document: &Document, plan: &Plan) -> Result<(), Problem> {
        let mut done = Done::default();
        for step in &plan.steps {
            let (section, item) = (&self.inner().sections[step.section].section, step.item);
            if let Some(after) = &step.after
                && let Err(problem) = section.prepare(errand, after).await
            {
                done.fail(self, item.map(|at| &document.items[at]), step, problem);
            }
        }
        done.problem().map_or(Ok(()), Err)
    }

    /// Data keys are made in transactions of their own, so they are there before ours begins.
    async fn open_keys(&self, by: &Allowance) -> Result<(), secrets::SecretsError> {
        for purpose in [Purpose::Ledger, Purpose::Records, Purpose::Idempotency] {
            self.inner().keyring.key(by.org(), purpose).await?;
        }
        Ok(())
    }

    /// The answer, and whether anything was changed.
    async fn bring_about(
        &self,
        errand: &Errand,
        document: &Document,
        manner: Manner,
    ) -> Result<(Reply, bool), Undone> {
        let by = errand.allowance();
        let plan = self.ready(errand, document, manner).await.map_err(Problem::from)?;
        let mut view = self.told(document, &plan);
        if plan.steps.is_empty() && plan.adopted.is_empty() {
            return Ok((Reply::of::<ApplyConfig>(&view)?, false));
        }
        let mut done = Done::default();
        for (at, step) in plan.steps.iter().enumerate() {
            let item = step.item.map(|at| &document.items[at]);
            if item.is_some_and(|item| done.stands_on_what_failed(item)) {
                continue;
            }
            match self.take(errand, step).await {
                Ok(id) => {
                    if let Some(change) = view.changes.get_mut(at) {
                        change.id = Some(id.clone());
                    }
                    done.ids.push((at, id));
                }
                Err(Undone::Refused(problem)) => done.fail(self, item, step, problem),
                Err(undone) => return Err(undone),
            }
        }
        if let Some(problem) = done.problem() {
            return Err(problem.into());
        }
        let reply = Reply::of::<ApplyConfig>(&view)?;
        let change = self.last_change(by, document, &plan, &view, &done).await.map_err(Problem::from)?;
        let change = match by.keyed(&reply).await? {
            Some(statement) => change.with(statement),
            None => change,
        };
        self.inner().db.commit(change).await.map_err(|error| match error {
            CommitError::Stale => Undone::Stale,
            other => Undone::Spoiled(other.into()),
        })?;
        Ok((reply, true))
    }

    async fn take(&self, errand: &Errand, step: &Step) -> Result<String, Undone> {
        let section = &self.inner().sections[step.section].section;
        match (step.action, &step.before, &step.after) {
            (Action::Create, _, Some(after)) => section.make(errand, after).await,
            (Action::Update, Some(before), Some(after)) => {
                section.alter(errand, before, after).await.map(|()| before.id.clone())
            }
            (Action::Delete, Some(before), _) => {
                section.remove(errand, before).await.map(|()| before.id.clone())
            }
            _ => Err(Problem::internal("a step without what it is about").into()),
        }
    }

    /// That the file was applied, and which things come from it now.
    async fn last_change(
        &self,
        by: &Allowance,
        document: &Document,
        plan: &Plan,
        view: &PlanView,
        done: &Done,
    ) -> Result<Change, DeclareError> {
        let inner = self.inner();
        let count = |action| view.changes.iter().filter(|change| change.action == action).count();
        let foreign = |step: &&Step| step.managed_by.as_ref().is_some_and(|by| *by != document.manager);
        let data = json!({
            "manager": document.manager,
            "sha256": hex::encode(document.sha256),
            "created": count(Action::Create),
            "updated": count(Action::Update),
            "deleted": count(Action::Delete),
            "adopted": plan.adopted.len(),
            "taken_over": plan.steps.iter().filter(foreign).count(),
        });
        let fact = by.fact(&facts::CONFIG_APPLIED).target("config", &document.manager, &document.manager);
        let mut change = Change::new(by.scope(), inner.ledger.seal(fact.data(data)).await?);
        for (at, id) in &done.ids {
            let step = &plan.steps[*at];
            change = match step.item {
                Some(item) => {
                    change.statements(self.managing(by, document, &document.items[item], id).await?)
                }
                None => {
                    let section = inner.sections[step.section].section.name();
                    change.statement(store::forget(by.org(), section, &step.key))
                }
            };
        }
        for (item, standing) in &plan.adopted {
            let item = &document.items[*item];
            change = change.statements(self.managing(by, document, item, &standing.id).await?);
        }
        Ok(change)
    }

    async fn managing(
        &self,
        by: &Allowance,
        document: &Document,
        item: &Item,
        id: &str,
    ) -> Result<[db::Statement; 2], DeclareError> {
        let inner = self.inner();
        let known = &inner.sections[item.section].section;
        let (section, key) = (known.name(), item.wanted.key.as_str());
        let said = without(known.untold(), item.wanted.entry.clone());
        let applied = store::seal(&inner.keyring, by.org(), section, key, &said).await?;
        let thing = Thing { section, key, object: id, manager: &document.manager, applied };
        Ok(store::put(by.org(), &thing, &by.caller().principal().to_string(), inner.world.now()))
    }
}

/// What came of the steps so far.
#[derive(Default)]
struct Done {
    ids: Vec<(usize, String)>,
    failed: Vec<(&'static str, String)>,
    findings: Vec<Finding>,
    first: Option<Problem>,
}

impl Done {
    /// Would fail for no reason of its own.
    fn stands_on_what_failed(&self, item: &Item) -> bool {
        let failed = |refers: &manifest::Refers| {
            self.failed.iter().any(|(section, key)| *section == refers.section && *key == refers.key)
        };
        item.wanted.refers.iter().any(failed)
    }

    fn fail(&mut self, declare: &Declare, item: Option<&Item>, step: &Step, problem: Problem) {
        let section = declare.inner().sections[step.section].section.name();
        let told = |field: &str, message: &str| {
            // What is no place in the entry – a line of a policy's module – is told in words.
            let (field, message) = match field.is_empty() || field.starts_with('/') {
                true => (field, message.to_owned()),
                false => ("", format!("{field}: {message}")),
            };
            let mut finding = refused(&problem, &format!("/spec/{section}"));
            if let Some(item) = item {
                let Finding { path, line, column, .. } = item.finding(field, "");
                finding = Finding { path, line, column, ..finding };
            }
            finding.message = format!("{}: {message}", step.key);
            finding
        };
        let mut findings: Vec<Finding> =
            problem.errors().iter().map(|error| told(&error.field, &error.reason)).collect();
        if findings.is_empty() {
            findings.push(told("", problem.detail()));
        }
        self.findings.extend(findings);
        self.failed.push((section, step.key.clone()));
        self.first.get_or_insert(problem);
    }

    /// The first refusal, with where each of them happened.
    fn problem(&mut self) -> Option<Problem> {
        let first = self.first.take()?;
        let told = self.findings.first().map(Finding::told).unwrap_or_default();
        let permission = first.member("permission").cloned();
        let problem = Problem::new(first.code(), format!("Nothing was changed. {told}"))
            .with_member("findings", listed(&self.findings));
        Some(match permission {
            Some(permission @ Value::String(_)) => problem.with_member("permission", permission),
            _ => problem,
        })
    }
}
