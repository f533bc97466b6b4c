//! Giving a role or a permission to a principal that exists.

use db::{Change, CommitError, Db, SystemScope};
use ledger::{Actor, Fact, Ledger, LedgerError};
use problem::Problem;
use serde_json::json;
use types::{OrgId, World};

use crate::groups::news;
use crate::{Gift, HolderId, facts, give};

const PURPOSE: SystemScope = SystemScope::new("grants");

#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<GrantError> for Problem {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Ledger(error) => error.into(),
            GrantError::Commit(error) => error.into(),
        }
    }
}

/// In force when it returns. The caller has made sure that `by` may give it.
pub async fn grant(
    db: &Db,
    ledger: &Ledger,
    world: &World,
    org: OrgId,
    to: impl Into<HolderId>,
    gift: &Gift,
    by: Actor,
) -> Result<(), GrantError> {
    let to = to.into();
    let (role, permission) = match gift {
        Gift::Role(name) => (Some(name.clone()), None),
        Gift::Permission(permission) => (None, Some(permission.to_string())),
    };
    let granted_by = by.id.clone().unwrap_or_default();
    let data = json!({ "principal": to.to_string(), "role": role, "permission": permission });
    let fact = Fact::new(&facts::ROLE_GRANTED, org, by).target(to.kind(), to, "").data(data);
    let change = Change::new(PURPOSE, ledger.seal(fact).await?)
        .statement(give(world, org, to, gift, &granted_by, world.now()))
        .authority(news(org, to));
    db.commit(change).await?;
    Ok(())
}
