//! Roles in files of configuration.

use authority::Permission;
use manifest::Section;
use problem::Problem;
use serde::{Deserialize, Serialize};
use types::{Name, RoleId};
use utoipa::ToSchema;
use web::{Errand, Undone};

use crate::built_in::built_in;
use crate::roles::{Role, RolePatch, RoleRef, WantedRole, minimal};
use crate::routes::roles::{CreateRole, DeleteRole, ListRoles, UpdateRole};
use crate::{Access, AccessError};

/// The section `roles`: those of the organization's own.
pub struct RolesSection(pub Access);

/// A role of the organization's own.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfigRole)]
pub struct RoleEntry {
    #[schema(value_type = String)]
    name: Name,
    #[serde(default)]
    #[schema(max_length = 500)]
    description: String,
    #[schema(value_type = Vec<String>, max_items = 500)]
    permissions: Vec<Permission>,
}

impl Section for RolesSection {
    type Entry = RoleEntry;

    const NAME: &'static str = "roles";

    fn key(entry: &RoleEntry) -> String {
        entry.name.to_string()
    }

    fn settled(&self, entry: RoleEntry) -> RoleEntry {
        RoleEntry { permissions: minimal(&entry.permissions), ..entry }
    }

    fn is_built_in(key: &str) -> bool {
        built_in(key).is_some()
    }

    async fn standing(&self, errand: &Errand) -> Result<Vec<(String, RoleEntry)>, Problem> {
        let by = errand.admit::<ListRoles>().await?;
        let own = |role: Role| match role {
            Role::BuiltIn(_) => None,
            Role::Own(role) => Some((
                role.id.to_string(),
                RoleEntry { name: role.name, description: role.description, permissions: role.permissions },
            )),
        };
        Ok(self.0.roles(&by).await?.into_iter().filter_map(own).collect())
    }

    async fn make(&self, errand: &Errand, entry: &RoleEntry) -> Result<String, Undone> {
        let wanted = WantedRole {
            name: entry.name.clone(),
            description: entry.description.clone(),
            permissions: entry.permissions.clone(),
        };
        let decide = |by| async move { self.0.create_role(&by, &wanted).await };
        match errand.act::<CreateRole, _, _, _>(decide).await? {
            Role::Own(role) => Ok(role.id.to_string()),
            Role::BuiltIn(role) => Err(Problem::from(AccessError::BuiltIn(role.name.to_owned())).into()),
        }
    }

    async fn alter(
        &self,
        errand: &Errand,
        id: &str,
        before: &RoleEntry,
        after: &RoleEntry,
    ) -> Result<(), Undone> {
        let of = named(id)?;
        let patch = RolePatch {
            description: (before.description != after.description).then(|| after.description.clone()),
            permissions: (before.permissions != after.permissions).then(|| after.permissions.clone()),
        };
        let decide = |by| async move { self.0.update_role(&by, &of, &patch).await };
        errand.act::<UpdateRole, _, _, _>(decide).await.map(drop)
    }

    async fn remove(&self, errand: &Errand, id: &str) -> Result<(), Undone> {
        let of = named(id)?;
        let decide = |by| async move { self.0.delete_role(&by, &of).await };
        errand.act::<DeleteRole, _, _, _>(decide).await.map(drop)
    }
}

fn named(id: &str) -> Result<RoleRef, Problem> {
    Ok(RoleRef::Id(id.parse::<RoleId>().map_err(Problem::internal)?))
}
