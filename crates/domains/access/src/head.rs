//! What decisions about giving rights rely on: one row per organization, advanced whenever somebody may lose a right.
//!
//! Whoever gives reads the head first, then – from the database, not from the index, which another node may be ahead of –
//! what the giver holds, and guards the head in the change. A right that was taken before the change is made stops it.

use authority::Authority;
use db::{Change, Db, DbError, OrgScope, Statement, sql};
use problem::Problem;
use types::{Id, OrgId};
use web::{Allowance, Caller};

use crate::{Access, HolderId, held_by, store};

/// The organization's head as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    org: OrgId,
    revision: i64,
}

impl Head {
    /// The change only holds if nobody lost a right since the head was read.
    #[must_use]
    pub fn relied_on(self, change: Change) -> Change {
        change.guard("access_heads", self.org, self.revision)
    }

    /// As [`Head::relied_on`], and the change itself takes rights: of several such, each decides after the other.
    #[must_use]
    pub fn advanced(self, change: Change) -> Change {
        change.guard_count("access_heads", self.org, self.revision)
    }
}

/// Somebody who gives rights, with what they hold at this very moment.
pub struct Giver {
    held: Authority,
    pub head: Head,
}

impl Giver {
    /// Nobody grants what they do not hold.
    pub fn holds(&self, asked: &Authority) -> Result<(), Problem> {
        held_by(asked, &self.held)
    }

    pub fn held(&self) -> &Authority {
        &self.held
    }
}

impl Access {
    pub async fn head(&self, scope: &OrgScope) -> Result<Head, Problem> {
        Ok(head(&self.inner().db, scope).await?)
    }

    /// What the caller can give: everything that everybody in its chain holds now and its token lets through.
    pub async fn giver(&self, by: &Allowance) -> Result<Giver, Problem> {
        let scope = by.scope();
        let head = self.head(&scope).await?;
        let caller = by.caller();
        let mut held = self.fresh(&scope, caller, 0).await?;
        for place in 1..caller.links().count() {
            held = held.intersect(&self.fresh(&scope, caller, place).await?);
        }
        if let Some(limit) = caller.scope.as_deref() {
            held = held.intersect(limit);
        }
        Ok(Giver { held, head })
    }

    /// What a holder has at this very moment, itself and through its groups; never behind another node.
    pub async fn authority_now(
        &self,
        scope: &OrgScope,
        holder: impl Into<HolderId>,
    ) -> Result<Authority, Problem> {
        let sources = store::sources_of(&self.inner().db, scope, scope.org(), holder.into().uuid()).await?;
        Ok(sources.authority())
    }

    async fn fresh(&self, scope: &OrgScope, caller: &Caller, place: usize) -> Result<Authority, Problem> {
        let Some(link) = caller.links().nth(place) else { return Ok(Authority::none()) };
        self.authority_now(scope, link.principal).await
    }
}

async fn head(db: &Db, scope: &OrgScope) -> Result<Head, DbError> {
    let org = scope.org();
    let select = sql("SELECT revision FROM access_heads WHERE id = $1", vec![org.uuid().into()]);
    let row = db.read_one(scope, select).await?;
    // Without a head nothing is given: revision 0 is never met.
    let revision = row.map_or(Ok(0), |mut row| row.next())?;
    Ok(Head { org, revision })
}

/// For changes that take rights whatever the head says.
pub(crate) fn advance(change: Change, org: OrgId) -> Change {
    change.advance("access_heads", org)
}

/// The head of an organization that is being founded.
pub(crate) fn insert_head(org: OrgId) -> Statement {
    let id = org.uuid();
    sql("INSERT INTO access_heads (org, id, revision) VALUES ($1, $2, 1)", vec![id.into(), id.into()])
}
