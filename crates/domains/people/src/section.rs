//! Groups in files of configuration: what they are called. Who is in them is for people and directories to say.

use authority::Required;
use db::DbError;
use manifest::Section;
use problem::Problem;
use serde::{Deserialize, Serialize};
use types::{DomainName, GroupId};
use utoipa::ToSchema;
use web::{Allowance, Errand, Undone};

use crate::groups::{Group, GroupPatch, WantedGroup};
use crate::routes::groups::{CreateGroup, DeleteGroup, ListGroups, UpdateGroup};
use crate::{People, store};

/// Groups of one organization at the most that a file deals with.
const MOST: i64 = 10_000;
const READ: Required = Required::parse("groups:read");

/// The section `groups`.
pub struct GroupsSection(pub People);

/// A group.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfigGroup)]
pub struct GroupEntry {
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    #[serde(default)]
    #[schema(max_length = 2000)]
    description: String,
    /// Its id in the directory that it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200)]
    external_group_id: Option<String>,
    /// A proved domain: whoever joins the organization with an address in it belongs to the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    email_domain: Option<DomainName>,
}

impl People {
    /// The groups that the caller may read, by their names.
    pub async fn named_groups(&self, by: &Allowance) -> Result<Vec<(GroupId, String)>, DbError> {
        let groups = store::groups_for(&self.inner().db, by, &READ, MOST).await?;
        Ok(groups.into_iter().map(|group| (group.id, group.name)).collect())
    }
}

impl Section for GroupsSection {
    type Entry = GroupEntry;

    const NAME: &'static str = "groups";

    fn key(entry: &GroupEntry) -> String {
        entry.name.clone()
    }

    async fn standing(&self, errand: &Errand) -> Result<Vec<(String, GroupEntry)>, Problem> {
        let by = errand.admit::<ListGroups>().await?;
        let groups = store::groups(&self.0.inner().db, &by, None, None, MOST).await?;
        groups.into_iter().map(told).collect()
    }

    async fn make(&self, errand: &Errand, entry: &GroupEntry) -> Result<String, Undone> {
        let wanted = WantedGroup {
            name: entry.name.clone(),
            description: entry.description.clone(),
            external_group_id: entry.external_group_id.clone(),
            email_domain: entry.email_domain.as_ref().map(ToString::to_string),
        };
        let decide = |by| async move { self.0.create_group(&by, &wanted).await };
        Ok(errand.act::<CreateGroup, _, _, _>(decide).await?.id.to_string())
    }

    async fn alter(
        &self,
        errand: &Errand,
        id: &str,
        before: &GroupEntry,
        after: &GroupEntry,
    ) -> Result<(), Undone> {
        let id = parsed(id)?;
        let domain = |entry: &GroupEntry| entry.email_domain.as_ref().map(ToString::to_string);
        let patch = GroupPatch {
            name: None,
            description: (before.description != after.description).then(|| after.description.clone()),
            external_group_id: (before.external_group_id != after.external_group_id)
                .then(|| after.external_group_id.clone()),
            email_domain: (before.email_domain != after.email_domain).then(|| domain(after)),
        };
        let decide = |by| async move { self.0.update_group(&by, id, &patch).await };
        errand.act::<UpdateGroup, _, _, _>(decide).await.map(drop)
    }

    async fn remove(&self, errand: &Errand, id: &str) -> Result<(), Undone> {
        let id = parsed(id)?;
        let decide = |by| async move { self.0.delete_group(&by, id).await };
        errand.act::<DeleteGroup, _, _, _>(decide).await.map(drop)
    }
}

fn told(group: Group) -> Result<(String, GroupEntry), Problem> {
    let email_domain = group.email_domain.map(|domain| domain.parse()).transpose();
    let entry = GroupEntry {
        name: group.name,
        description: group.description,
        external_group_id: group.external_group_id,
        email_domain: email_domain.map_err(Problem::internal)?,
    };
    Ok((group.id.to_string(), entry))
}

fn parsed(id: &str) -> Result<GroupId, Problem> {
    id.parse().map_err(Problem::internal)
}
