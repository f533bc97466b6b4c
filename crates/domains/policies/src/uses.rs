//! Which permissions agents use: counted in memory on the way, written behind. Only what advice needs to know: the
//! permission, the object's path, and whether the object was the agent's own.

use std::collections::HashMap;

use authority::Required;
use db::{Bookkeeping, Db};
use parking_lot::Mutex;
use types::{OrgId, Timestamp, Uuid};
use web::{Caller, Object, PrincipalId};

use crate::store;

/// Different uses that are remembered between two writings; what is beyond waits for its next use.
const MOST: usize = 50_000;

#[derive(Default)]
pub(crate) struct Uses(Mutex<HashMap<Use, Count>>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Use {
    pub(crate) org: OrgId,
    pub(crate) principal: Uuid,
    /// `agents:read`
    pub(crate) permission: String,
    /// `namespace/name`; empty for objects that are told by an id, and where no object was named.
    pub(crate) selector: String,
    pub(crate) reach: Reached,
}

/// How far a use reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reached {
    /// No object was named: a list, or the door of an act whose object came later.
    Nothing,
    Own,
    Group,
    All,
}

impl Reached {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Own => "own",
            Self::Group => "group",
            Self::All => "all",
        }
    }
}

impl std::str::FromStr for Reached {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Nothing, Self::Own, Self::Group, Self::All]
            .into_iter()
            .find(|reached| reached.name() == text)
            .ok_or(())
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Count {
    pub(crate) count: i64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

impl Uses {
    pub(crate) fn note(
        &self,
        caller: &Caller,
        required: &Required,
        object: Option<&Object<'_>>,
        now: Timestamp,
    ) {
        for link in caller.links() {
            let PrincipalId::Agent(_) = link.principal else { continue };
            let principal = link.principal.uuid();
            let (selector, reach) = match object {
                None => (String::new(), Reached::Nothing),
                Some(object) => {
                    let own = object.is == Some(principal) || object.owner == Some(principal);
                    let path = if object.selector.contains('/') {
                        object.selector.to_string()
                    } else {
                        String::new()
                    };
                    let group = object.group.is_some_and(|group| link.groups.contains(&group));
                    let reach = match (own, group) {
                        (true, _) => Reached::Own,
                        (false, true) => Reached::Group,
                        (false, false) => Reached::All,
                    };
                    (path, reach)
                }
            };
            let key = Use { org: caller.org, principal, permission: required.to_string(), selector, reach };
            let mut uses = self.0.lock();
            if let Some(count) = uses.get_mut(&key) {
                count.count += 1;
                count.last = now;
            } else if uses.len() < MOST {
                uses.insert(key, Count { count: 1, first: now, last: now });
            }
        }
    }

    pub(crate) async fn flush(&self, db: &Db) {
        let uses = std::mem::take(&mut *self.0.lock());
        if uses.is_empty() {
            return;
        }
        let mut books = Bookkeeping::new(store::INDEX);
        for (key, count) in &uses {
            books = books.statement(store::count_use(key, *count));
        }
        if let Err(error) = db.keep(books).await {
            tracing::warn!(%error, "uses of permissions were not written");
        }
    }
}
