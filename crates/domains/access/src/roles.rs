//! Built-in roles; immutable. Spec 03 names more: each comes with the resources it is about.

use authority::{Authority, Permission};

/// A named set of permissions.
pub struct Role {
    pub name: &'static str,
    pub description: &'static str,
    pub permissions: &'static [&'static str],
}

pub static BUILT_IN: &[Role] = &[
    Role {
        name: "operator",
        description: "Runs the instance: listeners, keys, workers, all organizations' health.",
        permissions: &["system:*:all"],
    },
    Role {
        name: "owner",
        description: "Holds everything inside the organization.",
        permissions: &["*:*:all"],
    },
    Role {
        name: "member",
        description: "Sees the organization and works with what is its own.",
        permissions: &[
            "orgs:read:all",
            "users:read:all",
            "roles:read:all",
            "permissions:read:all",
            "agents:read:all",
            "agents:write:own",
            "credentials:read:own",
            "credentials:write:own",
            "tokens:read:own",
            "functions:read:all",
            "functions:write:own",
            "functions:execute:own",
            "runs:read:own",
            "runs:update:own",
            "audit:read:own",
        ],
    },
];

pub fn role(name: &str) -> Option<&'static Role> {
    BUILT_IN.iter().find(|role| role.name == name)
}

impl Role {
    pub fn authority(&self) -> Authority {
        // The table above is held against the grammar by a test.
        self.permissions.iter().filter_map(|text| text.parse::<Permission>().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_of_a_built_in_role_parses() {
        for role in BUILT_IN {
            for text in role.permissions {
                assert!(text.parse::<Permission>().is_ok(), "{}: {text}", role.name);
            }
        }
    }

    #[test]
    fn an_owner_is_no_operator() {
        let (owner, operator) = (role("owner").unwrap().authority(), role("operator").unwrap().authority());
        assert!(!operator.is_subset_of(&owner));
        assert!(role("member").unwrap().authority().is_subset_of(&owner));
    }
}
