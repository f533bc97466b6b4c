//! Who holds what: giving and taking roles and single permissions. Nobody gives – and nobody takes from others – what
//! they do not hold themselves; the last owner stays one.

use authority::Permission;
use db::Change;
use problem::Problem;
use serde_json::json;
use types::{GrantId, Timestamp};
use web::{Allowance, Decided, Object, PrincipalId};

use crate::error::AccessError;
use crate::groups::news;
use crate::head::advance;
use crate::roles::SINGLE;
use crate::{Access, Gift, HolderId, facts, store};

/// One grant as it stands.
#[derive(Clone, Debug)]
pub struct Grant {
    pub id: GrantId,
    pub holder: HolderId,
    pub role: Option<String>,
    /// As it was given; text, so that one of a resource that went away can still be taken.
    pub permission: Option<String>,
    pub granted_by: String,
    pub created_at: Timestamp,
}

impl Grant {
    pub(crate) fn object(&self) -> Object<'_> {
        let group = match self.holder {
            HolderId::Group(group) => Some(group),
            HolderId::User(_) | HolderId::Agent(_) => None,
        };
        let selector = self.role.as_deref().unwrap_or(SINGLE).into();
        Object { selector, owner: Some(self.holder.uuid()), group, ..Object::default() }
    }

    fn data(&self) -> serde_json::Value {
        json!({ "principal": self.holder.to_string(), "role": self.role, "permission": self.permission })
    }
}

/// What a caller wants given.
#[derive(Clone, Debug)]
pub struct WantedGrant {
    pub holder: HolderId,
    pub role: Option<String>,
    pub permission: Option<Permission>,
}

impl Access {
    pub(crate) async fn create_grant(
        &self,
        by: &Allowance,
        wanted: &WantedGrant,
    ) -> Result<Decided<Grant>, AccessError> {
        let inner = self.inner();
        let giver = self.giver(by).await?;
        let gift = match (&wanted.role, &wanted.permission) {
            (Some(role), None) => Gift::Role(role.clone()),
            (None, Some(permission)) => Gift::Permission(permission.clone()),
            _ => return Err(AccessError::invalid("/role", "name either a role or a permission")),
        };
        let grant = Grant {
            id: inner.world.id(),
            holder: wanted.holder,
            role: wanted.role.clone(),
            permission: wanted.permission.as_ref().map(ToString::to_string),
            granted_by: by.caller().principal().to_string(),
            created_at: inner.world.now(),
        };
        by.check(&grant.object())?;
        let display = self.display_of(by, wanted.holder).await?;
        let Some(display) = display else {
            let reason = "is no member, agent or group of this organization";
            return Err(AccessError::invalid("/principal", reason));
        };
        let asked = match &gift {
            Gift::Role(name) => self
                .role_permissions(&by.scope(), name)
                .await?
                .ok_or_else(|| crate::gifts::unknown_role("/role", name))?,
            Gift::Permission(permission) => {
                let one = std::slice::from_ref(permission);
                self.known_resources(&by.scope(), "/permission", one).await?;
                one.to_vec()
            }
        };
        giver.holds(&asked.into_iter().collect())?;
        let fact = by.fact(&facts::ROLE_GRANTED).target(grant.holder.kind(), grant.holder, &display);
        let change = Change::new(by.scope(), inner.ledger.seal(fact.data(grant.data())).await?)
            .statement(store::insert_grant(
                grant.id,
                by.org(),
                grant.holder,
                &gift,
                &grant.granted_by,
                grant.created_at,
            ))
            .authority(news(by.org(), grant.holder));
        Ok(Decided::new(giver.head.relied_on(change), grant))
    }

    pub(crate) async fn grant_of(&self, by: &Allowance, id: GrantId) -> Result<Grant, AccessError> {
        let found = store::grant_by_id(&self.inner().db, &by.scope(), id).await?;
        let grant = found.ok_or(AccessError::Unknown("grant"))?;
        by.check(&grant.object())?;
        Ok(grant)
    }

    /// In force on the next request; tokens and keys that stood on it allow that much less.
    pub(crate) async fn delete_grant(
        &self,
        by: &Allowance,
        id: GrantId,
    ) -> Result<Decided<Grant>, AccessError> {
        let inner = self.inner();
        let giver = self.giver(by).await?;
        let grant = self.grant_of(by, id).await?;
        if grant.holder != HolderId::from(by.caller().principal()) {
            let held = match (&grant.role, &grant.permission) {
                (Some(role), _) => self.role_permissions(&by.scope(), role).await?.unwrap_or_default(),
                (None, Some(permission)) => permission.parse().into_iter().collect(),
                (None, None) => Vec::new(),
            };
            giver.holds(&held.into_iter().collect())?;
        }
        let display = self.display_of(by, grant.holder).await?.unwrap_or_default();
        let fact = by.fact(&facts::ROLE_REVOKED).target(grant.holder.kind(), grant.holder, &display);
        let change = Change::new(by.scope(), inner.ledger.seal(fact.data(grant.data())).await?)
            .statement(store::delete_grant(by.org(), grant.id))
            .authority(news(by.org(), grant.holder));
        let change = match (grant.holder, grant.role.as_deref()) {
            (HolderId::User(user), Some("owner")) => {
                let head = self.keeps_an_owner(&by.scope(), user).await?;
                head.advanced(giver.head.relied_on(change))
            }
            _ => advance(giver.head.relied_on(change), by.org()),
        };
        Ok(Decided::new(change, grant))
    }

    /// What a holder is called; `None` if there is none of this id here.
    pub(crate) async fn display_of(
        &self,
        by: &Allowance,
        holder: HolderId,
    ) -> Result<Option<String>, Problem> {
        let principal = match holder {
            HolderId::User(id) => PrincipalId::User(id),
            HolderId::Agent(id) => PrincipalId::Agent(id),
            HolderId::Group(group) => {
                let exists = store::group_exists(&self.inner().db, &by.scope(), group).await?;
                return Ok(exists.then(String::new));
            }
        };
        Ok(self.known(by.org(), principal).await?.map(|known| known.display))
    }
}
