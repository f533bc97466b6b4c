//! What is given to whom.

use authority::{Authority, Permission};
use problem::{AUTHORITY_EXCEEDED, Problem, VALIDATION_FAILED};

use crate::roles::role;

/// One grant: a role or a single permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gift {
    Role(&'static str),
    Permission(Permission),
}

/// Roles and permissions as a caller names them, checked against the catalogue.
#[derive(Clone, Debug, Default)]
pub struct NewGrants {
    pub gifts: Vec<Gift>,
}

impl NewGrants {
    pub fn parse(roles: &[String], permissions: &[Permission]) -> Result<Self, Problem> {
        let mut gifts = Vec::with_capacity(roles.len() + permissions.len());
        for (index, name) in roles.iter().enumerate() {
            let Some(role) = role(name) else {
                let reason = format!("there is no role {name:?}");
                return Err(Problem::new(&VALIDATION_FAILED, "Name roles from GET /api/v1/roles.")
                    .with_error(format!("/roles/{index}"), reason));
            };
            gifts.push(Gift::Role(role.name));
        }
        gifts.extend(permissions.iter().cloned().map(Gift::Permission));
        gifts.dedup();
        Ok(Self { gifts })
    }

    pub fn authority(&self) -> Authority {
        let permissions = self.gifts.iter().flat_map(|gift| match gift {
            Gift::Role(name) => {
                role(name).map(|role| role.authority().permissions().to_vec()).unwrap_or_default()
            }
            Gift::Permission(permission) => vec![permission.clone()],
        });
        permissions.collect()
    }

    /// Nobody grants what they do not hold.
    pub fn held_by(&self, giver: &Authority) -> Result<(), Problem> {
        let asked = self.authority();
        let missing: Vec<String> = asked
            .permissions()
            .iter()
            .filter(|permission| !giver.covers(permission))
            .map(ToString::to_string)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let detail =
            "You can only give what you hold yourself. Leave out the permissions named, or ask an owner.";
        Err(Problem::new(&AUTHORITY_EXCEEDED, detail).with_member("missing", missing))
    }
}
