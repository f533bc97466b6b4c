//! Groups: members are users and agents of the organization. What a group holds is given to it by grants, not from here.

use std::collections::{HashMap, HashSet};

use authority::Required;
use db::Change;
use people::{Group, GroupPatch, WantedGroup};
use problem::Problem;
use serde_json::{Map, Value, json};
use types::{GroupId, Id, Timestamp};
use web::{Allowance, Decided, PrincipalId};

use super::{AGENT, Shown, USER, Write, envelope, location, meta, needed, put, text, values};
use crate::error::ScimError;
use crate::patch::read_whole;
use crate::query::{Projection, Query};
use crate::reply::Preconditions;
use crate::schema::{Attribute, Column, ResourceType};
use crate::service::Scim;

pub(crate) const READ: Required = Required::parse("groups:read");
/// Members that one request may put in or take out.
const MOST_CHANGES: usize = 1_000;

fn group_id(text: &str) -> Option<types::Uuid> {
    text.parse::<GroupId>().ok().map(Id::uuid)
}

fn principal_id(text: &str) -> Option<types::Uuid> {
    text.parse::<PrincipalId>().ok().map(PrincipalId::uuid)
}

pub(crate) static GROUP: ResourceType = ResourceType {
    name: "Group",
    endpoint: "/Groups",
    schema: "urn:ietf:params:scim:schemas:core:2.0:Group",
    about: "A group of members and agents, which hold what it holds.",
    common: &[
        Attribute::text("id", "Its id here.")
            .read_only()
            .always()
            .exact()
            .unique()
            .column(Column::Id("groups.id", group_id)),
        Attribute::text("externalId", "Its id in the directory.")
            .exact()
            .column(Column::Text("groups.external_group_id")),
        Attribute::complex(
            "meta",
            "About the resource.",
            &[
                Attribute::time("created", "When it was made.").column(Column::Time("groups.created_at")),
                Attribute::time("lastModified", "When it was last changed.")
                    .column(Column::Time("groups.updated_at")),
            ],
        )
        .read_only(),
    ],
    attributes: &[
        Attribute::text("displayName", "Its name; unique in the organization.")
            .required()
            .unique()
            .column(Column::Text("groups.name")),
        Attribute::complex(
            "members",
            "Who is in it. Whoever puts somebody in must hold what the group holds.",
            &[
                Attribute::text("value", "The id of a user or an agent.")
                    .immutable()
                    .exact()
                    .column(Column::Id("group_members.principal", principal_id)),
                Attribute::reference("$ref", "The user or agent.", &["User", "Agent"]).immutable(),
                Attribute::text("type", "`User` or `Agent`.").immutable().one_of(&["User", "Agent"]).column(
                    Column::Text(
                        "CASE group_members.principal_kind WHEN 'user' THEN 'User' ELSE 'Agent' END",
                    ),
                ),
            ],
        )
        .multi()
        .column(Column::Rows(
            "EXISTS (SELECT 1 FROM group_members WHERE group_members.org = groups.org \
             AND group_members.group_id = groups.id AND",
        )),
    ],
    not_kept: &["members.display"],
};

type Marks = HashMap<GroupId, (i64, Timestamp)>;

impl Scim {
    pub(crate) async fn groups(&self, by: &Allowance, query: &Query) -> Result<(Vec<Shown>, i64), Problem> {
        let search = query.search(&GROUP)?;
        let (groups, total) = self.people.search_groups(by, &READ, &search).await?;
        Ok((self.show_groups(by, &groups, &query.projection(&GROUP)).await?, total))
    }

    pub(crate) async fn group(
        &self,
        by: &Allowance,
        id: GroupId,
        shown: &Projection,
    ) -> Result<Shown, Problem> {
        let group = self.people.find_group(by, id).await?;
        let mut one = self.show_groups(by, std::slice::from_ref(&group), shown).await?;
        one.pop().ok_or_else(|| Problem::internal("a group that cannot be shown"))
    }

    pub(crate) async fn create_group(
        &self,
        by: &Allowance,
        body: &Value,
    ) -> Result<(Option<Change>, GroupId), Problem> {
        let given = read_whole(&GROUP, body)?;
        let wanted = WantedGroup {
            name: name(&given)?,
            description: String::new(),
            external_group_id: text(&given, "externalId", 200)?,
            email_domain: None,
        };
        let members = principals(&given)?;
        within_bounds(members.len())?;
        let Decided { change, answer } = self.people.provision_group(by, &wanted, &members).await?;
        Ok((Some(change), answer.id))
    }

