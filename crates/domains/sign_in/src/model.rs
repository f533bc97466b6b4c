//! Sign-in providers.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};
use types::{AuthProviderId, Name, OrgId, Timestamp};

/// Whose a provider is, and with that how far its word reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    Instance,
    /// Signs people in to this organization and no other.
    Org(OrgId),
}

impl Owner {
    pub fn org(self) -> Option<OrgId> {
        match self {
            Self::Instance => None,
            Self::Org(org) => Some(org),
        }
    }
}

impl From<Option<OrgId>> for Owner {
    fn from(org: Option<OrgId>) -> Self {
        org.map_or(Self::Instance, Self::Org)
    }
}

/// Where the settings of a provider are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Api,
    /// The server's own file; the API only shows it.
    File,
}

impl Source {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::File => "file",
        }
    }
}

impl FromStr for Source {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "api" => Ok(Self::Api),
            "file" => Ok(Self::File),
            _ => Err(()),
        }
    }
}

/// Groups of a directory, as it calls them, and the roles that their members have here.
pub type GroupRoles = BTreeMap<String, Vec<String>>;

/// A provider without its secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    pub id: AuthProviderId,
    pub owner: Owner,
    pub name: String,
    pub display_name: String,
    pub kind: String,
    pub enabled: bool,
    /// As the kind defines them; what is secret is not among them.
    pub settings: Map<String, Value>,
    /// Names of the secret settings that are there.
    pub has_secrets: bool,
    /// What newcomers get.
    pub default_roles: Vec<String>,
    /// Whether somebody without an account gets one.
    pub create_users: bool,
    /// Addresses outside of these are refused; empty lets all in.
    pub allowed_domains: Vec<String>,
    /// Roles of members that follow their groups in the provider's directory, in both directions.
    pub group_roles: GroupRoles,
    /// The operator vouches for the addresses that this provider asserts.
    pub trust_email: bool,
    pub source: Source,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub revision: i64,
}

/// How a provider is named in a path: by id, or by its name among the instance's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderRef {
    Id(AuthProviderId),
    Name(Name),
}

impl FromStr for ProviderRef {
    type Err = types::InvalidName;
    fn from_str(text: &str) -> Result<Self, types::InvalidName> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Name),
        }
    }
}

impl fmt::Display for ProviderRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(out),
            Self::Name(name) => name.fmt(out),
        }
    }
}

/// An address as it is compared: without surrounding space, in lower case. None if it has not the form of one.
pub(crate) fn email(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let (name, domain) = text.rsplit_once('@')?;
    let fits = !name.is_empty()
        && name.len() <= 64
        && domain.len() <= 253
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !name.contains('@')
        && text.chars().all(|character| !character.is_whitespace() && !character.is_control());
    fits.then_some(text)
}

/// What stands behind the `@`.
pub(crate) fn domain(email: &str) -> &str {
    email.rsplit_once('@').map_or("", |(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_in_one_form() {
        assert_eq!(email(" Ada@Example.COM "), Some("ada@example.com".to_owned()));
        for wrong in
            ["", "ada", "@example.com", "ada@", "ada@example", "a b@example.com", "a@b@example.com", "a@.com"]
        {
            assert_eq!(email(wrong), None, "{wrong}");
        }
        assert_eq!(domain("ada@example.com"), "example.com");
    }
}
