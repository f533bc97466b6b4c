//! Do the lists show what was recorded? The index can be rebuilt, so nothing guards its rows – but a list that hides a fact
//! is as good as a record without it. So whoever verifies the record has the lists held against it.

use std::collections::BTreeMap;

use db::{DbError, OrgScope, Value, sql};
use ledger::{Event, LedgerError};
use types::{FactId, Id};

use crate::index::{Entry, Index};
use crate::service::Inner;

/// Facts at once.
const PAGE: i64 = 250;
/// Terms a question; one length, so that its text is prepared once.
const TERMS: usize = 64;
/// A purge in the middle looks like a hidden fact; looked at again, it does not.
const LOOKS: usize = 3;

impl Inner {
    /// The first fact between these numbers that lists hide or show otherwise than it was recorded.
    pub(crate) async fn hidden(
        &self,
        scope: &OrgScope,
        mut first: u64,
        last: u64,
    ) -> Result<Option<FactId>, LedgerError> {
        let taken_in = self.ledger.taken_in::<Index>().await?;
        while first <= last {
            let mut looks = 0;
            let end = loop {
                let Some((end, mut events)) = self.ledger.run(scope, first, last, PAGE).await? else {
                    return Ok(None);
                };
                events.retain(|event| event.seq < taken_in);
                let odd = match self.odd_entry(scope, first, end, &events).await? {
                    None => self.without_terms(scope, &events).await?,
                    odd => odd,
                };
                looks += 1;
                match odd {
                    None => break end,
                    Some(fact) if looks == LOOKS => return Ok(Some(fact)),
                    Some(_) => {}
                }
            };
            first = end + 1;
        }
        Ok(None)
    }

    /// Forgets what the lists know of the organization, and has them read the record again.
    pub(crate) async fn rebuild(&self, scope: &OrgScope) -> Result<(), LedgerError> {
        let of_org =
            |table: &str| sql(format!("DELETE FROM {table} WHERE org = $1"), vec![scope.org().uuid().into()]);
        self.ledger.rewind::<Index>(vec![of_org("audit_index"), of_org("audit_terms")]).await
    }

    async fn odd_entry(
        &self,
        scope: &OrgScope,
        first: u64,
        end: u64,
        events: &[Event],
    ) -> Result<Option<FactId>, LedgerError> {
        let columns = Entry::COLUMNS;
        let text = format!("SELECT {columns} FROM audit_index WHERE org = $1 AND org_seq BETWEEN $2 AND $3");
        let params = vec![scope.org().uuid().into(), int(first).into(), int(end).into()];
        let rows = self.db.read(scope, sql(text, params)).await?;
        let shown = rows.into_iter().map(Entry::read).collect::<Result<Vec<_>, DbError>>();
        // A row that cannot be read shows nothing.
        let mut shown: BTreeMap<i64, Entry> =
            shown.unwrap_or_default().into_iter().map(|entry| (entry.org_seq, entry)).collect();
        for event in events {
            let entry = Entry::of(event);
            if shown.remove(&entry.org_seq).as_ref() != Some(&entry) {
                return Ok(Some(event.id));
            }
        }
        // What is younger than the cursor may be there already.
        let newest = events.last().map_or(0, |event| int(event.org_seq));
        Ok(shown.into_values().find(|entry| entry.org_seq < newest).map(|entry| entry.fact))
    }

    async fn without_terms(&self, scope: &OrgScope, events: &[Event]) -> Result<Option<FactId>, LedgerError> {
        let of = |event: &Event| {
            let (id, at, seq) = (event.id, event.occurred_at, int(event.org_seq));
            let terms = self.index.terms(event).into_iter();
            terms.map(move |term| (id, [term.into(), at.into(), seq.into()])).collect::<Vec<_>>()
        };
        let terms: Vec<(FactId, [Value; 3])> = events.iter().flat_map(of).collect();
        for some in terms.chunks(TERMS) {
            if self.count_terms(scope, some).await? == some.len() {
                continue;
            }
            for one in some.chunks(1) {
                if self.count_terms(scope, one).await? == 0 {
                    return Ok(one.first().map(|(fact, _)| *fact));
                }
            }
        }
        Ok(None)
    }

    async fn count_terms(&self, scope: &OrgScope, terms: &[(FactId, [Value; 3])]) -> Result<usize, DbError> {
        let length = if terms.len() == 1 { 1 } else { TERMS };
        let places: Vec<String> = (0..length)
            .map(|place| 2 + 3 * place)
            .map(|at| format!("(term = ${at} AND occurred_at = ${} AND org_seq = ${})", at + 1, at + 2))
            .collect();
        let text = format!("SELECT count(*) FROM audit_terms WHERE org = $1 AND ({})", places.join(" OR "));
        // The rest of the length asks for the last one again.
        let asked = terms.iter().chain(std::iter::repeat(&terms[terms.len() - 1])).take(length);
        let params = asked.flat_map(|(_, values)| values.clone());
        let params = std::iter::once(scope.org().uuid().into()).chain(params).collect();
        let row = self.db.read_one(scope, sql(text, params)).await?;
        let count: i64 = row.map_or(Ok(0), |mut row| row.next())?;
        Ok(usize::try_from(count).unwrap_or_default())
    }
}

fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
