//! What an agent was given and does not use, and the least that would have been enough.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use agents::AgentRef;
use authority::{Authority, Permission, Reach, Required, Selector};
use types::{AgentId, Id, Timestamp};
use web::{Allowance, PrincipalId};

use crate::PolicyError;
use crate::hypothesis::required;
use crate::service::Policies;
use crate::store::{self, Counted};
use crate::uses::Reached;

/// Paths that are named one by one; more are joined by their namespace.
const NAMED: usize = 8;

pub(crate) struct Advice {
    pub(crate) agent: AgentId,
    pub(crate) since: Timestamp,
    pub(crate) granted: Vec<Permission>,
    pub(crate) used: Vec<Counted>,
    /// Grants that no use needed.
    pub(crate) unused: Vec<Permission>,
    /// Covers every use and nothing that was not granted.
    pub(crate) suggested: Vec<Permission>,
}

impl Policies {
    pub(crate) async fn advise(
        &self,
        by: &Allowance,
        of: &AgentRef,
        days: u32,
    ) -> Result<Advice, PolicyError> {
        let inner = self.inner();
        let agent = inner.agents.find(by, of).await.map_err(problem::Problem::from)?.id;
        // What it did a moment ago counts.
        inner.uses.flush(&inner.db).await;
        let since = inner.world.now().minus(Duration::from_secs(u64::from(days) * 24 * 3600));
        let granted = inner.access.grants(by.org(), PrincipalId::Agent(agent)).await?;
        let used = store::uses(&inner.db, &by.scope(), agent.uuid(), since).await?;
        Ok(Advice {
            agent,
            since,
            unused: unused(&granted, &used),
            suggested: least(&granted, &used).permissions().to_vec(),
            granted: granted.permissions().to_vec(),
            used,
        })
    }
}

/// Grants by which no use was allowed.
fn unused(granted: &Authority, used: &[Counted]) -> Vec<Permission> {
    let needed = |grant: &&Permission| !used.iter().any(|one| serves(grant, one));
    granted.permissions().iter().filter(needed).cloned().collect()
}

fn serves(grant: &Permission, used: &Counted) -> bool {
    let Some(permission) = parsed(used) else { return false };
    let wide_enough = match used.reach {
        Reached::Nothing | Reached::Own => true,
        Reached::Group => grant.ceiling() >= Reach::Group,
        Reached::All => grant.ceiling() == Reach::All,
    };
    let covered = used.selector.is_empty() || grant.selector.covers(&selector(used));
    grant.resource.covers(&permission.resource)
        && grant.action.covers(&permission.action)
        && covered
        && wide_enough
}

/// The least that covers every use: by permission the paths that were used, as far as they reached. What was only listed
/// keeps its grants, for nobody can tell which rows mattered.
fn least(granted: &Authority, used: &[Counted]) -> Authority {
    let mut by_permission: BTreeMap<&str, Vec<&Counted>> = BTreeMap::new();
    for one in used {
        by_permission.entry(&one.permission).or_default().push(one);
    }
    let wanted = by_permission.into_values().flat_map(|uses| {
        let Some(permission) = uses.first().and_then(|one| parsed(one)) else { return Vec::new() };
        let objects: Vec<&Counted> = uses.into_iter().filter(|one| one.reach != Reached::Nothing).collect();
        if objects.is_empty() {
            listed(granted, &required(&permission))
        } else {
            narrowed(&permission, &objects)
        }
    });
    // What was used may have been taken away since: nobody is advised to give more than there is.
    granted.intersect(&wanted.collect())
}

fn listed(granted: &Authority, required: &Required) -> Vec<Permission> {
    let grants = granted.grants_for(required);
    grants.map(|grant| Permission { action: required.action.clone(), ..grant.clone() }).collect()
}

fn narrowed(permission: &Permission, objects: &[&Counted]) -> Vec<Permission> {
    let mut by_reach: BTreeMap<Reached, BTreeSet<&str>> = BTreeMap::new();
    for one in objects {
        by_reach.entry(one.reach).or_default().insert(&one.selector);
    }
    let mut narrowed = Vec::new();
    for (reached, paths) in by_reach {
        let reach = Some(match reached {
            Reached::Nothing | Reached::Own => Reach::Own,
            Reached::Group => Reach::Group,
            Reached::All => Reach::All,
        });
        for selector in selectors(&paths) {
            narrowed.push(Permission { selector, reach, ..permission.clone() });
        }
    }
    narrowed
}

