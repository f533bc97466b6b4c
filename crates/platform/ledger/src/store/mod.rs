//! The ledger's SQL. Both databases share each text, except where the order of insertion is read.

/// The clear columns, in the order in which [`StoredFact::read`] takes them.
macro_rules! clear_columns {
    ($table:literal) => {
        concat!(
            $table,
            "id, ",
            $table,
            "org, ",
            $table,
            "occurred_at, ",
            $table,
            "kind, ",
            $table,
            "outcome, ",
            $table,
            "severity, ",
            $table,
            "actor_kind, ",
            $table,
            "actor_id, ",
            $table,
            "target_type, ",
            $table,
            "target_id, ",
            $table,
            "jti, ",
            $table,
            "txn, ",
            $table,
            "credential, ",
            $table,
            "run, ",
            $table,
            "request, ",
            $table,
            "cause, ",
            $table,
            "private_hash"
        )
    };
}

mod head;
mod log;
mod logged;

use db::{DbError, Row, SystemScope};
use evidence::Clear;
use merkle::Hash;
use types::{CredentialId, FactId, OrgId, RequestId, RunId, Timestamp, TokenId, TxnId};

pub(crate) use head::*;
pub(crate) use log::*;
pub(crate) use logged::*;

pub(crate) const SEQUENCER: SystemScope = SystemScope::new("sequencer");

/// A fact as it lies in the table, without its private part.
#[derive(Clone, Debug)]
pub(crate) struct StoredFact {
    pub(crate) id: FactId,
    pub(crate) org: OrgId,
    pub(crate) occurred_at: Timestamp,
    pub(crate) kind: String,
    pub(crate) outcome: String,
    pub(crate) severity: String,
    pub(crate) actor_kind: String,
    pub(crate) actor_id: Option<String>,
    pub(crate) target_type: Option<String>,
    pub(crate) target_id: Option<String>,
    pub(crate) jti: Option<TokenId>,
    pub(crate) txn: Option<TxnId>,
    pub(crate) credential: Option<CredentialId>,
    pub(crate) run: Option<RunId>,
    pub(crate) request: Option<RequestId>,
    pub(crate) cause: Option<FactId>,
    pub(crate) private_hash: Hash,
}

impl StoredFact {
    /// None where a LEFT JOIN found no fact.
    pub(crate) fn read(row: &mut Row) -> Result<Option<Self>, DbError> {
        let Some(id) = row.optional_id()? else { return Ok(None) };
        Ok(Some(Self {
            id,
            org: row.id()?,
            occurred_at: row.next()?,
            kind: row.next()?,
            outcome: row.next()?,
            severity: row.next()?,
            actor_kind: row.next()?,
            actor_id: row.next()?,
            target_type: row.next()?,
            target_id: row.next()?,
            jti: row.optional_id()?,
            txn: row.optional_id()?,
            credential: row.optional_id()?,
            run: row.optional_id()?,
            request: row.optional_id()?,
            cause: row.optional_id()?,
            private_hash: row.next()?,
        }))
    }

    pub(crate) fn clear(&self) -> Clear<'_> {
        Clear {
            id: self.id,
            org: self.org,
            occurred_at: self.occurred_at,
            kind: &self.kind,
            outcome: &self.outcome,
            severity: &self.severity,
            actor_kind: &self.actor_kind,
            actor_id: self.actor_id.as_deref(),
            target_type: self.target_type.as_deref(),
            target_id: self.target_id.as_deref(),
            jti: self.jti,
            txn: self.txn,
            credential: self.credential,
            run: self.run,
            request: self.request,
            cause: self.cause,
            private_hash: self.private_hash,
        }
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) seq: u64,
    pub(crate) org: OrgId,
    pub(crate) org_seq: u64,
    pub(crate) fact: FactId,
    pub(crate) entry: Hash,
    pub(crate) previous: Hash,
}

/// Signed numbers of the database; ours are never negative.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn number(row: &mut Row) -> Result<u64, DbError> {
    let number: i64 = row.next()?;
    u64::try_from(number).map_err(|_| DbError::Internal(format!("{number} where a count is expected")))
}

pub(crate) fn read_leaf(row: &mut Row) -> Result<Leaf, DbError> {
    Ok(Leaf {
        seq: number(row)?,
        org: row.id()?,
        org_seq: number(row)?,
        fact: row.id()?,
        entry: row.next()?,
        previous: row.next()?,
    })
}
