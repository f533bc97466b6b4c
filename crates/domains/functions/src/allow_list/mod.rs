//! Which packages functions of an organization may name: asked for by whoever writes them, approved or refused by whoever
//! may. What an approved package brings along comes with it, unless it is refused by name.

mod acts;
pub(crate) mod routes;
pub(crate) mod store;

use std::convert::Infallible;
use std::str::FromStr;

use packages::Name;
use serde::{Deserialize, Serialize};
use types::{OrgId, PackageId, Timestamp};
use utoipa::ToSchema;
use web::{Object, PrincipalId};

/// Where a package stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PackageState)]
pub enum State {
    Requested,
    Approved,
    Refused,
}

impl State {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Refused => "refused",
        }
    }
}

impl FromStr for State {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "approved" => Self::Approved,
            "refused" => Self::Refused,
            _ => Self::Requested,
        })
    }
}

/// An entry of the list.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) id: PackageId,
    pub(crate) org: OrgId,
    pub(crate) name: Name,
    pub(crate) state: State,
    pub(crate) reason: String,
    pub(crate) answer: String,
    pub(crate) requested_by: PrincipalId,
    pub(crate) requested_at: Timestamp,
    /// `usr_…` or `agt_…`.
    pub(crate) decided_by: Option<String>,
    pub(crate) decided_at: Option<Timestamp>,
    pub(crate) revision: i64,
}

impl Package {
    pub(crate) fn object(&self) -> Object<'_> {
        Object {
            selector: self.name.as_str().into(),
            owner: Some(self.requested_by.uuid()),
            ..Object::default()
        }
    }
}

/// How a path names a package: its id, or its name in any spelling.
#[derive(Clone, Debug)]
pub enum PackageRef {
    Id(PackageId),
    Named(Name),
}

#[derive(Debug)]
pub struct NotAPackage;

impl FromStr for PackageRef {
    type Err = NotAPackage;

    fn from_str(text: &str) -> Result<Self, NotAPackage> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Named).map_err(|_| NotAPackage),
        }
    }
}
