//! Built-in roles; immutable. What belongs to the instance is only in `operator`, and `*` never reaches it.

use authority::{Authority, Permission};

/// A named set of permissions.
pub struct BuiltIn {
    pub name: &'static str,
    pub description: &'static str,
    pub permissions: &'static [&'static str],
}

pub static BUILT_IN: &[BuiltIn] = &[
    BuiltIn {
        name: "operator",
        description: "Runs the instance: listeners, keys, workers, all organizations' health.",
        permissions: &["system:*:all"],
    },
    BuiltIn {
        name: "owner",
        description: "Holds everything inside the organization.",
        permissions: &["*:*:all"],
    },
    BuiltIn {
        name: "admin",
        description: "Runs the organization: people, agents and what they use; neither its plan nor its end.",
        permissions: &[
            "orgs:read:all",
            "orgs:update:all",
            "users:*:all",
            "members:*:all",
            "groups:*:all",
            "roles:*:all",
            "permissions:*:all",
            "api_keys:*:all",
            "policies:*:all",
            "auth_providers:*:all",
            "sessions:*:all",
            "agents:*:all",
            "credentials:*:all",
            "clients:*:all",
            "tokens:*:all",
            "delegations:*:all",
            "federation:*:all",
            "trust_policies:*:all",
            "functions:*:all",
            "packages:*:all",
            "runs:*:all",
            "approvals:*:all",
            "hooks:*:all",
            "schedules:*:all",
            "state:*:all",
            "chats:*:all",
            "models:*:all",
            "skills:*:all",
            "mcp_servers:*:all",
            "tools:*:all",
            "toolsets:*:all",
            "toolkits:*:all",
            "connections:*:all",
            "secrets:*:all",
            "files:*:all",
            "queues:*:all",
            "workers:*:all",
            "webhooks:*:all",
            "config:*:all",
            "compliance:*:all",
            "analytics:*:all",
            "usage:*:all",
            "plans:read:all",
            "billing:read:all",
            "audit:read:all",
        ],
    },
    BuiltIn {
        name: "curator",
        description: "Looks after what agents may use: functions, packages, tools, toolkits, skills.",
        permissions: &[
            "orgs:read:all",
            "users:read:all",
            "groups:read:all",
            "roles:read:all",
            "permissions:read:all",
            "agents:read:all",
            "functions:*:all",
            "packages:*:all",
            "skills:*:all",
            "mcp_servers:*:all",
            "tools:*:all",
            "toolsets:*:all",
            "toolkits:*:all",
            "models:read:all",
            "runs:read:all",
            "api_keys:manage:own",
            "audit:read:own",
        ],
    },
    BuiltIn {
        name: "member",
        description: "Sees the organization and works with what is its own.",
        permissions: &[
            "orgs:read:all",
            "users:read:all",
            "groups:read:all",
            "roles:read:all",
            "permissions:read:all",
            "agents:read:all",
            "agents:write:own",
            "credentials:read:own",
            "credentials:write:own",
            "api_keys:manage:own",
            "tokens:read:own",
            "functions:read:all",
            "functions:write:own",
            "functions:execute:own",
            "packages:read:all",
            "packages:create:own",
            "runs:read:own",
            "runs:update:own",
            "runs:continue:own",
            "state:read:own",
            "files:read:own",
            "audit:read:own",
        ],
    },
    BuiltIn {
        name: "viewer",
        description: "Sees what there is, without the contents of runs, chats, state, files and the ledger.",
        permissions: &[
            "orgs:read:all",
            "users:read:all",
            "members:read:all",
            "groups:read:all",
            "roles:read:all",
            "permissions:read:all",
            "agents:read:all",
            "clients:read:all",
            "functions:read:all",
            "packages:read:all",
            "hooks:read:all",
            "schedules:read:all",
            "models:read:all",
            "skills:read:all",
            "mcp_servers:read:all",
            "tools:read:all",
            "toolsets:read:all",
            "toolkits:read:all",
            "plans:read:all",
            "usage:read:all",
            "analytics:read:all",
            "runs:read:own",
            "audit:read:own",
        ],
    },
    BuiltIn {
        name: "auditor",
        description: "Reads and proves who did what with which right; changes nothing.",
        permissions: &[
            "orgs:read:all",
            "users:read:all",
            "members:read:all",
            "groups:read:all",
            "roles:read:all",
            "permissions:read:all",
            "api_keys:read:all",
            "policies:read:all",
            "auth_providers:read:all",
            "sessions:read:all",
            "agents:read:all",
            "credentials:read:all",
            "clients:read:all",
            "tokens:read:all",
            "delegations:read:all",
            "federation:read:all",
            "trust_policies:read:all",
            "functions:read:all",
            "packages:read:all",
            "runs:read:all",
            "approvals:read:all",
            "hooks:read:all",
            "schedules:read:all",
            "models:read:all",
            "skills:read:all",
            "mcp_servers:read:all",
            "tools:read:all",
            "toolsets:read:all",
            "toolkits:read:all",
            "webhooks:read:all",
            "config:read:all",
            "compliance:read:all",
            "analytics:read:all",
            "usage:read:all",
            "plans:read:all",
            "billing:read:all",
            "audit:read:all",
        ],
    },
];

pub fn built_in(name: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|role| role.name == name)
}

impl BuiltIn {
    pub fn authority(&self) -> Authority {
        // The table above is held against the grammar by a test.
        self.permissions.iter().filter_map(|text| text.parse::<Permission>().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use authority::{Action, Known, Reach, Resource};

    use super::*;

    fn of(name: &str) -> Authority {
        built_in(name).unwrap().authority()
    }

    #[test]
    fn every_permission_of_a_built_in_role_parses_and_none_is_said_twice() {
        for role in BUILT_IN {
            for text in role.permissions {
                assert!(text.parse::<Permission>().is_ok(), "{}: {text}", role.name);
            }
            assert_eq!(role.authority().permissions().len(), role.permissions.len(), "{}", role.name);
        }
    }

    #[test]
    fn an_owner_holds_every_other_role_but_that_of_the_instance() {
        let owner = of("owner");
        for role in BUILT_IN.iter().filter(|role| role.name != "operator") {
            assert!(role.authority().is_subset_of(&owner), "{}", role.name);
        }
        assert!(!of("operator").is_subset_of(&owner));
        assert!(!owner.is_subset_of(&of("admin")), "an admin cannot make owners");
    }

    #[test]
    fn an_admin_misses_no_resource_by_forgetfulness() {
        let said = built_in("admin").unwrap().permissions;
        for known in Known::ALL.iter().filter(|known| **known != Known::System) {
            let prefix = format!("{}:", known.name());
            assert!(said.iter().any(|text| text.starts_with(&prefix)), "admin says nothing about {prefix}");
        }
    }

    #[test]
    fn who_only_looks_changes_nothing() {
        for name in ["viewer", "auditor"] {
            assert!(of(name).permissions().iter().all(|one| one.action == Action::Read), "{name}");
        }
        for name in ["member", "viewer", "curator", "auditor"] {
            for permission in of(name).permissions() {
                let instance = permission.resource == Resource::Known(Known::System);
                let secrets = permission.resource == Resource::Known(Known::Secrets);
                assert!(
                    !instance && !secrets && permission.resource != Resource::Any,
                    "{name}: {permission}"
                );
            }
        }
        let member = of("member");
        let writes = member.permissions().iter().filter(|one| one.action != Action::Read);
        assert!(writes.into_iter().all(|one| one.reach == Some(Reach::Own)), "a member writes its own only");
    }
}
