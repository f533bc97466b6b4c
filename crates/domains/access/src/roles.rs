//! Roles: the built-in ones and those that organizations make for themselves. A role is changed for everybody who holds
//! it, so whoever changes it must hold what it allows, before and after.

use std::str::FromStr;

use authority::{Authority, Permission};
use db::{AuthorityEntry, Change, OrgScope};
use serde_json::json;
use types::{Id, Name, OrgId, RoleId, Timestamp};
use web::{Allowance, Decided, Object};

use crate::built_in::built_in;
use crate::error::AccessError;
use crate::{Access, BUILT_IN, BuiltIn, facts, store};

/// Roles that one organization may make.
const MOST: usize = 500;
/// The word that stands for single permissions where grants are selected by role.
pub(crate) const SINGLE: &str = "permission";

/// A role of an organization's own.
#[derive(Clone, Debug)]
pub struct OwnRole {
    pub id: RoleId,
    pub org: OrgId,
    pub name: Name,
    pub description: String,
    pub permissions: Vec<Permission>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub revision: i64,
}

pub enum Role {
    BuiltIn(&'static BuiltIn),
    Own(OwnRole),
}

impl Role {
    pub fn name(&self) -> &str {
        match self {
            Self::BuiltIn(role) => role.name,
            Self::Own(role) => role.name.as_str(),
        }
    }

    pub fn description(&self) -> &str {
        match self {
            Self::BuiltIn(role) => role.description,
            Self::Own(role) => &role.description,
        }
    }

    /// Permissions about roles name them by their name.
    pub(crate) fn object(&self) -> Object<'_> {
        Object { selector: self.name().into(), ..Object::default() }
    }

    /// Built-in ones first, in their order; the rest by name.
    pub(crate) fn place(&self) -> (usize, &str) {
        let at = BUILT_IN.iter().position(|role| role.name == self.name());
        (at.unwrap_or(BUILT_IN.len()), self.name())
    }
}

/// How a path names a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleRef {
    Id(RoleId),
    Named(Name),
}

impl FromStr for RoleRef {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Named).map_err(drop),
        }
    }
}

/// What a caller wants a role to be.
#[derive(Clone, Debug)]
pub struct WantedRole {
    pub name: Name,
    pub description: String,
    pub permissions: Vec<Permission>,
}

/// A merge patch: what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct RolePatch {
    pub description: Option<String>,
    pub permissions: Option<Vec<Permission>>,
}

impl Access {
    /// Every role that the caller may see, in the order of lists.
    pub(crate) async fn roles(&self, by: &Allowance) -> Result<Vec<Role>, AccessError> {
        let own = store::all_roles(&self.inner().db, &by.scope()).await?;
        let all = BUILT_IN.iter().map(Role::BuiltIn).chain(own.into_iter().map(Role::Own));
        Ok(all.filter(|role| by.check(&role.object()).is_ok()).collect())
    }

    pub(crate) async fn role(&self, by: &Allowance, of: &RoleRef) -> Result<Role, AccessError> {
        let role = self.find_role(&by.scope(), of).await?.ok_or(AccessError::Unknown("role"))?;
        by.check(&role.object())?;
        Ok(role)
    }

    async fn find_role(&self, scope: &OrgScope, of: &RoleRef) -> Result<Option<Role>, AccessError> {
        let db = &self.inner().db;
        let own = match of {
            RoleRef::Named(name) => match built_in(name.as_str()) {
                Some(role) => return Ok(Some(Role::BuiltIn(role))),
                None => store::role_named(db, scope, name.as_str()).await?,
            },
            RoleRef::Id(id) => store::role_by_id(db, scope, *id).await?,
        };
        Ok(own.map(Role::Own))
    }

