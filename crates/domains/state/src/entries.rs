//! Writing entries: one or up to a hundred, in one change.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use authority::Required;
use crypto::hash::sha256;
use db::{Change, Statement};
use ledger::{Fact, FactKind};
use problem::Problem;
use serde_json::{Value, json};
use types::{GroupId, Timestamp};
use web::{Allowance, Decided, Details, Patched, Precondition};

use crate::model::{Entry, Kept, Namespace, Visibility};
use crate::values::{Place, written};
use crate::words::{Key, NamespaceRef};
use crate::{StateError, StateStore, facts, store};

/// What is to be done to one entry.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) key: Key,
    pub(crate) precondition: Precondition,
    /// What is needed, where it is not what the operation itself needs.
    pub(crate) needs: Option<Required>,
    pub(crate) deed: Deed,
    /// Where it stands in the request's body.
    pub(crate) at: String,
}

#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// As it shall be; what is not said has its default.
    Put(Box<Whole>),
    Patch(Box<Changes>),
    /// Adds to a whole number; 0 where there is none yet.
    Increment {
        by: i64,
    },
    /// Adds to a list, of which the last `keep` stay.
    Append {
        items: Vec<Value>,
        keep: Option<usize>,
    },
    Delete,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Whole {
    pub(crate) value: Value,
    pub(crate) description: String,
    pub(crate) tags: Vec<String>,
    pub(crate) visibility: Option<Visibility>,
    pub(crate) group: Option<GroupId>,
    pub(crate) relevance: i64,
    pub(crate) expires_at: Option<Timestamp>,
}

/// A merge patch (RFC 7396).
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    pub(crate) value: Patched<Value>,
    pub(crate) description: Patched<String>,
    pub(crate) tags: Patched<Vec<String>>,
    pub(crate) visibility: Patched<Visibility>,
    pub(crate) group: Patched<GroupId>,
    pub(crate) relevance: Patched<i64>,
    pub(crate) expires_at: Patched<Timestamp>,
}

/// What became of an entry: as it is now, or as it was before it was removed.
pub(crate) struct Outcome {
    pub(crate) entry: Entry,
    /// None of what was removed, nor of what the caller may write and not read.
    pub(crate) value: Option<Value>,
}

pub(crate) struct Outcomes {
    pub(crate) namespace: Namespace,
    /// In the order of the acts.
    pub(crate) each: Vec<Outcome>,
}

/// A row that goes and a row that comes; one of them at least.
struct Step<'a> {
    act: &'a Act,
    /// What stands there, expired or not.
    before: Option<&'a Entry>,
    is_expired: bool,
    after: Option<(Entry, Value, String)>,
    /// The group that the entry is newly put into, as it stands now.
    group: Option<(GroupId, i64)>,
}

