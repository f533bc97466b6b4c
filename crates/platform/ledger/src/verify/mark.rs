//! How far a check found everything whole. Tagged under a key outside the database, so that nobody with raw SQL can say
//! that a check went further than it did.

use db::{Bookkeeping, SystemScope, sql};
use merkle::Hash;
use types::{Id, OrgId, Uuid};

use crate::store::{int, number};
use crate::{Inner, LedgerError};

const SCOPE: SystemScope = SystemScope::new("ledger verification");

pub(super) struct Mark {
    /// Last number that was checked; leaves of the log for the check of the instance.
    pub(super) at: u64,
    /// The organization's chain behind it; the log's root for the check of the instance.
    pub(super) hash: Hash,
}

/// None if there is none, or none of ours.
pub(super) async fn load(ledger: &Inner, org: Option<OrgId>) -> Result<Option<Mark>, LedgerError> {
    let text = "SELECT org_seq, chain, tag FROM verified_marks WHERE org = $1";
    let row = ledger.db.read_one(SCOPE, sql(text, vec![column(org).into()])).await?;
    let Some(mut row) = row else { return Ok(None) };
    let mark = Mark { at: number(&mut row)?, hash: row.next()? };
    let tag: Vec<u8> = row.next()?;
    Ok(if crypto::eq(&tag_of(ledger, org, &mark), &tag) { Some(mark) } else { None })
}

pub(super) async fn save(ledger: &Inner, org: Option<OrgId>, mark: &Mark) -> Result<(), LedgerError> {
    let text = "INSERT INTO verified_marks (org, org_seq, chain, tag) VALUES ($1, $2, $3, $4) \
                ON CONFLICT (org) DO UPDATE SET org_seq = excluded.org_seq, chain = excluded.chain, tag = excluded.tag";
    let tag = tag_of(ledger, org, mark);
    let params = vec![column(org).into(), int(mark.at).into(), mark.hash.into(), tag.into()];
    Ok(ledger.db.keep(Bookkeeping::new(SCOPE).statement(sql(text, params))).await.map(drop)?)
}

fn tag_of(ledger: &Inner, org: Option<OrgId>, mark: &Mark) -> [u8; 32] {
    let key = ledger.keyring.derive("ledger/verified-marks");
    key.tag(&[column(org).as_bytes(), &mark.at.to_be_bytes(), &mark.hash])
}

/// The whole log stands under the nil UUID, which no organization has.
fn column(org: Option<OrgId>) -> Uuid {
    org.map_or(Uuid::nil(), Id::uuid)
}
