//! Organizations: the one that the caller stands in, its others, and those of the instance.

use futures::Stream;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Client, Error, Page, PersonTokens, Time, page};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Org {
    pub id: String,
    pub slug: String,
    pub name: String,
    /// The first organization of the instance.
    pub home: bool,
    /// Whose personal organization it is.
    pub personal_of: Option<String>,
    pub billing_email: Option<String>,
    pub settings: OrgSettings,
    /// `active`, `leaving` or `erasing`.
    pub status: String,
    /// When its grace ends, while it is `leaving`.
    pub erase_after: Option<Time>,
    pub created_at: Time,
    pub revision: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrgSettings {
    pub time_zone: Option<String>,
    pub session_lifetime_seconds: Option<u32>,
    pub new_agents_need_approval: bool,
    /// By environment: `credentials`, `keys`, `webhook_secrets`.
    pub maximum_age_seconds: Map<String, Value>,
    pub notification_addresses: Vec<String>,
}

/// An organization in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrgSummary {
    pub id: String,
    pub slug: String,
    pub name: String,
    pub home: bool,
    /// Whether it is somebody's personal organization.
    pub personal: bool,
    /// Whether the caller stands in it now.
    pub current: bool,
    pub status: String,
    pub created_at: Time,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewOrg {
    pub slug: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_email: Option<String>,
    /// Id of a user; the caller if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// What is left out stays; `settings` is merged (RFC 7396), so that null takes a setting away.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrgPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `Some(None)` takes it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_email: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<Map<String, Value>>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct OrgFilter {
    /// `active`, `leaving` or `erasing`.
    pub status: Option<String>,
    /// Part of the slug or name.
    pub q: Option<String>,
    /// Only those that the caller is a member of, also for operators.
    pub mine: Option<bool>,
    /// Items per page, 1 to 200.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// `client.orgs()`. An organization is named by its id or slug.
#[derive(Clone, Copy)]
pub struct Orgs<'a>(&'a Client);

impl Client {
    pub fn orgs(&self) -> Orgs<'_> {
        Orgs(self)
    }
}

const PATH: [&str; 3] = ["api", "v1", "orgs"];

impl Orgs<'_> {
    /// The organization that the caller stands in.
    pub async fn current(&self) -> Result<Org, Error> {
        self.0.get(&["api", "v1", "org"]).answer().await
    }

    /// For operators.
    pub async fn create(&self, new: &NewOrg) -> Result<Org, Error> {
        self.0.post(&PATH).json(new).once().answer().await
    }

    /// Those that the caller belongs to; for operators all of the instance.
    pub async fn list(&self, filter: &OrgFilter) -> Result<Page<OrgSummary>, Error> {
        self.0.get(&PATH).query(filter).answer().await
    }

    pub fn all(&self, filter: &OrgFilter) -> impl Stream<Item = Result<OrgSummary, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&OrgFilter { cursor, ..filter.clone() }).await
        })
    }

    pub async fn get(&self, org: &str) -> Result<Org, Error> {
        self.0.get(&["api", "v1", "orgs", org]).answer().await
    }

    /// With a revision the change is refused (`stale_revision`) if somebody else was faster.
    pub async fn update(&self, org: &str, patch: &OrgPatch, revision: Option<i64>) -> Result<Org, Error> {
        self.0.patch(&["api", "v1", "orgs", org]).json(patch).if_revision(revision).answer().await
    }

    /// Begins 30 days of grace, after which everything is erased. `slug` says once more which one is meant.
    pub async fn delete(&self, org: &str, slug: &str) -> Result<Org, Error> {
        self.0.delete(&["api", "v1", "orgs", org]).json(&Typed { slug }).answer().await
    }

    /// Ends the grace in the organization's favour.
    pub async fn restore(&self, org: &str) -> Result<Org, Error> {
        self.0.post(&["api", "v1", "orgs", org, "restore"]).once().answer().await
    }

    /// Tokens of the same person in another organization; those in use are void from then on.
    pub async fn switch(&self, org: &str) -> Result<PersonTokens, Error> {
        self.0.post(&["api", "v1", "auth", "switch", "token"]).json(&To { org }).answer().await
    }
}

#[derive(Serialize)]
struct Typed<'a> {
    slug: &'a str,
}

#[derive(Serialize)]
struct To<'a> {
    org: &'a str,
}