impl StateStore {
    pub(crate) async fn write(
        &self,
        by: &Allowance,
        of: &NamespaceRef,
        acts: &[Act],
    ) -> Result<Decided<Outcomes>, StateError> {
        let inner = self.inner();
        named_once(acts)?;
        let namespace = self.namespace(by, of).await?;
        let keys: Vec<Key> = acts.iter().map(|act| act.key.clone()).collect();
        let found = store::by_keys(&inner.db, &by.scope(), namespace.id, &keys).await?;
        let found: BTreeMap<&Key, &(Entry, Kept)> = found.iter().map(|one| (&one.0.key, one)).collect();
        // After the entries: what was removed before it was looked for had no revision above this.
        let base = store::usage(&inner.db, &by.scope(), namespace.id).await?;
        let mut steps = Vec::with_capacity(acts.len());
        for act in acts {
            steps.push(self.step(by, &namespace, base, act, found.get(&act.key).copied()).await?);
        }
        let change = self.change(by, &namespace, &steps).await?;
        let outcome = |step: Step<'_>| match (step.after, step.before) {
            (Some((entry, value, _)), before) => {
                let own = before.is_none() || matches!(step.act.deed, Deed::Put(_));
                let shown = own || may_read(by, &namespace, before.unwrap_or(&entry)).is_ok();
                Some(Outcome { entry, value: shown.then_some(value) })
            }
            (None, Some(before)) => Some(Outcome { entry: before.clone(), value: None }),
            (None, None) => None,
        };
        let each = steps.into_iter().filter_map(outcome).collect();
        Ok(Decided::new(change, Outcomes { namespace, each }))
    }

    /// What one act comes to; everything that could refuse it is asked here.
    async fn step<'a>(
        &self,
        by: &Allowance,
        namespace: &Namespace,
        base: i64,
        act: &'a Act,
        found: Option<&'a (Entry, Kept)>,
    ) -> Result<Step<'a>, StateError> {
        let inner = self.inner();
        let now = inner.world.now();
        let live = found.filter(|(entry, _)| entry.is_live(now));
        if let Some((entry, _)) = live {
            may(by, act, namespace, entry)?;
            // Refusals and the schema's verdict would tell of a secret, one question after the other.
            if namespace.secret && builds_on(&act.deed) {
                may_read(by, namespace, entry)?;
            }
        }
        act.precondition.hold(live.map(|(entry, _)| entry.revision))?;
        let before = found.map(|(entry, _)| entry);
        let is_expired = found.is_some() && live.is_none();
        let mut entry = match live {
            Some((entry, _)) => Entry { revision: entry.revision + 1, ..entry.clone() },
            None if matches!(act.deed, Deed::Delete | Deed::Patch(_)) => {
                return Err(StateError::UnknownEntry);
            }
            None => self.blank(by, namespace, base, act.key.clone()),
        };
        let value = match (&act.deed, live) {
            (Deed::Delete, _) => return Ok(Step { act, before, is_expired, after: None, group: None }),
            (Deed::Put(whole), _) => {
                put(&mut entry, namespace, now, whole);
                whole.value.clone()
            }
            (deed, None) => advanced(deed, None, act)?,
            (deed, Some((old, kept))) => {
                let old = inner.open(namespace, old, kept).await?;
                if let Deed::Patch(changes) = deed {
                    patch(&mut entry, namespace, now, changes);
                }
                advanced(deed, Some(old), act)?
            }
        };
        let group = self.fits(by, &entry, act, live.map(|(entry, _)| entry)).await?;
        let json = written(&value, &act.at)?;
        let keeps = matches!(&act.deed, Deed::Patch(changes) if changes.value.is_kept());
        if !keeps {
            entry.is_valid = inner.judge(namespace, &value, &act.at)?;
        }
        entry.size = i64::try_from(json.len()).unwrap_or(i64::MAX);
        entry.sha256 = sha256(json.as_bytes());
        entry.updated_at = now;
        entry.updated_by = by.caller().principal().to_string();
        // Who gives an entry another group or visibility must be allowed to write that, too.
        may(by, act, namespace, &entry)?;
        Ok(Step { act, before, is_expired, after: Some((entry, value, json)), group })
    }

    fn blank(&self, by: &Allowance, namespace: &Namespace, base: i64, key: Key) -> Entry {
        let now = self.inner().world.now();
        Entry {
            id: self.inner().world.id(),
            key,
            size: 0,
            sha256: [0; 32],
            is_valid: true,
            visibility: namespace.default_visibility,
            owner: by.caller().principal(),
            group: None,
            description: String::new(),
            tags: Vec::new(),
            relevance: 0,
            expires_at: lives_until(namespace, now),
            created_at: now,
            updated_at: now,
            updated_by: String::new(),
            // Above whatever the key had before, so that an old ETag never fits a new entry.
            revision: base + 1,
        }
    }

    async fn fits(
        &self,
        by: &Allowance,
        entry: &Entry,
        act: &Act,
        before: Option<&Entry>,
    ) -> Result<Option<(GroupId, i64)>, StateError> {
        let field = |name: &str| format!("{}/{name}", act.at);
        let is_new = |end: &Timestamp| before.and_then(|before| before.expires_at) != Some(*end);
        if entry.expires_at.filter(is_new).is_some_and(|end| end <= self.inner().world.now()) {
            return Err(StateError::invalid(field("expires_at"), "must lie in the future"));
        }
        match entry.group {
            None if entry.visibility == Visibility::Group => {
                Err(StateError::invalid(field("group"), "is needed for what a group may see"))
            }
            Some(group) if before.is_none_or(|before| before.group != Some(group)) => {
                match store::group(&self.inner().db, &by.scope(), group).await? {
                    Some(revision) => Ok(Some((group, revision))),
                    None => Err(StateError::invalid(field("group"), "there is no such group here")),
                }
            }
            _ => Ok(None),
        }
    }

    async fn change(
        &self,
        by: &Allowance,
        namespace: &Namespace,
        steps: &[Step<'_>],
    ) -> Result<Change, StateError> {
        let inner = self.inner();
        let mut facts = Vec::with_capacity(steps.len());
        for step in steps {
            let told = match &step.after {
                Some((entry, ..)) => vec![(&facts::ENTRY_WRITTEN, entry)],
                None => step.before.map(|entry| (&facts::ENTRY_DELETED, entry)).into_iter().collect(),
            };
            let expired = step.before.filter(|_| step.is_expired).map(|entry| (&facts::ENTRY_EXPIRED, entry));
            for (kind, entry) in expired.into_iter().chain(told) {
                facts.push(inner.ledger.seal(told_of(by.fact(kind), kind, namespace, entry)).await?);
            }
        }
        let mut facts = facts.into_iter();
        let first = facts.next().ok_or_else(|| Problem::internal("a change of nothing"))?;
        let change = facts.fold(Change::new(by.scope(), first), Change::fact);
        let change = change
            .guard("state_namespaces", namespace.id, namespace.revision)
            .statement(store::fill(namespace, grown(steps), i64::try_from(steps.len()).unwrap_or(i64::MAX)));
        let groups = steps.iter().filter_map(|step| step.group);
        let change = groups.fold(change, |change, (group, revision)| change.guard("groups", group, revision));
        // Every change takes the rows of a namespace in the same order.
        let mut ordered: Vec<&Step<'_>> = steps.iter().collect();
        ordered.sort_by(|left, right| left.act.key.cmp(&right.act.key));
        let mut statements = Vec::new();
        for step in ordered {
            statements.extend(self.statements(namespace, step).await?);
        }
        Ok(change.statements(statements))
    }

    async fn statements(&self, namespace: &Namespace, step: &Step<'_>) -> Result<Vec<Statement>, StateError> {
        let (inner, org) = (self.inner(), namespace.org);
        let mut statements = Vec::new();
        let gone = step.before.filter(|_| step.is_expired || step.after.is_none());
        if let Some(gone) = gone {
            statements.extend(store::remove_entry(org, gone.id, gone.revision));
        }
        if let Some((entry, _, json)) = &step.after {
            let kept = inner.keep(namespace, Place::Entries, entry, json).await?;
            statements.push(match (gone, step.before) {
                (None, Some(_)) => store::update_entry(org, entry, &kept),
                _ => store::insert_entry(namespace, entry, &kept),
            });
            if namespace.history_depth > 0 {
                let kept = inner.keep(namespace, Place::History, entry, json).await?;
                statements.push(store::insert_history(org, entry, &kept));
            }
            statements.push(store::trim_history(org, entry, namespace.history_depth));
        }
        Ok(statements)
    }
}

