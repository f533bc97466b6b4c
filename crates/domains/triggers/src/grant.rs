//! What a trigger may do: a grant of its own, made from what its maker holds, and laid over what its owner holds whenever it
//! acts. So it never does more than its maker could give, and nothing that its owner may not do any more.

use std::sync::Arc;

use authority::{Authority, Known, Permission, Resource};
use functions::Callable;
use problem::{AUTHORITY_EXCEEDED, Problem, TRIGGER_ORPHANED};
use types::{OrgId, TxnId};
use web::{Allowance, Caller, Means, PrincipalId, TriggerId};

use crate::{TriggerError, Triggers};

/// What nobody does without being there: it would outlive the trigger, or widen it.
const NEVER: [Known; 7] = [
    Known::ApiKeys,
    Known::Approvals,
    Known::Credentials,
    Known::Hooks,
    Known::Roles,
    Known::Schedules,
    Known::System,
];
const NEVER_ACTIONS: [&str; 3] = ["*", "approve", "manage"];

/// A trigger as its row has it.
pub(crate) struct Standing {
    pub(crate) trigger: TriggerId,
    pub(crate) org: OrgId,
    pub(crate) owner: PrincipalId,
    pub(crate) grant: Arc<Authority>,
}

/// The grant of a trigger: its target, and what else the maker lets its runs do. Nobody gives what they do not hold.
pub(crate) fn grant(
    by: &Allowance,
    target: &Callable,
    permissions: &[Permission],
) -> Result<Authority, TriggerError> {
    let held = access::effective(by.caller());
    for (index, permission) in permissions.iter().enumerate() {
        if is_never_given(permission) {
            let reason =
                "is nothing for a trigger: name one resource, and no action that gives rights or approves";
            return Err(TriggerError::invalid(format!("/permissions/{index}"), reason));
        }
        if !held.covers(permission) {
            let detail = format!("You do not hold {permission}, so it is not yours to give to a trigger.");
            return Err(Problem::new(&AUTHORITY_EXCEEDED, detail).into());
        }
    }
    Ok(permissions.iter().cloned().chain([target.permission.clone()]).collect())
}

fn is_never_given(permission: &Permission) -> bool {
    let resource = match &permission.resource {
        Resource::Any => true,
        Resource::Known(known) => NEVER.contains(known),
        Resource::Custom(_) => false,
    };
    resource || NEVER_ACTIONS.contains(&permission.action.name())
}

impl Triggers {
    /// The trigger as a caller: its owner with what it holds now, bounded by the grant. From memory.
    pub(crate) async fn caller(&self, standing: &Standing) -> Result<Caller, Problem> {
        let inner = self.inner();
        // A trigger lives long: without news of revocations none acts.
        inner.feed.fresh()?;
        // Taken before anything about rights is read.
        let revision = inner.feed.applied();
        let subject = inner.access.link(standing.org, standing.owner).await?;
        let subject = subject.ok_or_else(|| {
            let detail = "Its owner may not act here any more, so it does not act either. Let somebody else take it over.";
            Problem::new(&TRIGGER_ORPHANED, detail)
        })?;
        Ok(Caller {
            org: standing.org,
            subject,
            actors: Vec::new(),
            functions: Vec::new(),
            trigger: Some(standing.trigger),
            scope: Some(standing.grant.clone()),
            means: Means::Trigger,
            txn: Some(inner.world.id::<TxnId>()),
            revision,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_rights_is_never_given() {
        for never in [
            "*:*:all",
            "credentials:create",
            "roles:read",
            "agents:manage:own",
            "approvals:approve",
            "*:manage",
            "api_keys:create:own",
            "agents:*",
            "schedules:update",
            "*:execute",
        ] {
            assert!(is_never_given(&never.parse().unwrap()), "{never}");
        }
        for fine in
            ["state/notes/**:update", "functions:execute:own", "agents:read", "runs:read:own", "files:create"]
        {
            assert!(!is_never_given(&fine.parse().unwrap()), "{fine}");
        }
    }
}
