//! Organizations, people, sessions.

use std::fmt;
use std::str::FromStr;

use types::{AuthProviderId, OrgId, SessionId, Timestamp, UserId};

use crate::settings::OrgSettings;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Org {
    pub id: OrgId,
    pub slug: String,
    pub name: String,
    /// The first organization; paths without `/o/{slug}` mean it.
    pub home: bool,
    /// Whose personal organization it is.
    pub personal_of: Option<UserId>,
    pub billing_email: Option<String>,
    pub settings: OrgSettings,
    pub standing: OrgStanding,
    pub created_at: Timestamp,
    pub revision: i64,
}

/// `active` → `leaving`, from which it can be restored, → `erasing`, which is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrgStanding {
    Active,
    /// Its grace ends at this time.
    Leaving {
        erase_after: Timestamp,
    },
    /// Everybody is out; its rows go next.
    Erasing,
}

impl OrgStanding {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Leaving { .. } => "leaving",
            Self::Erasing => "erasing",
        }
    }

    pub const fn erase_after(self) -> Option<Timestamp> {
        match self {
            Self::Leaving { erase_after } => Some(erase_after),
            Self::Active | Self::Erasing => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: UserId,
    /// Sign-in name for password and directories; case-folded.
    pub username: Option<String>,
    pub email: Option<String>,
    /// An address that was not proved signs nobody in.
    pub email_verified: bool,
    pub display_name: String,
    pub locale: Option<String>,
    pub active: bool,
    pub created_at: Timestamp,
    pub last_login_at: Option<Timestamp>,
    pub revision: i64,
}

/// Where a session lives: in a browser's cookie or behind a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    Browser,
    Cli,
}

impl SessionKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Cli => "cli",
        }
    }
}

impl fmt::Display for SessionKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for SessionKind {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "browser" => Ok(Self::Browser),
            "cli" => Ok(Self::Cli),
            _ => Err(()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub org: OrgId,
    pub user: UserId,
    pub kind: SessionKind,
    pub generation: i64,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub stepped_up_until: Timestamp,
    pub user_agent: Option<String>,
    /// What proved the person: `link`, or the kinds of factors with `+` between, such as `password+totp`.
    pub factors: String,
    /// The provider that they came by; none for an owner link.
    pub provider: Option<AuthProviderId>,
    pub revoked: bool,
    pub revision: i64,
}

/// How somebody proved who they are; their session remembers it.
#[derive(Clone, Debug)]
pub struct How {
    pub factors: String,
    pub provider: Option<AuthProviderId>,
    /// Whether this proof opens acts that need step-up: it used every kind of factor that the person has.
    pub is_step_up: bool,
}

impl How {
    /// Without a provider, such as by a link.
    pub fn by(factors: &str) -> Self {
        Self { factors: factors.to_owned(), provider: None, is_step_up: true }
    }
}

impl Session {
    pub fn is_alive(&self, now: Timestamp) -> bool {
        !self.revoked && now < self.expires_at
    }
}
