//! Roles that follow somebody else's word, such as the groups of a directory: in both directions, and only those that came by
//! the same word. What an administrator gave by hand is neither given twice nor taken.

use db::{Change, DbError, Scope, sql};
use types::{Id, OrgId, Timestamp, UserId};

use crate::groups::news;
use crate::head::advance;
use crate::{Access, Gift, HolderId, store};

/// What must change.
#[derive(Debug)]
pub struct Following {
    org: OrgId,
    user: UserId,
    /// In `granted_by` of the grants.
    source: String,
    pub added: Vec<String>,
    pub taken: Vec<String>,
}

impl Access {
    /// What must change so that the person has, of the roles that `source` gave, those of `wanted` and no others.
    pub async fn following(
        &self,
        scope: impl Into<Scope>,
        org: OrgId,
        user: UserId,
        source: &str,
        wanted: &[String],
    ) -> Result<Following, DbError> {
        let held = store::roles_with_source(&self.inner().db, scope, org, user.uuid()).await?;
        let added = wanted.iter().filter(|role| held.iter().all(|(name, _)| name != *role)).cloned();
        let gone = |(role, by): &&(String, String)| by == source && !wanted.contains(role);
        let taken = held.iter().filter(gone).map(|(role, _)| role.clone());
        Ok(Following { org, user, source: source.to_owned(), added: added.collect(), taken: taken.collect() })
    }

    /// The change with these grants and without those. Of several that bring the same, each is content.
    #[must_use]
    pub fn followed(&self, following: &Following, mut change: Change, now: Timestamp) -> Change {
        let Following { org, user, source, added, taken } = following;
        if added.is_empty() && taken.is_empty() {
            return change;
        }
        let holder = HolderId::User(*user);
        for role in added {
            let gift = Gift::Role(role.clone());
            change =
                change.statement(store::give_once(self.inner().world.id(), *org, holder, &gift, source, now));
        }
        for role in taken {
            let text =
                "DELETE FROM grants WHERE org = $1 AND principal = $2 AND role = $3 AND granted_by = $4";
            let params =
                vec![org.uuid().into(), user.uuid().into(), role.as_str().into(), source.as_str().into()];
            change = change.statement(sql(text, params));
        }
        if !taken.is_empty() {
            change = advance(change, *org);
        }
        change.authority(news(*org, holder))
    }
}
