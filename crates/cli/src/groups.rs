//! `safeconduct groups …`

use clap::{Args, Subcommand};
use client::{Group, GroupFilter, GroupMember, GroupPatch, NewGroup};

use crate::clearing::unless_empty;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, Listing, show, show_all};
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum GroupsCommand {
    /// Make a group.
    Create(Create),
    /// List groups.
    List(List),
    /// Show a group.
    Show {
        /// Id of the group.
        group: String,
    },
    /// Change a group; what is not named stays.
    Update(Update),
    /// End a group.
    Delete {
        /// Id of the group.
        group: String,
    },
    /// List who is in a group.
    Members {
        /// Id of the group.
        group: String,
        /// Where to go on: the `next_cursor` of the page before.
        #[arg(long, value_name = "CURSOR", allow_hyphen_values = true)]
        cursor: Option<String>,
    },
    /// Put a person or an agent into a group.
    Add(Who),
    /// Take a person or an agent out of a group.
    Remove(Who),
}

#[derive(Args, Clone, Debug)]
pub struct Create {
    name: String,
    #[arg(long, default_value = "")]
    description: String,
    /// Its id in the directory that it comes from.
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// Whoever joins with an address in this proved domain belongs to the group.
    #[arg(long, value_name = "DOMAIN")]
    email_domain: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub struct List {
    /// Part of the name or description.
    #[arg(long, short = 's', value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Args, Clone, Debug)]
pub struct Update {
    /// Id of the group.
    group: String,
    #[arg(long)]
    name: Option<String>,
    #[arg(long)]
    description: Option<String>,
    /// Its id in the directory that it comes from; an empty one takes it away.
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// Whoever joins with an address in this proved domain belongs to the group; an empty one ends that.
    #[arg(long, value_name = "DOMAIN")]
    email_domain: Option<String>,
    /// Refuse if the group has another revision by now.
    #[arg(long, value_name = "N")]
    if_revision: Option<i64>,
}

#[derive(Args, Clone, Debug)]
pub struct Who {
    /// Id of the group.
    group: String,
    /// Id of a user or an agent.
    member: String,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: GroupsCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let groups = client.groups();
    match command {
        GroupsCommand::Create(create) => {
            let Create { name, description, external_id, email_domain } = create;
            let new = NewGroup { name, description, external_group_id: external_id, email_domain };
            shown(desk, &groups.create(&new).await?)
        }
        GroupsCommand::List(list) if list.listing.all => {
            show_all(&mut desk.screen, groups.all(&list.filter(200)), &COLUMNS).await
        }
        GroupsCommand::List(list) => {
            let page = groups.list(&list.filter(list.listing.limit)).await?;
            show(&mut desk.screen, &page, &COLUMNS)
        }
        GroupsCommand::Show { group } => shown(desk, &groups.get(&group).await?),
        GroupsCommand::Update(update) => {
            let Update { group, name, description, external_id, email_domain, if_revision } = update;
            let patch = GroupPatch {
                name,
                description,
                external_group_id: external_id.map(unless_empty),
                email_domain: email_domain.map(unless_empty),
            };
            shown(desk, &groups.update(&group, &patch, if_revision).await?)
        }
        GroupsCommand::Delete { group } => {
            desk.screen.confirm(&format!("End {group}? Its members lose what they held through it."))?;
            shown(desk, &groups.delete(&group).await?)
        }
        GroupsCommand::Members { group, cursor } => {
            let page = groups.members(&group, cursor.as_deref()).await?;
            show(&mut desk.screen, &page, &MEMBERS)
        }
        GroupsCommand::Add(Who { group, member }) => in_group(desk, &groups.add(&group, &member).await?),
        GroupsCommand::Remove(Who { group, member }) => {
            in_group(desk, &groups.remove(&group, &member).await?)
        }
    }
}

static COLUMNS: Columns<Group> = Columns {
    id: |group| &group.id,
    columns: &[
        ("group", |group| Cell::from(&group.id)),
        ("name", |group| Cell::toned(&group.name, Tone::Strong)),
        ("about", |group| Cell::from(&group.description)),
        ("domain", |group| Cell::from(group.email_domain.as_deref().unwrap_or_default())),
    ],
};

static MEMBERS: Columns<GroupMember> = Columns {
    id: |member| &member.member,
    columns: &[
        ("member", |member| Cell::from(&member.member)),
        ("kind", |member| Cell::from(&member.kind)),
        ("added by", |member| Cell::from(&member.added_by)),
        ("added", |member| Cell::from(member.added_at.as_str())),
    ],
};

fn shown(desk: &mut Desk<'_>, group: &Group) -> Result<(), Failure> {
    let rows = [
        ("id", Cell::from(&group.id)),
        ("name", Cell::toned(&group.name, Tone::Strong)),
        ("about", Cell::from(&group.description)),
        ("external id", Cell::from(group.external_group_id.as_deref().unwrap_or_default())),
        ("domain", Cell::from(group.email_domain.as_deref().unwrap_or_default())),
        ("created", Cell::from(group.created_at.as_str())),
        ("revision", Cell::from(group.revision.to_string())),
    ];
    desk.screen.record(group, &group.id, &rows)
}

fn in_group(desk: &mut Desk<'_>, member: &GroupMember) -> Result<(), Failure> {
    let rows = [
        ("member", Cell::from(&member.member)),
        ("kind", Cell::from(&member.kind)),
        ("added by", Cell::from(&member.added_by)),
        ("added", Cell::from(member.added_at.as_str())),
    ];
    desk.screen.record(member, &member.member, &rows)
}

impl List {
    fn filter(&self, limit: u32) -> GroupFilter {
        GroupFilter { q: self.search.clone(), limit: Some(limit), cursor: self.listing.cursor.clone() }
    }
}
