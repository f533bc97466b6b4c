//! The reader of the ledger that keeps what lists filter by. Addresses, agents and words of names are kept as keyed
//! hashes: whoever reads the tables learns nothing of them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crypto::mac::MacKey;
use db::{DbError, Row, Statement, Value};
use ledger::{ActorKind, Event, LedgerError, LedgerReader, insert_many};
use secrets::Keyring;
use types::{FactId, Id, OrgId, RunId, Timestamp, TokenId, TxnId};

/// Bytes of a term that are kept: enough that none is found by chance.
const TERM: usize = 16;

/// Makes terms and takes events in; clones share nothing but the key.
#[derive(Clone)]
pub struct Index {
    key: std::sync::Arc<MacKey>,
}

/// What a list can ask for that is not a clear column.
pub(crate) enum Term<'a> {
    Ip(IpAddr),
    Agent(&'a str),
    Word(&'a str),
}

impl Index {
    pub fn new(keyring: &Keyring) -> Self {
        Self { key: std::sync::Arc::new(keyring.derive("audit index")) }
    }

    pub(crate) fn term(&self, org: OrgId, term: &Term<'_>) -> Vec<u8> {
        let (kind, text) = match term {
            Term::Ip(ip) => ("ip", ip.to_canonical().to_string()),
            Term::Agent(id) => ("agent", (*id).to_owned()),
            Term::Word(word) => ("word", (*word).to_owned()),
        };
        let org = org.uuid();
        self.key.tag(&[org.as_bytes(), kind.as_bytes(), &[0], text.as_bytes()])[..TERM].to_vec()
    }

    pub(crate) fn terms(&self, event: &Event) -> BTreeSet<Vec<u8>> {
        let mut terms = BTreeSet::new();
        terms.extend(event.ip.map(|ip| self.term(event.org, &Term::Ip(ip))));
        for actor in std::iter::once(&event.actor).chain(&event.act).chain(&event.on_behalf_of) {
            if let (ActorKind::Agent, Some(id)) = (actor.kind, &actor.id) {
                terms.insert(self.term(event.org, &Term::Agent(id)));
            }
        }
        let target = event.target.as_ref().map_or("", |target| &target.name);
        for word in words(&event.actor.display).chain(words(target)) {
            terms.insert(self.term(event.org, &Term::Word(&word)));
        }
        terms
    }
}

/// Case-folded words of a name.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(|character: char| !character.is_alphanumeric());
    parts.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

impl LedgerReader for Index {
    const NAME: &'static str = "audit_index";

    async fn take(&self, events: &[Event]) -> Result<Vec<Statement>, LedgerError> {
        let mut rows = Vec::with_capacity(events.len());
        let mut terms = Vec::with_capacity(events.len() * 3);
        for event in events {
            let entry = Entry::of(event);
            for term in self.terms(event) {
                let place = [entry.occurred_at.into(), entry.org_seq.into()];
                terms.push([event.org.uuid().into(), term.into()].into_iter().chain(place).collect());
            }
            rows.push(entry.values(event.org));
        }
        // A crash between keeping and answering brings events again.
        let again = " ON CONFLICT DO NOTHING";
        let index = format!("INSERT INTO audit_index (org, {}) VALUES ", Entry::COLUMNS);
        let mut statements = insert_many(&index, again, rows);
        statements.extend(insert_many(
            "INSERT INTO audit_terms (org, term, occurred_at, org_seq) VALUES ",
            again,
            terms,
        ));
        Ok(statements)
    }
}

/// What the index says of one fact.
#[derive(Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) org_seq: i64,
    pub(crate) fact: FactId,
    occurred_at: Timestamp,
    kind: String,
    outcome: String,
    severity: String,
    actor: Option<String>,
    target: Option<String>,
    jti: Option<TokenId>,
    txn: Option<TxnId>,
    run: Option<RunId>,
}

impl Entry {
    /// In the order of `read`.
    pub(crate) const COLUMNS: &'static str =
        "org_seq, fact, occurred_at, kind, outcome, severity, actor_id, target_id, jti, txn, run";

    pub(crate) fn of(event: &Event) -> Self {
        Self {
            org_seq: i64::try_from(event.org_seq).unwrap_or(i64::MAX),
            fact: event.id,
            occurred_at: event.occurred_at,
            kind: event.kind.clone(),
            outcome: event.outcome.name().into(),
            severity: event.severity.name().into(),
            actor: event.actor.id.clone(),
            target: event.target.as_ref().map(|target| target.id.clone()),
            jti: event.jti,
            txn: event.txn,
            run: event.run,
        }
    }

    pub(crate) fn read(mut row: Row) -> Result<Self, DbError> {
        Ok(Self {
            org_seq: row.next()?,
            fact: row.id()?,
            occurred_at: row.next()?,
            kind: row.next()?,
            outcome: row.next()?,
            severity: row.next()?,
            actor: row.next()?,
            target: row.next()?,
            jti: row.optional_id()?,
            txn: row.optional_id()?,
            run: row.optional_id()?,
        })
    }

    fn values(self, org: OrgId) -> Vec<Value> {
        vec![
            org.uuid().into(),
            self.org_seq.into(),
            self.fact.uuid().into(),
            self.occurred_at.into(),
            self.kind.into(),
            self.outcome.into(),
            self.severity.into(),
            self.actor.into(),
            self.target.into(),
            self.jti.map(Id::uuid).into(),
            self.txn.map(Id::uuid).into(),
            self.run.map(Id::uuid).into(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_case_folded_words() {
        let found: Vec<String> = words("  Ärger-Bot 7 (prod)").collect();
        assert_eq!(found, ["ärger", "bot", "7", "prod"]);
        assert_eq!(words("--- ").count(), 0);
    }
}
