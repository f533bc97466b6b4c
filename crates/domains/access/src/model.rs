//! Who holds rights, and what is given to whom.

use std::fmt;
use std::str::FromStr;

use authority::{Authority, Permission};
use problem::{AUTHORITY_EXCEEDED, Problem};
use types::{AgentId, GroupId, Id, InvalidId, UserId, Uuid};
use web::PrincipalId;

use crate::built_in::built_in;

/// Who can hold roles and permissions: the two kinds of principal, and groups, whose members hold what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HolderId {
    User(UserId),
    Agent(AgentId),
    Group(GroupId),
}

impl HolderId {
    pub fn uuid(self) -> Uuid {
        match self {
            Self::User(id) => id.uuid(),
            Self::Agent(id) => id.uuid(),
            Self::Group(id) => id.uuid(),
        }
    }

    /// `user`, `agent` or `group`; also the kind of its entries in the authority log.
    pub fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Agent(_) => "agent",
            Self::Group(_) => "group",
        }
    }

    /// From what a row keeps; `None` for a kind that is none of ours.
    pub fn of(kind: &str, id: Uuid) -> Option<Self> {
        match kind {
            "user" => Some(Self::User(UserId::from_uuid(id))),
            "agent" => Some(Self::Agent(AgentId::from_uuid(id))),
            "group" => Some(Self::Group(GroupId::from_uuid(id))),
            _ => None,
        }
    }

    /// The principal, if it is one.
    pub fn principal(self) -> Option<PrincipalId> {
        match self {
            Self::User(id) => Some(PrincipalId::User(id)),
            Self::Agent(id) => Some(PrincipalId::Agent(id)),
            Self::Group(_) => None,
        }
    }
}

impl From<PrincipalId> for HolderId {
    fn from(principal: PrincipalId) -> Self {
        match principal {
            PrincipalId::User(id) => Self::User(id),
            PrincipalId::Agent(id) => Self::Agent(id),
        }
    }
}

impl From<GroupId> for HolderId {
    fn from(group: GroupId) -> Self {
        Self::Group(group)
    }
}

impl fmt::Display for HolderId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => id.fmt(out),
            Self::Agent(id) => id.fmt(out),
            Self::Group(id) => id.fmt(out),
        }
    }
}

impl FromStr for HolderId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.parse::<GroupId>() {
            Ok(id) => Ok(Self::Group(id)),
            Err(_) => text.parse::<PrincipalId>().map(Self::from),
        }
    }
}

/// One grant: a role or a single permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gift {
    Role(String),
    Permission(Permission),
}

/// Roles and permissions as a caller names them, held against what the organization knows.
#[derive(Clone, Debug, Default)]
pub struct NewGrants {
    pub gifts: Vec<Gift>,
    authority: Authority,
}

impl NewGrants {
    /// `authority` is what all of them together allow.
    pub(crate) fn new(gifts: Vec<Gift>, authority: Authority) -> Self {
        Self { gifts, authority }
    }

    /// The built-in roles of these names; others are left out. For what the house itself gives.
    pub fn built_in(names: &[&str]) -> Self {
        let roles: Vec<_> = names.iter().filter_map(|name| built_in(name)).collect();
        let authority = roles.iter().flat_map(|role| role.authority().permissions().to_vec()).collect();
        Self::new(roles.iter().map(|role| Gift::Role(role.name.to_owned())).collect(), authority)
    }

    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Nobody grants what they do not hold.
    pub fn held_by(&self, giver: &Authority) -> Result<(), Problem> {
        held_by(&self.authority, giver)
    }
}

/// Refuses with what is missing, if `giver` holds less than `asked`.
pub fn held_by(asked: &Authority, giver: &Authority) -> Result<(), Problem> {
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