    pub(crate) async fn create_role(
        &self,
        by: &Allowance,
        wanted: &WantedRole,
    ) -> Result<Decided<Role>, AccessError> {
        let inner = self.inner();
        if built_in(wanted.name.as_str()).is_some() || wanted.name.as_str() == SINGLE {
            return Err(AccessError::invalid("/name", "is the name of something built in; choose another"));
        }
        let giver = self.giver(by).await?;
        let now = inner.world.now();
        let role = OwnRole {
            id: inner.world.id(),
            org: by.org(),
            name: wanted.name.clone(),
            description: wanted.description.clone(),
            permissions: minimal(&wanted.permissions),
            created_by: by.caller().principal().to_string(),
            created_at: now,
            updated_at: now,
            revision: 1,
        };
        self.known_resources(&by.scope(), "/permissions", &wanted.permissions).await?;
        giver.holds(&role.permissions.iter().cloned().collect())?;
        let made = store::all_roles(&inner.db, &by.scope()).await?.len();
        if made >= MOST {
            let detail = format!("An organization makes at most {MOST} roles of its own.");
            let problem = problem::Problem::new(&problem::PLAN_LIMIT_REACHED, detail);
            return Err(problem.with_member("limit", MOST).with_member("current", made).into());
        }
        let role = Role::Own(role);
        by.check(&role.object())?;
        let Role::Own(own) = &role else { return Err(AccessError::Unknown("role")) };
        let fact = by.fact(&facts::ROLE_CREATED).target("role", own.id, own.name.as_str()).data(json!({
            "name": own.name,
            "permissions": texts(&own.permissions),
        }));
        let change =
            Change::new(by.scope(), inner.ledger.seal(fact).await?).statement(store::insert_role(own));
        Ok(Decided::new(giver.head.relied_on(change), role))
    }

    pub(crate) async fn update_role(
        &self,
        by: &Allowance,
        of: &RoleRef,
        patch: &RolePatch,
    ) -> Result<Decided<Role>, AccessError> {
        let inner = self.inner();
        let giver = self.giver(by).await?;
        let mut role = self.own_role(by, of).await?;
        by.expect_revision(role.revision)?;
        let mut fields = Vec::new();
        let mut touched = role.permissions.clone();
        if let Some(description) = &patch.description {
            role.description.clone_from(description);
            fields.push("description");
        }
        if let Some(permissions) = &patch.permissions {
            self.known_resources(&by.scope(), "/permissions", permissions).await?;
            role.permissions = minimal(permissions);
            touched.extend(role.permissions.iter().cloned());
            fields.push("permissions");
            giver.holds(&touched.into_iter().collect())?;
        }
        role.updated_at = inner.world.now();
        role.revision += 1;
        let fact = by.fact(&facts::ROLE_UPDATED).target("role", role.id, role.name.as_str()).data(json!({
            "name": role.name,
            "fields": fields,
            "permissions": texts(&role.permissions),
        }));
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::update_role(&role))
            .authority(AuthorityEntry::changed(role.org, "role", role.id.uuid()));
        Ok(Decided::new(giver.head.advanced(change), Role::Own(role)))
    }

    /// Only a role that nobody holds; whoever is given it meanwhile makes this decide again.
    pub(crate) async fn delete_role(
        &self,
        by: &Allowance,
        of: &RoleRef,
    ) -> Result<Decided<Role>, AccessError> {
        let inner = self.inner();
        let head = self.head(&by.scope()).await?;
        let role = self.own_role(by, of).await?;
        by.expect_revision(role.revision)?;
        let (count, holders) = store::holders_of(&inner.db, &by.scope(), role.name.as_str()).await?;
        if count > 0 {
            return Err(AccessError::RoleInUse { count, holders });
        }
        let fact = by.fact(&facts::ROLE_DELETED).target("role", role.id, role.name.as_str());
        let fact = fact.data(json!({ "name": role.name }));
        let change =
            Change::new(by.scope(), inner.ledger.seal(fact).await?).statement(store::delete_role(&role));
        Ok(Decided::new(head.advanced(change), Role::Own(role)))
    }

    async fn own_role(&self, by: &Allowance, of: &RoleRef) -> Result<OwnRole, AccessError> {
        match self.role(by, of).await? {
            Role::Own(role) => Ok(role),
            Role::BuiltIn(role) => Err(AccessError::BuiltIn(role.name.to_owned())),
        }
    }
}

/// Without those that others cover.
pub(crate) fn minimal(permissions: &[Permission]) -> Vec<Permission> {
    permissions.iter().cloned().collect::<Authority>().permissions().to_vec()
}

pub(crate) fn texts(permissions: &[Permission]) -> Vec<String> {
    permissions.iter().map(ToString::to_string).collect()
}
