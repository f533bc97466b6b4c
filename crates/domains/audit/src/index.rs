//! The reader of the ledger that keeps what lists filter by. Addresses, agents and words of names are kept as keyed
//! hashes: whoever reads the tables learns nothing of them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crypto::mac::MacKey;
use db::{Statement, Value};
use ledger::{ActorKind, Event, LedgerError, LedgerReader, insert_many};
use secrets::Keyring;
use types::{Id, OrgId};

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

    fn terms(&self, event: &Event) -> BTreeSet<Vec<u8>> {
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
            let place: [Value; 2] = [event.occurred_at.into(), number(event.org_seq)];
            for term in self.terms(event) {
                let [at, seq] = place.clone();
                terms.push(vec![event.org.uuid().into(), term.into(), at, seq]);
            }
            rows.push(row(event));
        }
        // A crash between keeping and answering brings events again.
        let again = " ON CONFLICT DO NOTHING";
        let index = "INSERT INTO audit_index (org, org_seq, fact, occurred_at, kind, outcome, severity, actor_id, \
                     target_id, jti, txn, run) VALUES ";
        let mut statements = insert_many(index, again, rows);
        statements.extend(insert_many(
            "INSERT INTO audit_terms (org, term, occurred_at, org_seq) VALUES ",
            again,
            terms,
        ));
        Ok(statements)
    }
}

fn row(event: &Event) -> Vec<Value> {
    vec![
        event.org.uuid().into(),
        number(event.org_seq),
        event.id.uuid().into(),
        event.occurred_at.into(),
        event.kind.as_str().into(),
        event.outcome.name().into(),
        event.severity.name().into(),
        event.actor.id.clone().into(),
        event.target.as_ref().map(|target| target.id.clone()).into(),
        event.jti.map(Id::uuid).into(),
        event.txn.map(Id::uuid).into(),
        event.run.map(Id::uuid).into(),
    ]
}

fn number(value: u64) -> Value {
    Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
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
