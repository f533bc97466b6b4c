//! What a document changes, from what it says and what is there. Reads as the caller: what they may not see is not planned.

use std::collections::HashMap;

use manifest::{FieldChange, Standing, differences};
use problem::Problem;
use serde_json::Value;
use web::Errand;

use crate::document::{Document, Item, references};
use crate::model::{Action, Adoption, ChangeView, Finding, PlanView};
use crate::store::{self, Managed};
use crate::{Declare, DeclareError};

/// One thing that is to become another.
pub(crate) struct Step {
    pub(crate) action: Action,
    pub(crate) section: usize,
    pub(crate) key: String,
    /// Of the document; none for what is removed.
    pub(crate) item: Option<usize>,
    pub(crate) before: Option<Standing>,
    /// What it is to be, in full.
    pub(crate) after: Option<Value>,
    pub(crate) fields: Vec<FieldChange>,
    pub(crate) managed_by: Option<String>,
}

#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// Steps that only `force` takes.
    pub(crate) conflicts: Vec<Step>,
    /// Items with the things that they adopt.
    pub(crate) adopted: Vec<(usize, Standing)>,
    pub(crate) unchanged: usize,
    pub(crate) warnings: Vec<Finding>,
}

/// What is there, as far as the document and its caller are concerned.
struct Sight {
    standing: HashMap<usize, HashMap<String, Standing>>,
    managed: HashMap<(String, String), Managed>,
}

impl Declare {
    pub(crate) async fn plan(
        &self,
        errand: &Errand,
        document: &Document,
        prune: bool,
        force: bool,
    ) -> Result<Plan, DeclareError> {
        let sight = self.look(errand, document, prune).await?;
        let mut findings = self.dangling(document, &sight);
        let mut plan = Plan { warnings: document.warnings.clone(), ..Plan::default() };
        for (at, item) in document.items.iter().enumerate() {
            match self.step(document, at, item, &sight) {
                Planned::Nothing => plan.unchanged += 1,
                Planned::Adopt(standing) => plan.adopted.push((at, standing)),
                Planned::Step(step) => {
                    findings.extend(self.fixed(item, &step));
                    let foreign = step.managed_by.as_ref().is_some_and(|by| *by != document.manager);
                    if foreign && !force { plan.conflicts.push(step) } else { plan.steps.push(step) }
                }
            }
        }
        if !findings.is_empty() {
            return Err(DeclareError::Invalid(findings));
        }
        self.left_over(document, &sight, prune, &mut plan);
        Ok(plan)
    }

    async fn look(&self, errand: &Errand, document: &Document, prune: bool) -> Result<Sight, DeclareError> {
        let inner = self.inner();
        let managed = store::all(&inner.db, &errand.allowance().scope(), None).await?;
        let refers = |name: &str| {
            document.items.iter().any(|item| references(item).iter().any(|refers| refers.section == name))
        };
        let mine =
            |name: &str| managed.iter().any(|one| one.manager == document.manager && one.section == name);
        let (mut standing, mut findings) = (HashMap::new(), Vec::new());
        for (at, registered) in inner.sections.iter().enumerate() {
            let name = registered.section.name();
            let first = document.items.iter().find(|item| item.section == at);
            if first.is_none() && !refers(name) && !(prune && mine(name)) {
                continue;
            }
            match registered.section.standing(errand).await {
                Ok(found) => {
                    standing.insert(at, found.into_iter().map(|one| (one.key.clone(), one)).collect());
                }
                Err(problem) if problem.status() == 403 => {
                    let mut finding = refused(&problem, &format!("/spec/{name}"));
                    (finding.line, finding.column) = match first {
                        Some(item) => (Some(item.node.place.line), Some(item.node.place.column)),
                        None => (None, None),
                    };
                    findings.push(finding);
                }
                Err(problem) => return Err(problem.into()),
            }
        }
        if !findings.is_empty() {
            return Err(DeclareError::Invalid(findings));
        }
        let managed = managed.into_iter().map(|one| ((one.section.clone(), one.key.clone()), one)).collect();
        Ok(Sight { standing, managed })
    }

    /// References that lead nowhere, neither in the document nor outside.
    fn dangling(&self, document: &Document, sight: &Sight) -> Vec<Finding> {
        let sections = &self.inner().sections;
        let declared = document.keys();
        let mut findings = Vec::new();
        for item in &document.items {
            for refers in references(item) {
                let Some(of) = sections.iter().position(|one| one.section.name() == refers.section) else {
                    continue;
                };
                let there = || sight.standing.get(&of).is_some_and(|known| known.contains_key(&refers.key));
                if !declared.contains(&(of, refers.key.as_str()))
                    && !sections[of].section.is_built_in(&refers.key)
                    && !there()
                {
                    let message = format!(
                        "`{}` is neither among the `{}` of this file nor one that you may see",
                        refers.key, refers.section
                    );
                    findings.push(item.finding(&refers.field, message));
                }
            }
        }
        findings
    }

