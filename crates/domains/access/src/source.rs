//! Where a principal's rights come from: its own grants and those of its groups, each a role or a single permission.

use std::sync::Arc;

use authority::{Authority, Permission};
use types::{GrantId, GroupId};

use crate::Holding;
use crate::built_in::built_in;

/// One grant that a principal holds, itself or through a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub grant: GrantId,
    /// The role, if it was given one, else the single permission speaks for itself.
    pub role: Option<String>,
    /// The group that holds it, if it is not the principal's own.
    pub group: Option<GroupId>,
    /// What it allows now.
    pub permissions: Vec<Permission>,
}

/// All of them, and all groups, also those that hold nothing.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub all: Vec<Source>,
    pub groups: Vec<GroupId>,
}

impl Sources {
    pub fn authority(&self) -> Authority {
        self.all.iter().flat_map(|source| source.permissions.iter().cloned()).collect()
    }

    pub(crate) fn holding(&self) -> Holding {
        Holding { authority: Arc::new(self.authority()), groups: self.groups.clone().into() }
    }
}

/// The permissions of a role: a built-in one's from the code, else those that its row says. One that no longer parses (a
/// resource that went away) grants nothing.
pub(crate) fn permissions_of(role: &str, stored: Option<&str>) -> Vec<Permission> {
    match built_in(role) {
        Some(role) => role.authority().permissions().to_vec(),
        None => stored.map(read).unwrap_or_default(),
    }
}

/// As roles and keys are stored: permissions parted by spaces.
pub(crate) fn read(stored: &str) -> Vec<Permission> {
    stored.split(' ').filter_map(|text| text.parse().ok()).collect()
}

pub(crate) fn written(permissions: &[Permission]) -> String {
    permissions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
