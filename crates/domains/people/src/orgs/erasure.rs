//! What becomes of an organization after its grace. In one round everybody is put out; in a later one, when nothing that
//! was under way can write any more, its rows and facts go and its data keys with them. What copies and backups still
//! hold, nobody can read again. The leaves stay in the log as hashes, and the home organization's ledger says what
//! happened.

use db::{Change, CommitError};
use ledger::{Actor, Fact};
use serde_json::json;
use types::OrgId;

use super::entry;
use crate::service::INSTANCE;
use crate::{Org, OrgStanding, People, PeopleError, facts, store};

impl People {
    /// One round: called every minute by the sweeper. What fails is tried again in the next.
    pub async fn erase_left(&self) {
        if let Err(error) = self.try_erase_left().await {
            tracing::warn!(%error, "organizations whose grace is over were not looked after");
        }
    }

    async fn try_erase_left(&self) -> Result<(), PeopleError> {
        let inner = self.inner();
        for org in store::orgs_to_erase(&inner.db, INSTANCE, inner.world.now()).await? {
            let done = match org.standing {
                OrgStanding::Active => Ok(()),
                OrgStanding::Leaving { .. } => self.close(&org).await,
                OrgStanding::Erasing => self.erase(&org).await,
            };
            match done {
                // Restored in this very moment, or another node was faster.
                Err(PeopleError::Commit(CommitError::Stale)) | Ok(()) => {}
                Err(error) => tracing::warn!(org = %org.id, %error, "an organization is not erased yet"),
            }
        }
        Ok(())
    }

    /// Sessions end, tokens are void, in the organization's own ledger as its last word and in the home organization's.
    async fn close(&self, org: &Org) -> Result<(), PeopleError> {
        let inner = self.inner();
        let told = |of: OrgId| {
            Fact::new(&facts::ORG_CLOSED, of, Actor::system("people"))
                .target("org", org.id, &org.name)
                .data(json!({ "org": org.id, "slug": org.slug }))
        };
        let home = self.home().await?;
        let change = Change::new(INSTANCE, inner.ledger.seal(told(org.id)).await?)
            .fact(inner.ledger.seal(told(home.id)).await?)
            .statement(store::close(org))
            .statement(store::end_sessions_of_org(org.id, inner.world.now()))
            .authority(entry(org).died());
        inner.db.commit(change).await?;
        Ok(())
    }

    async fn erase(&self, org: &Org) -> Result<(), PeopleError> {
        let inner = self.inner();
        // Only what has its place in the log can be erased: then the log can say that it was there.
        inner.ledger.drain().await?;
        let home = self.home().await?;
        let rows = store::erase(&inner.db, org.id);
        let change = inner.ledger.extinguish(org.id, &org.slug, home.id, rows).await?;
        inner.db.commit(change.authority(entry(org).died())).await?;
        inner.keyring.forget(org.id);
        Ok(())
    }
}
