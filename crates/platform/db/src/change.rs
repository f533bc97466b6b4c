//! The two kinds of write, as values.

use std::collections::{BTreeMap, BTreeSet};

use types::{OrgId, Uuid};

use crate::{FactRow, Scope, Statement, Value, sql};

/// Alters identity, authority or configuration, or ends an act. Shipped whole by [`crate::Db::commit`].
#[derive(Clone)]
pub struct Change {
    pub(crate) scope: Scope,
    pub(crate) facts: Vec<FactRow>,
    pub(crate) guards: Vec<Guard>,
    pub(crate) statements: Vec<Statement>,
    pub(crate) books: Vec<Statement>,
    pub(crate) authority: Vec<AuthorityEntry>,
    pub(crate) at_revision: Vec<Statement>,
    pub(crate) wakes_queue: bool,
}

/// `(table, id, revision)` of a row whose state the decision relied on: held until the change is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    pub(crate) table: &'static str,
    pub(crate) id: Uuid,
    /// `None`: whatever it is; only for those who advance it.
    pub(crate) revision: Option<i64>,
    /// Whether counting below this row was part of the decision: then only one such change at a time.
    pub(crate) exclusive: bool,
}

/// One line of the authority log (spec: "by revision, never by clock"). `dead`: tokens whose `rev` is older die.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityEntry {
    pub org: OrgId,
    /// What `key` is: `agent`, `user`, `group`, `role`, `credential`, `api_key`, `token`, `run`, `client`, `keys`.
    pub kind: &'static str,
    pub key: Uuid,
    pub dead: bool,
}

/// What a commit left behind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The revision that the change's authority entries got, if it had any.
    pub authority_revision: Option<i64>,
}

impl Change {
    /// A change says what happened before it says how: no change without a fact.
    pub fn new(scope: impl Into<Scope>, fact: FactRow) -> Self {
        Self {
            scope: scope.into(),
            facts: vec![fact],
            guards: Vec::new(),
            statements: Vec::new(),
            books: Vec::new(),
            authority: Vec::new(),
            at_revision: Vec::new(),
            wakes_queue: false,
        }
    }

    /// The fact that others of this change may name as their cause.
    pub fn first_fact(&self) -> types::FactId {
        // A change has at least one fact by construction.
        self.facts[0].id
    }

    #[must_use]
    pub fn fact(mut self, fact: FactRow) -> Self {
        self.facts.push(fact);
        self
    }

    #[must_use]
    pub fn statement(mut self, statement: Statement) -> Self {
        self.statements.push(statement);
        self
    }

    #[must_use]
    pub fn statements(mut self, statements: impl IntoIterator<Item = Statement>) -> Self {
        self.statements.extend(statements);
        self
    }

    /// The row must still have this revision when the change is made.
    #[must_use]
    pub fn guard(mut self, table: &'static str, id: impl types::Id, revision: i64) -> Self {
        self.guards.push(Guard { table, id: id.uuid(), revision: Some(revision), exclusive: false });
        self
    }

    /// As [`Change::guard`], and no other change that guards this row exclusively runs beside it. The row's revision is
    /// advanced, so that whoever counted on the old state decides again.
    #[must_use]
    pub fn guard_count(mut self, table: &'static str, id: impl types::Id, revision: i64) -> Self {
        self.guards.push(Guard { table, id: id.uuid(), revision: Some(revision), exclusive: true });
        self
    }

    /// The row's revision is advanced, whatever it is: whoever guards it with the old one decides again. Done in the order
    /// of the guards, which a statement of the change's own would not keep.
    #[must_use]
    pub fn advance(mut self, table: &'static str, id: impl types::Id) -> Self {
        self.guards.push(Guard { table, id: id.uuid(), revision: None, exclusive: true });
        self
    }

    /// Bookkeeping that must be there exactly when the change is.
    #[must_use]
    pub fn with(mut self, statement: Statement) -> Self {
        self.books.push(statement);
        self
    }

    #[must_use]
    pub fn authority(mut self, entry: AuthorityEntry) -> Self {
        self.authority.push(entry);
        self
    }

    /// A statement that reads its change's own revision from `authority_head`: it runs after the entries, while nobody
    /// else can advance it. Only for a change that has entries.
    #[must_use]
    pub fn at_revision(mut self, statement: Statement) -> Self {
        self.at_revision.push(statement);
        self
    }

    /// Workers are woken after the commit.
    #[must_use]
    pub fn wake_queue(mut self) -> Self {
        self.wakes_queue = true;
        self
    }

    /// Whether it may share a transaction: what guards rows or moves the authority log does not wait for others.
    pub(crate) fn is_plain(&self) -> bool {
        self.guards.is_empty() && self.authority.is_empty()
    }

    /// Both or neither. Only for plain ones of one scope.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.facts.extend(other.facts);
        self.statements.extend(other.statements);
        self.books.extend(other.books);
        self.wakes_queue |= other.wakes_queue;
        self
    }

    pub(crate) fn ordered_guards(&mut self) -> Vec<Guard> {
        ordered(std::mem::take(&mut self.guards))
    }

    /// What follows the guards, in the order in which both engines run it.
    pub(crate) fn flight(&mut self) -> Vec<Statement> {
        let mut all: Vec<Statement> = Vec::with_capacity(self.statements.len() + self.books.len() + 2);
        all.append(&mut self.statements);
        all.append(&mut self.books);
        all.extend(self.take_announcement().statements());
        all
    }

    /// What of it everybody else's revocations wait for, taken out.
    pub(crate) fn take_announcement(&mut self) -> Announcement {
        Announcement {
            at: self.facts.first().map(|fact| fact.occurred_at),
            entries: std::mem::take(&mut self.authority),
            at_revision: std::mem::take(&mut self.at_revision),
        }
    }
}