    fn step(&self, document: &Document, at: usize, item: &Item, sight: &Sight) -> Planned {
        let section = &self.inner().sections[item.section].section;
        let key = &item.wanted.key;
        let before = sight.standing.get(&item.section).and_then(|known| known.get(key)).cloned();
        let wanted = without(section.untold(), item.wanted.entry.clone());
        let Some(before) = before else {
            let fields = differences(&Value::Null, &wanted);
            return Planned::Step(Step {
                action: Action::Create,
                section: item.section,
                key: key.clone(),
                item: Some(at),
                before: None,
                after: Some(item.wanted.entry.clone()),
                fields,
                managed_by: None,
            });
        };
        let after = with_loose(section.loose(), &before.entry, item.wanted.entry.clone());
        let told = with_loose(section.loose(), &before.entry, wanted);
        let fields = differences(&before.entry, &told);
        let managed_by = sight.manager_of(section.name(), &before);
        if !fields.is_empty() {
            return Planned::Step(Step {
                action: Action::Update,
                section: item.section,
                key: key.clone(),
                item: Some(at),
                before: Some(before),
                after: Some(after),
                fields,
                managed_by,
            });
        }
        match managed_by {
            None => Planned::Adopt(before),
            // Another file's, and as this one wants it: left to the other.
            Some(manager) if manager != document.manager => Planned::Nothing,
            Some(_) => Planned::Nothing,
        }
    }

    fn fixed(&self, item: &Item, step: &Step) -> Vec<Finding> {
        let fixed = self.inner().sections[item.section].section.fixed();
        let is_fixed = |change: &&FieldChange| {
            let name = change.field.split('/').nth(1).unwrap_or_default();
            step.action == Action::Update && fixed.contains(&name)
        };
        let told = |change: &FieldChange| {
            let message =
                "cannot be changed once it is made; give the thing another name, or remove it first";
            item.finding(&change.field, message)
        };
        step.fields.iter().filter(is_fixed).map(told).collect()
    }

    /// What this file made and does not name any more.
    fn left_over(&self, document: &Document, sight: &Sight, prune: bool, plan: &mut Plan) {
        let sections = &self.inner().sections;
        let (declared, mut gone) = (document.keys(), Vec::new());
        for (at, registered) in sections.iter().enumerate() {
            let name = registered.section.name();
            let mut mine: Vec<&Managed> = sight
                .managed
                .values()
                .filter(|one| one.section == name && one.manager == document.manager)
                .filter(|one| !declared.contains(&(at, one.key.as_str())))
                .collect();
            mine.sort_by(|one, other| one.key.cmp(&other.key));
            for one in mine {
                if !prune {
                    let message =
                        format!("`{}` is not in this file any more, and stays without `prune`", one.key);
                    let mut warning = Finding::at(format!("/spec/{name}"), Default::default(), message);
                    (warning.line, warning.column) = (None, None);
                    plan.warnings.push(warning);
                    continue;
                }
                let standing = sight.standing.get(&at).and_then(|known| known.get(&one.key));
                let Some(before) = standing.filter(|standing| standing.id == one.object) else { continue };
                gone.push(Step {
                    action: Action::Delete,
                    section: at,
                    key: one.key.clone(),
                    item: None,
                    before: Some(before.clone()),
                    after: None,
                    fields: differences(&before.entry, &Value::Null),
                    managed_by: Some(one.manager.clone()),
                });
            }
        }
        // What stands on others goes before them.
        plan.steps.extend(gone.into_iter().rev());
    }

    pub(crate) fn told(&self, document: &Document, plan: &Plan) -> PlanView {
        let view = |step: &Step| self.view(document, step);
        let adoption = |(at, standing): &(usize, Standing)| Adoption {
            section: self.inner().sections[document.items[*at].section].section.name().to_owned(),
            key: standing.key.clone(),
            id: standing.id.clone(),
        };
        PlanView {
            manager: document.manager.clone(),
            changes: plan.steps.iter().map(view).collect(),
            adopted: plan.adopted.iter().map(adoption).collect(),
            conflicts: plan.conflicts.iter().map(view).collect(),
            unchanged: plan.unchanged,
            warnings: plan.warnings.clone(),
        }
    }

    pub(crate) fn view(&self, document: &Document, step: &Step) -> ChangeView {
        ChangeView {
            action: step.action,
            section: self.inner().sections[step.section].section.name().to_owned(),
            key: step.key.clone(),
            id: step.before.as_ref().map(|standing| standing.id.clone()),
            line: step.item.map(|at| document.items[at].node.place.line),
            managed_by: step.managed_by.clone(),
            changes_rights: step.fields.iter().any(|one| !one.gained.is_empty() || !one.lost.is_empty()),
            fields: step.fields.clone(),
        }
    }
}

enum Planned {
    Nothing,
    Adopt(Standing),
    Step(Step),
}

impl Sight {
    fn manager_of(&self, section: &str, standing: &Standing) -> Option<String> {
        let found = self.managed.get(&(section.to_owned(), standing.key.clone()))?;
        (found.object == standing.id).then(|| found.manager.clone())
    }
}

/// Without what is given and never told.
pub(crate) fn without(untold: &[&str], mut entry: Value) -> Value {
    if let Some(members) = entry.as_object_mut() {
        members.retain(|name, _| !untold.contains(&name.as_str()));
    }
    entry
}

/// Fields that a file says nothing of stay as they are.
pub(crate) fn with_loose(loose: &[&str], before: &Value, mut after: Value) -> Value {
    for name in loose {
        let unsaid = after.get(*name).is_none_or(Value::is_null);
        if let (true, Some(value), Some(members)) = (unsaid, before.get(*name), after.as_object_mut()) {
            members.insert((*name).to_owned(), value.clone());
        }
    }
    after
}

/// A refusal as a finding.
pub(crate) fn refused(problem: &Problem, path: &str) -> Finding {
    let mut finding = Finding::at(path, Default::default(), problem.detail());
    (finding.line, finding.column) = (None, None);
    finding.code = Some(problem.code().name.to_owned());
    finding.permission = problem.member("permission").and_then(Value::as_str).map(str::to_owned);
    finding
}