/// The entry and what a fact says of it: everything that decides who may hear of it, never the value.
pub(crate) fn told_of(fact: Fact, kind: &'static FactKind, namespace: &Namespace, entry: &Entry) -> Fact {
    let mut data = json!({
        "namespace": namespace.name,
        "key": entry.key,
        "revision": entry.revision,
        "visibility": entry.visibility.name(),
        "owner": entry.owner.to_string(),
        "group": entry.group,
    });
    if kind.name == facts::ENTRY_WRITTEN.name {
        data["size"] = json!(entry.size);
        data["sha256"] = json!((!namespace.secret).then(|| hex::encode(entry.sha256)));
    }
    fact.target("state_entry", entry.id, entry.path(namespace)).data(data)
}

/// Of two acts on one entry neither would know what the other left.
fn named_once(acts: &[Act]) -> Result<(), StateError> {
    let mut seen = BTreeSet::new();
    match acts.iter().find(|act| !seen.insert(&act.key)) {
        Some(act) => Err(StateError::invalid(format!("{}/key", act.at), "stands twice in this batch")),
        None => Ok(()),
    }
}

fn may(by: &Allowance, act: &Act, namespace: &Namespace, entry: &Entry) -> Result<(), StateError> {
    let object = entry.object(namespace);
    let attributes = || entry.attributes(namespace);
    let details = Details { attributes: Some(&attributes), arguments: None };
    match &act.needs {
        Some(needs) => by.check_for_with(needs, &object, details)?,
        None => by.check_with(&object, details)?,
    }
    Ok(())
}

