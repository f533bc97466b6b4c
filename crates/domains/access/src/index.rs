//! Live authority by principal, in memory: in force here at once, elsewhere as fast as the feed.

use std::sync::Arc;

use authority::Authority;
use cluster::{Cache, Dead, Feed, Heard, OnDead};
use db::{Db, DbError, SystemScope};
use problem::Problem;
use types::{OrgId, Uuid};
use web::PrincipalId;

use crate::store;

/// Principals whose grants are kept in memory.
const MOST: usize = 200_000;
const PURPOSE: SystemScope = SystemScope::new("permission index");

#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    db: Db,
    grants: Cache<(OrgId, Uuid), Authority>,
}

impl Access {
    pub fn new(db: Db, feed: &Feed) -> Self {
        let inner = Arc::new(Inner { db, grants: Cache::new(feed.clone(), MOST) });
        feed.listen(inner.clone());
        Self(inner)
    }

    /// What the principal holds in this organization right now; nothing if it is unknown there.
    pub async fn grants(&self, org: OrgId, principal: PrincipalId) -> Result<Arc<Authority>, Problem> {
        let load = async {
            let authority = store::authority_of(&self.0.db, PURPOSE, org, principal).await?;
            Ok::<_, DbError>(Some(authority))
        };
        let found = self.0.grants.get((org, principal.uuid()), load).await?;
        Ok(found.unwrap_or_default())
    }
}

impl OnDead for Inner {
    fn heard(&self, entry: &Heard) -> Dead {
        if matches!(entry.kind.as_str(), "user" | "agent") {
            self.grants.forget(&(entry.org, entry.key));
        }
        Dead::default()
    }
}