/// Entries of the authority log and what reads their revision. From its first statement to the COMMIT nobody else of the
/// installation can make one.
#[derive(Default)]
pub(crate) struct Announcement {
    at: Option<types::Timestamp>,
    entries: Vec<AuthorityEntry>,
    at_revision: Vec<Statement>,
}

impl Announcement {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Both under one revision. What is said twice is said once.
    pub(crate) fn join(&mut self, other: Self) {
        if self.is_empty() {
            self.at = other.at;
        }
        for entry in other.entries {
            if !self.entries.contains(&entry) {
                self.entries.push(entry);
            }
        }
        self.at_revision.extend(other.at_revision);
    }

    pub(crate) fn statements(self) -> Vec<Statement> {
        let mut all = Vec::with_capacity(self.entries.len() + self.at_revision.len() + 1);
        let at = self.at.unwrap_or(types::Timestamp::from_millis(0));
        if !self.entries.is_empty() {
            all.push(sql("UPDATE authority_head SET revision = revision + 1", vec![]).fresh());
        }
        all.extend(self.entries.iter().enumerate().map(|(ordinal, entry)| entry.insert(ordinal, at)));
        all.extend(self.at_revision);
        all
    }
}

/// By table and id, so that racers never wait in a circle – and a row that is to be advanced is never held shared first:
/// two who did would each wait for the other to let go.
fn ordered(guards: Vec<Guard>) -> Vec<Guard> {
    let mut rows: BTreeMap<(&'static str, Uuid), (bool, BTreeSet<i64>)> = BTreeMap::new();
    for guard in guards {
        let (exclusive, revisions) = rows.entry((guard.table, guard.id)).or_default();
        *exclusive |= guard.exclusive;
        revisions.extend(guard.revision);
    }
    let guards_of = |((table, id), (exclusive, revisions)): (_, (bool, BTreeSet<i64>))| {
        let guard = move |revision| Guard { table, id, revision, exclusive };
        // Of two revisions one is stale; the newest first, since the next is that of the row once advanced.
        let known: Vec<Guard> = revisions.into_iter().rev().map(|revision| guard(Some(revision))).collect();
        if known.is_empty() { vec![guard(None)] } else { known }
    };
    rows.into_iter().flat_map(guards_of).collect()
}

impl Guard {
    /// The UPDATE takes the row lock on PostgreSQL and fails for everybody who read the revision before.
    pub(crate) fn advance(&self) -> Statement {
        let head = format!("UPDATE {} SET revision = revision + 1 WHERE id = $1", self.table);
        match self.revision {
            Some(revision) => {
                sql(format!("{head} AND revision = $2"), vec![self.id.into(), revision.into()]).fresh()
            }
            None => sql(head, vec![self.id.into()]).fresh(),
        }
    }
}

impl AuthorityEntry {
    /// Something about it is another: whoever keeps it reads it anew.
    pub fn changed(org: OrgId, kind: &'static str, key: Uuid) -> Self {
        Self { org, kind, key, dead: false }
    }

    /// And every token of before dies with it.
    #[must_use]
    pub fn died(self) -> Self {
        Self { dead: true, ..self }
    }

    fn insert(&self, ordinal: usize, at: types::Timestamp) -> Statement {
        sql(
            "INSERT INTO authority_log (revision, ordinal, org, kind, key, dead, at) \
             SELECT revision, $1, $2, $3, $4, $5, $6 FROM authority_head",
            vec![
                Value::Int(i64::try_from(ordinal).unwrap_or(i64::MAX)),
                types::Id::uuid(self.org).into(),
                self.kind.into(),
                self.key.into(),
                self.dead.into(),
                at.into(),
            ],
        )
    }
}

/// Leases, heartbeats, log segments, cursors, counters, last use, idempotency: writes that no reader of the ledger needs
/// to hear of. Only tables on the list in `xtask` may be touched.
pub struct Bookkeeping {
    pub(crate) scope: Scope,
    pub(crate) statements: Vec<Statement>,
    pub(crate) wakes_queue: bool,
}

impl Bookkeeping {
    pub fn new(scope: impl Into<Scope>) -> Self {
        Self { scope: scope.into(), statements: Vec::new(), wakes_queue: false }
    }

    #[must_use]
    pub fn statement(mut self, statement: Statement) -> Self {
        self.statements.push(statement);
        self
    }

    #[must_use]
    pub fn wake_queue(mut self) -> Self {
        self.wakes_queue = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use types::{FactId, Id, World};

    use super::*;

    #[test]
    fn a_row_is_held_in_one_way_only() {
        let world = World::system();
        let (row, other) = (world.id::<FactId>().uuid(), world.id::<FactId>().uuid());
        let guard = |table, id, revision, exclusive| Guard { table, id, revision, exclusive };
        let asked = vec![
            guard("b", row, Some(2), false),
            guard("b", row, Some(2), true),
            guard("b", other, Some(7), false),
            guard("a", row, None, true),
            guard("b", row, None, true),
            guard("b", row, Some(1), false),
        ];
        let held = vec![
            guard("a", row, None, true),
            guard("b", row, Some(2), true),
            guard("b", row, Some(1), true),
            guard("b", other, Some(7), false),
        ];
        assert_eq!(ordered(asked), held);
    }
}