    pub(crate) async fn write_group(
        &self,
        by: &Allowance,
        id: GroupId,
        how: &Write<'_>,
        only: &Preconditions,
    ) -> Result<Option<Change>, Problem> {
        let group = self.people.find_group(by, id).await?;
        let shown = self.show_groups(by, std::slice::from_ref(&group), &Projection::default()).await?;
        let Some(Shown { version, resource: before }) = shown.into_iter().next() else {
            return Err(Problem::internal("a group that cannot be shown"));
        };
        only.hold(&version)?;
        let after = how.applied(&GROUP, &before)?;
        let (new_name, external_id) = (name(&after)?, text(&after, "externalId", 200)?);
        let patch = GroupPatch {
            name: (new_name != group.name).then_some(new_name),
            external_group_id: (external_id != group.external_group_id).then_some(external_id),
            ..GroupPatch::default()
        };
        let (old, new) = (principals(&before)?, principals(&after)?);
        let missing = |from: &[PrincipalId], of: &[PrincipalId]| -> Vec<PrincipalId> {
            let known: HashSet<&PrincipalId> = from.iter().collect();
            of.iter().filter(|one| !known.contains(one)).copied().collect()
        };
        let (joining, leaving) = (missing(&old, &new), missing(&new, &old));
        within_bounds(joining.len() + leaving.len())?;
        Ok(self.people.reprovision_group(by, group, &patch, &joining, &leaving).await?.0)
    }

    pub(crate) async fn delete_group(
        &self,
        by: &Allowance,
        id: GroupId,
        only: &Preconditions,
    ) -> Result<Option<Change>, Problem> {
        let group = self.people.find_group(by, id).await?;
        let marks = self.access.marks_of(&by.scope(), &[id]).await?;
        only.hold(&version(&group, &marks))?;
        Ok(Some(self.people.delete_group(by, id).await?.change))
    }

    async fn show_groups(
        &self,
        by: &Allowance,
        groups: &[Group],
        shown: &Projection,
    ) -> Result<Vec<Shown>, Problem> {
        let ids: Vec<GroupId> = groups.iter().map(|group| group.id).collect();
        let marks = self.access.marks_of(&by.scope(), &ids).await?;
        let wanted = if shown.shows("members") { ids.as_slice() } else { &[] };
        let mut members = self.access.members_of_all(&by.scope(), wanted).await?;
        let show = |group: &Group| {
            let members = members.remove(&group.id).unwrap_or_default();
            let version = version(group, &marks);
            let mut resource = self.show_group(group, &members, &version);
            shown.cut(&GROUP, &mut resource);
            Shown { version, resource }
        };
        Ok(groups.iter().map(show).collect())
    }

    fn show_group(&self, group: &Group, members: &[PrincipalId], version: &str) -> Map<String, Value> {
        let id = group.id.to_string();
        let mut resource = envelope(&GROUP, id.clone(), group.external_group_id.as_deref());
        put(&mut resource, "displayName", Some(&group.name));
        if !members.is_empty() {
            let shown = |member: &PrincipalId| {
                let of = match member {
                    PrincipalId::User(_) => &USER,
                    PrincipalId::Agent(_) => &AGENT,
                };
                let id = member.to_string();
                json!({ "value": id, "$ref": location(of, &self.base, &id), "type": of.name })
            };
            resource.insert("members".into(), members.iter().map(shown).collect());
        }
        let changed = Some(group.updated_at);
        resource.insert("meta".into(), meta(&GROUP, &self.base, &id, version, group.created_at, changed));
        resource
    }
}

/// Members come and go without the group's own row being written.
fn version(group: &Group, marks: &Marks) -> String {
    let (count, latest) = marks.get(&group.id).map_or((0, 0), |(count, latest)| (*count, latest.millis()));
    format!("W/\"{}.{count}.{latest}\"", group.revision)
}

fn name(resource: &Map<String, Value>) -> Result<String, ScimError> {
    needed("displayName", text(resource, "displayName", 200)?)
}

fn principals(resource: &Map<String, Value>) -> Result<Vec<PrincipalId>, ScimError> {
    let read = |text: String| {
        text.parse()
            .map_err(|_| ScimError::value("members", format!("{text:?} is the id of no user and no agent")))
    };
    values(resource, "members").into_iter().map(read).collect()
}

fn within_bounds(changes: usize) -> Result<(), ScimError> {
    if changes > MOST_CHANGES {
        let reason = format!("can be changed by {MOST_CHANGES} in one request; send several");
        return Err(ScimError::value("members", reason));
    }
    Ok(())
}