const READ: Required = Required::parse("state:read");

/// May the caller see the entry's value? Who may only write learns nothing of what stands there.
pub(crate) fn may_read(by: &Allowance, namespace: &Namespace, entry: &Entry) -> Result<(), StateError> {
    let attributes = || entry.attributes(namespace);
    let details = Details { attributes: Some(&attributes), arguments: None };
    Ok(by.check_for_with(&READ, &entry.object(namespace), details)?)
}

/// Starts from the value that is there, so that what comes of it says something of that.
fn builds_on(deed: &Deed) -> bool {
    matches!(deed, Deed::Increment { .. } | Deed::Append { .. } | Deed::Patch(_))
}

/// How many entries and bytes come to the namespace.
fn grown(steps: &[Step<'_>]) -> (i64, i64) {
    steps.iter().fold((0, 0), |(entries, bytes), step| {
        let (more, larger) = step.after.as_ref().map_or((0, 0), |(entry, ..)| (1, entry.size));
        let (less, smaller) = step.before.map_or((0, 0), |entry| (1, entry.size));
        (entries + more - less, bytes + larger - smaller)
    })
}

fn lives_until(namespace: &Namespace, now: Timestamp) -> Option<Timestamp> {
    namespace.ttl_seconds.map(|seconds| now.plus(Duration::from_secs(seconds.unsigned_abs())))
}

fn put(entry: &mut Entry, namespace: &Namespace, now: Timestamp, whole: &Whole) {
    entry.description.clone_from(&whole.description);
    entry.tags.clone_from(&whole.tags);
    entry.visibility = whole.visibility.unwrap_or(namespace.default_visibility);
    entry.group = whole.group;
    entry.relevance = whole.relevance;
    entry.expires_at = whole.expires_at.or_else(|| lives_until(namespace, now));
}

fn patch(entry: &mut Entry, namespace: &Namespace, now: Timestamp, changes: &Changes) {
    changes.description.write(&mut entry.description, String::new);
    changes.tags.write(&mut entry.tags, Vec::new);
    changes.visibility.write(&mut entry.visibility, || namespace.default_visibility);
    changes.relevance.write(&mut entry.relevance, || 0);
    if !changes.group.is_kept() {
        entry.group = changes.group.set().copied();
    }
    if !changes.expires_at.is_kept() {
        entry.expires_at = changes.expires_at.set().copied().or_else(|| lives_until(namespace, now));
    }
}

/// The value after an act that starts from the one before.
fn advanced(deed: &Deed, old: Option<Value>, act: &Act) -> Result<Value, StateError> {
    let wrong =
        |found: &Value, wanted| StateError::Kind { key: act.key.to_string(), found: kind(found), wanted };
    match deed {
        Deed::Increment { by } => {
            let start = match &old {
                None => 0,
                Some(old) => old.as_i64().ok_or_else(|| wrong(old, "a whole number of 64 bits"))?,
            };
            start.checked_add(*by).map(Value::from).ok_or(StateError::Overflow)
        }
        Deed::Append { items, keep } => {
            let mut list = match old {
                None => Vec::new(),
                Some(Value::Array(list)) => list,
                Some(old) => return Err(wrong(&old, "a list")),
            };
            list.extend(items.iter().cloned());
            let surplus = keep.map_or(0, |keep| list.len().saturating_sub(keep));
            list.drain(..surplus);
            Ok(Value::Array(list))
        }
        Deed::Patch(changes) => Ok(match &changes.value {
            Patched::Kept => old.unwrap_or_default(),
            Patched::Unset => Value::Null,
            Patched::Set(Value::Object(members)) => {
                let mut target = match old {
                    Some(Value::Object(old)) => old,
                    _ => serde_json::Map::new(),
                };
                web::merge_patch(&mut target, members);
                Value::Object(target)
            }
            Patched::Set(value) => value.clone(),
        }),
        // Neither starts from what was there.
        Deed::Put(_) | Deed::Delete => Ok(old.unwrap_or_default()),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
