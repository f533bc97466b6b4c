//! `safeconduct members …`

use clap::{Args, Subcommand};
use client::{Member, MemberFilter};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, Listing, show, show_all};
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum MembersCommand {
    /// List the members of the organization.
    List(List),
    /// Show a member.
    Show {
        /// Id of the user.
        user: String,
    },
    /// Give a member exactly these roles.
    Roles(Roles),
    /// Suspend a member everywhere; its address must lie in a domain that the organization has proved.
    Suspend(Suspend),
    /// Undo the organization's own suspension of a member.
    Reactivate {
        /// Id of the user.
        user: String,
    },
    /// Remove a member; its agents pass on or are suspended.
    Remove(Remove),
}

#[derive(Args, Clone, Debug)]
pub struct List {
    /// active or suspended.
    #[arg(long)]
    status: Option<String>,
    /// Part of the name or address.
    #[arg(long, short = 's', value_name = "TEXT")]
    search: Option<String>,
    /// Only those who were given this role themselves.
    #[arg(long)]
    role: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct members roles usr_01h455vb4pex5vsknk084sn02q member auditor")]
pub struct Roles {
    /// Id of the user.
    user: String,
    /// All roles that the member has from now on; none takes them all.
    roles: Vec<String>,
    /// Refuse if the membership has another revision by now.
    #[arg(long, value_name = "N")]
    if_revision: Option<i64>,
}

#[derive(Args, Clone, Debug)]
pub struct Suspend {
    /// Id of the user.
    user: String,
    /// Why; it stands on the record.
    #[arg(long)]
    reason: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub struct Remove {
    /// Id of the user.
    user: String,
    /// User or group who owns the member's agents from now on; without it they are suspended.
    #[arg(long, value_name = "OWNER")]
    agents_to: Option<String>,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: MembersCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let members = client.members();
    match command {
        MembersCommand::List(list) if list.listing.all => {
            show_all(&mut desk.screen, members.all(&list.filter(200)), &COLUMNS).await
        }
        MembersCommand::List(list) => {
            let page = members.list(&list.filter(list.listing.limit)).await?;
            show(&mut desk.screen, &page, &COLUMNS)
        }
        MembersCommand::Show { user } => shown(desk, &members.get(&user).await?),
        MembersCommand::Roles(roles) => {
            shown(desk, &members.update(&roles.user, &roles.roles, roles.if_revision).await?)
        }
        MembersCommand::Suspend(Suspend { user, reason }) => {
            desk.screen.confirm(&format!("Suspend {user}? Every session ends at once, everywhere."))?;
            shown(desk, &client.users().suspend_inside(&user, reason.as_deref()).await?)
        }
        MembersCommand::Reactivate { user } => shown(desk, &client.users().reactivate_inside(&user).await?),
        MembersCommand::Remove(remove) => {
            let agents = match &remove.agents_to {
                Some(heir) => format!("Its agents pass to {heir}."),
                None => "Its agents are suspended.".to_owned(),
            };
            desk.screen.confirm(&format!("Remove {} from the organization? {agents}", remove.user))?;
            shown(desk, &members.remove(&remove.user, remove.agents_to.as_deref()).await?)
        }
    }
}

static COLUMNS: Columns<Member> = Columns {
    id: |member| &member.user,
    columns: &[
        ("user", |member| Cell::from(&member.user)),
        ("name", |member| Cell::toned(&member.display_name, Tone::Strong)),
        ("e-mail", |member| Cell::from(member.email.as_deref().unwrap_or_default())),
        ("roles", |member| Cell::from(member.roles.join(", "))),
        ("status", |member| Cell::toned(&member.status, Tone::of_status(&member.status))),
    ],
};

fn shown(desk: &mut Desk<'_>, member: &Member) -> Result<(), Failure> {
    let rows = [
        ("user", Cell::from(&member.user)),
        ("name", Cell::toned(&member.display_name, Tone::Strong)),
        ("e-mail", Cell::from(member.email.as_deref().unwrap_or_default())),
        ("status", Cell::toned(&member.status, Tone::of_status(&member.status))),
        ("roles", Cell::from(member.roles.join(", "))),
        ("joined", Cell::from(member.joined_at.as_str())),
        ("invited by", Cell::from(member.invited_by.as_deref().unwrap_or_default())),
        ("last login", Cell::from(member.last_login_at.as_ref().map_or("never", |time| time.as_str()))),
        ("revision", Cell::from(member.revision.to_string())),
    ];
    desk.screen.record(member, &member.user, &rows)
}

impl List {
    fn filter(&self, limit: u32) -> MemberFilter {
        MemberFilter {
            status: self.status.clone(),
            q: self.search.clone(),
            role: self.role.clone(),
            limit: Some(limit),
            cursor: self.listing.cursor.clone(),
        }
    }
}
