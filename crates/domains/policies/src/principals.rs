//! What rules may know of a principal beyond its id: roles, groups, owner. In memory, true by the revision feed.

use std::sync::Arc;

use access::HolderId;
use problem::Problem;
use rego::Term;
use types::OrgId;
use web::PrincipalId;

use crate::service::Inner;
use crate::store;

/// A principal as an input document shows it.
pub(crate) struct Portrait {
    pub(crate) term: Term,
}

impl Inner {
    pub(crate) async fn portrait(&self, org: OrgId, who: PrincipalId) -> Result<Arc<Portrait>, Problem> {
        let load = || async { self.paint(org, who).await.map(Some) };
        let found = self.principals.get((org, who.uuid()), load).await?;
        Ok(found.unwrap_or_else(|| Arc::new(Portrait { term: Term::NULL })))
    }

    async fn paint(&self, org: OrgId, who: PrincipalId) -> Result<Portrait, Problem> {
        let groups = self.access.holding(org, who).await?.groups.clone();
        let (mut roles, _) = access::names_of(&self.db, store::INDEX, org, who).await?;
        for group in groups.iter() {
            roles.extend(access::names_of(&self.db, store::INDEX, org, HolderId::Group(*group)).await?.0);
        }
        roles.sort();
        roles.dedup();
        let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
        let mut members = vec![
            (Term::text("id"), Term::text(&who.to_string())),
            (Term::text("kind"), Term::text(who.kind())),
            (Term::text("org"), Term::text(&org.to_string())),
            (Term::text("roles"), Term::texts(roles.iter().map(String::as_str))),
            (Term::text("groups"), Term::texts(groups.iter().map(String::as_str))),
        ];
        if let PrincipalId::Agent(id) = who {
            let standing = self.agents.standing(id).await?.filter(|standing| standing.org == org);
            if let Some(standing) = standing {
                members.extend([
                    (Term::text("namespace"), Term::text(&standing.namespace)),
                    (Term::text("name"), Term::text(&standing.name)),
                    (Term::text("owner"), Term::text(&standing.owner.to_string())),
                    (Term::text("env"), Term::text(standing.env.name())),
                ]);
            }
        }
        Ok(Portrait { term: Term::object(members) })
    }
}
