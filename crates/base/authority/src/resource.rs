//! The catalogue of resources, and the form of those that outside applications bring along.

use std::borrow::Cow;
use std::fmt;

use crate::text::{is_word, same};

macro_rules! resources {
    ($($variant:ident = $name:literal, $meaning:literal;)+) => {
        /// The resources of this server.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Known {
            $(#[doc = $meaning] $variant,)+
        }

        impl Known {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word in the grammar.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// One line for the catalogue of permissions.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }
        }
    };
}

resources! {
    Agents = "agents", "Agents: registered and hosted";
    Credentials = "credentials", "Credentials of agents";
    Clients = "clients", "OAuth clients and consents";
    Tokens = "tokens", "Issued tokens";
    Users = "users", "People";
    Members = "members", "Memberships and invitations";
    Groups = "groups", "Groups";
    Roles = "roles", "Roles and who holds them";
    Permissions = "permissions", "The catalogue of permissions";
    ApiKeys = "api_keys", "API keys";
    Policies = "policies", "Policy bundles and decisions";
    AuthProviders = "auth_providers", "Sign-in providers";
    Sessions = "sessions", "Sessions of people";
    Functions = "functions", "Functions and their versions";
    Packages = "packages", "Packages that functions may use";
    Runs = "runs", "Runs, their logs and results";
    Approvals = "approvals", "Requests that wait for a person";
    Hooks = "hooks", "Incoming webhooks";
    Schedules = "schedules", "Schedules";
    State = "state", "Key-value state";
    Chats = "chats", "Conversations";
    Models = "models", "Language models and their providers";
    Skills = "skills", "Skills of agents";
    McpServers = "mcp_servers", "Upstream MCP servers";
    Tools = "tools", "Tools";
    Toolsets = "toolsets", "Sets of tools";
    Connections = "connections", "Accounts connected at third parties";
    Secrets = "secrets", "Secrets that functions and tools use";
    Toolkits = "toolkits", "Installed toolkits";
    Audit = "audit", "The ledger";
    Webhooks = "webhooks", "Outgoing webhooks";
    Federation = "federation", "Federation partners";
    TrustPolicies = "trust_policies", "Trust in foreign workload identities";
    Delegations = "delegations", "Delegation grants";
    Plans = "plans", "The plan of the organization";
    Billing = "billing", "Invoices and payment";
    Usage = "usage", "Metered usage";
    Analytics = "analytics", "Analytics";
    Compliance = "compliance", "Controls and reports";
    Config = "config", "Configuration as files";
    Orgs = "orgs", "The organization itself";
    Files = "files", "Files and attachments";
    Queues = "queues", "Queues of runs";
    Workers = "workers", "Workers and pools";
    System = "system", "The instance; never inside `*`";
}

/// What a permission is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// `*`: everything but the instance.
    Any,
    Known(Known),
    /// Of an outside application, told by its dot: `titan.courses`.
    Custom(Cow<'static, str>),
}

impl Resource {
    /// Is everything in `other` also in `self`? `*` never holds `system`.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, Self::Known(Known::System)) => false,
            (Self::Any, _) => true,
            _ => self == other,
        }
    }

    pub(crate) fn meet(&self, other: &Self) -> Option<Self> {
        if self.covers(other) {
            return Some(other.clone());
        }
        other.covers(self).then(|| self.clone())
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        if let Some(known) = known(text) {
            return Some(Self::Known(known));
        }
        is_custom(text).then(|| Self::Custom(Cow::Owned(text.to_owned())))
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Any => "*",
            Self::Known(known) => known.name(),
            Self::Custom(name) => name,
        })
    }
}

/// The catalogue's entry of that name.
pub(crate) const fn known(text: &str) -> Option<Known> {
    let mut at = 0;
    while at < Known::ALL.len() {
        if same(Known::ALL[at].name(), text) {
            return Some(Known::ALL[at]);
        }
        at += 1;
    }
    None
}

fn is_custom(text: &str) -> bool {
    text.contains('.') && text.split('.').all(is_word)
}