/// Few paths by name, many by namespace; an object without a path means every object.
fn selectors(paths: &BTreeSet<&str>) -> Vec<Selector> {
    if paths.contains("") {
        return vec![Selector::every()];
    }
    let named = |path: &&str| Selector::object(path.split('/')).ok();
    if paths.len() <= NAMED {
        return paths.iter().filter_map(named).collect();
    }
    let namespaces: BTreeSet<&str> = paths.iter().filter_map(|path| path.split('/').next()).collect();
    let open = |namespace: &&str| format!("agents/{namespace}/*:read").parse::<Permission>().ok();
    namespaces.iter().filter_map(open).map(|permission| permission.selector).collect()
}

fn selector(used: &Counted) -> Selector {
    Selector::object(used.selector.split('/')).unwrap_or_default()
}

fn parsed(used: &Counted) -> Option<Permission> {
    used.permission.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn used(permission: &str, selector: &str, reach: Reached) -> Counted {
        Counted {
            permission: permission.into(),
            selector: selector.into(),
            reach,
            count: 1,
            last: Timestamp::from_millis(0),
        }
    }

    fn texts(permissions: &[Permission]) -> Vec<String> {
        permissions.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn grants_that_no_use_needed_are_named() {
        let granted: Authority =
            "agents:read:all functions/ops/*:execute:all state:write:all".parse().unwrap();
        let uses = [
            used("agents:read", "", Reached::Nothing),
            used("functions:execute", "ops/greet", Reached::All),
            used("functions:execute", "", Reached::Nothing),
        ];
        assert_eq!(texts(&unused(&granted, &uses)), ["state:write:all"]);
        let least = least(&granted, &uses);
        assert_eq!(texts(least.permissions()), ["agents:read:all", "functions/ops/greet:execute:all"]);
    }

    #[test]
    fn own_objects_need_no_more_than_own() {
        let granted: Authority = "agents:*:all".parse().unwrap();
        let uses = [used("agents:update", "default/me", Reached::Own), used("agents:read", "", Reached::Own)];
        assert_eq!(
            texts(least(&granted, &uses).permissions()),
            ["agents/default/me:update:own", "agents:read:own"]
        );
        let none = least(&granted, &[]);
        assert!(none.is_empty());
        assert_eq!(texts(&unused(&granted, &[])), ["agents:*:all"]);
    }

    #[test]
    fn many_paths_are_joined_by_namespace() {
        let granted: Authority = "functions:execute:all".parse().unwrap();
        let uses: Vec<_> =
            (0..20).map(|at| used("functions:execute", &format!("ops/f{at}"), Reached::All)).collect();
        assert_eq!(texts(least(&granted, &uses).permissions()), ["functions/ops/*:execute:all"]);
    }

    fn a_grant() -> impl Strategy<Value = String> {
        let resource = prop::sample::select(vec!["agents", "functions", "*"]);
        let selector = prop::sample::select(vec!["", "/ops/*", "/ops/a", "/**"]);
        let action = prop::sample::select(vec!["read", "write", "execute", "*"]);
        let reach = prop::sample::select(vec!["own", "group", "all"]);
        (resource, selector, action, reach)
            .prop_map(|(resource, selector, action, reach)| format!("{resource}{selector}:{action}:{reach}"))
    }

    fn a_use() -> impl Strategy<Value = Counted> {
        let permission = prop::sample::select(vec!["agents:read", "functions:execute", "functions:update"]);
        let selector = prop::sample::select(vec!["", "ops/a", "ops/b", "lab/c"]);
        let reach = prop::sample::select(vec![Reached::Nothing, Reached::Own, Reached::Group, Reached::All]);
        (permission, selector, reach).prop_map(|(permission, selector, reach)| {
            let selector = if reach == Reached::Nothing { "" } else { selector };
            used(permission, selector, reach)
        })
    }

    proptest! {
        #[test]
        fn advice_covers_what_was_used_and_is_never_more_than_was_given(
            grants in prop::collection::vec(a_grant(), 0..5),
            uses in prop::collection::vec(a_use(), 0..12),
        ) {
            let granted: Authority = grants.join(" ").parse().unwrap();
            // Only what the grants allow can have been used.
            let uses: Vec<Counted> = uses.into_iter().filter(|one| {
                granted.permissions().iter().any(|grant| serves(grant, one))
            }).collect();
            let least = least(&granted, &uses);
            prop_assert!(least.is_subset_of(&granted), "{least} of {granted}");
            for one in &uses {
                prop_assert!(
                    least.permissions().iter().any(|grant| serves(grant, one)),
                    "{one:?} is not served by {least} of {granted}"
                );
            }
        }
    }
}
