//! An organization's way out: deleted, it stands in its grace for 30 days and can be restored.

use std::time::Duration;

use db::Change;
use serde_json::json;
use web::{Allowance, Decided};

use super::{OrgRef, entry, scope_of};
use crate::{Org, OrgStanding, People, PeopleError, facts, store};

const GRACE: Duration = Duration::from_secs(30 * 24 * 3600);

impl People {
    /// Begins the grace; whoever asks has typed the slug. No agent may be active, and none becomes active meanwhile.
    pub(crate) async fn delete_org(
        &self,
        by: &Allowance,
        of: &OrgRef,
        typed: &str,
    ) -> Result<Decided<Org>, PeopleError> {
        let inner = self.inner();
        let mut org = self.find_org(by, of).await?;
        by.expect_revision(org.revision)?;
        if typed != org.slug {
            let reason = format!("type the organization's slug, {:?}", org.slug);
            return Err(PeopleError::Invalid { field: "/slug", reason });
        }
        if org.home {
            return Err(PeopleError::HomeOrg);
        }
        if org.standing != OrgStanding::Active {
            return Err(PeopleError::OrgLeaving);
        }
        let agents = store::active_agents(&inner.db, scope_of(by, &org), org.id).await?;
        if agents > 0 {
            return Err(PeopleError::ActiveAgents(agents));
        }
        let erase_after = inner.world.now().plus(GRACE);
        let told = |of| {
            by.fact_in(of, &facts::ORG_LEAVING)
                .target("org", org.id, &org.name)
                .data(json!({ "slug": org.slug, "erase_after": erase_after }))
        };
        let mut change = Change::new(scope_of(by, &org), inner.ledger.seal(told(org.id)).await?);
        if org.id != by.org() {
            change = change.fact(inner.ledger.seal(told(by.org())).await?);
        }
        let change = change
            .guard_count("orgs", org.id, org.revision)
            .statement(store::let_go(org.id, erase_after))
            .authority(entry(&org));
        org.standing = OrgStanding::Leaving { erase_after };
        org.revision += 1;
        Ok(Decided::new(change, org))
    }

    /// Ends the grace in the organization's favour.
    pub(crate) async fn restore_org(&self, by: &Allowance, of: &OrgRef) -> Result<Decided<Org>, PeopleError> {
        let mut org = self.find_org(by, of).await?;
        by.expect_revision(org.revision)?;
        match org.standing {
            OrgStanding::Leaving { .. } => {}
            OrgStanding::Active => return Err(PeopleError::OrgActive),
            OrgStanding::Erasing => return Err(PeopleError::OrgLeaving),
        }
        let fact = by
            .fact_in(org.id, &facts::ORG_RESTORED)
            .target("org", org.id, &org.name)
            .data(json!({ "slug": org.slug }));
        let change = Change::new(scope_of(by, &org), self.inner().ledger.seal(fact).await?)
            .statement(store::restore(&org))
            .authority(entry(&org));
        org.standing = OrgStanding::Active;
        org.revision += 1;
        Ok(Decided::new(change, org))
    }
}
