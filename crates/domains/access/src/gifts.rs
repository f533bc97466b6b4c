//! Roles and permissions that a caller names, held against what the organization knows.

use std::collections::HashMap;

use authority::Permission;
use db::OrgScope;
use problem::{Problem, VALIDATION_FAILED};
use types::Uuid;

use crate::built_in::built_in;
use crate::source::read;
use crate::{Access, Gift, NewGrants, store};

/// Roles and single permissions of a holder.
pub type Names = (Vec<String>, Vec<Permission>);

impl Access {
    /// The roles of these names – built in or the organization's own – and the permissions, with what they allow now.
    /// Errors name the field: `/roles/0`.
    pub async fn gifts(
        &self,
        scope: &OrgScope,
        roles: &[String],
        permissions: &[Permission],
    ) -> Result<NewGrants, Problem> {
        let (mut gifts, mut all) = (Vec::new(), permissions.to_vec());
        for (index, name) in roles.iter().enumerate() {
            match self.role_permissions(scope, name).await? {
                Some(permissions) => all.extend(permissions),
                None => return Err(unknown_role(&format!("/roles/{index}"), name)),
            }
            gifts.push(Gift::Role(name.clone()));
        }
        self.known_resources(scope, "/permissions", permissions).await?;
        gifts.extend(permissions.iter().cloned().map(Gift::Permission));
        let mut once: Vec<Gift> = Vec::with_capacity(gifts.len());
        for gift in gifts {
            if !once.contains(&gift) {
                once.push(gift);
            }
        }
        Ok(NewGrants::new(once, all.into_iter().collect()))
    }

    /// What a role allows now; `None` if there is none of this name.
    pub(crate) async fn role_permissions(
        &self,
        scope: &OrgScope,
        name: &str,
    ) -> Result<Option<Vec<Permission>>, Problem> {
        if let Some(role) = built_in(name) {
            return Ok(Some(role.authority().permissions().to_vec()));
        }
        let stored = store::stored_permissions(&self.inner().db, scope, name).await?;
        Ok(stored.as_deref().map(read))
    }

    /// The roles and single permissions that each of these holders was given itself.
    pub async fn names_of_all(
        &self,
        scope: &OrgScope,
        holders: &[Uuid],
    ) -> Result<HashMap<Uuid, Names>, Problem> {
        let mut names: HashMap<Uuid, Names> = HashMap::new();
        for (holder, role, permission) in store::grants_of_all(&self.inner().db, scope, holders).await? {
            let (roles, permissions) = names.entry(holder).or_default();
            match permission.parse() {
                Ok(permission) if role.is_empty() => permissions.push(permission),
                _ if !role.is_empty() => roles.push(role),
                _ => {}
            }
        }
        Ok(names)
    }
}

pub(crate) fn unknown_role(field: &str, name: &str) -> Problem {
    let reason = format!("there is no role {name:?}");
    Problem::new(&VALIDATION_FAILED, "Name roles from GET /api/v1/roles.").with_error(field, reason)
}
