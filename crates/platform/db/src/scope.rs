//! Whose rows a statement may see. On PostgreSQL a scope also chooses the role: row-level security is the last wall.

use types::OrgId;

/// One organization. Handed out by the admission of a request (platform/web) and by leased runs, both with proof of the
/// caller's rights; `xtask tidy` lists who may make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OrgScope(OrgId);

impl OrgScope {
    pub fn proven(org: OrgId) -> Self {
        Self(org)
    }

    pub fn org(&self) -> OrgId {
        self.0
    }
}

/// Work that belongs to no organization: sign-in look-ups, sequencer, leases, sweeps. `xtask tidy` lists who may.
#[derive(Clone, Copy, Debug)]
pub struct SystemScope {
    purpose: &'static str,
}

impl SystemScope {
    pub const fn new(purpose: &'static str) -> Self {
        Self { purpose }
    }

    /// Why this work needs no organization; for logs.
    pub fn purpose(&self) -> &'static str {
        self.purpose
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Scope {
    Org(OrgScope),
    System(SystemScope),
}

impl From<OrgScope> for Scope {
    fn from(scope: OrgScope) -> Self {
        Self::Org(scope)
    }
}

impl From<&OrgScope> for Scope {
    fn from(scope: &OrgScope) -> Self {
        Self::Org(*scope)
    }
}

impl From<SystemScope> for Scope {
    fn from(scope: SystemScope) -> Self {
        Self::System(scope)
    }
}
