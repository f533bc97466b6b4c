//! `safeconduct roles …`

use clap::{Args, Subcommand};
use client::{NewRole, Role, RoleFilter, RolePatch};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, Listing, show, show_all};
use crate::table::Cell;

#[derive(Subcommand, Clone, Debug)]
pub enum RolesCommand {
    /// List the roles that can be given: the built-in ones, then the organization's own.
    List(List),
    /// Show a role with all its permissions.
    Show(Named),
    /// Make a role of your organization's own; it can allow only what you hold.
    Create(Create),
    /// Change a role for everybody who holds it; what is not named stays.
    Update(Update),
    /// Delete a role that nobody holds.
    Delete(Named),
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
pub struct Named {
    /// Name or id.
    role: String,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:
  safeconduct roles create releaser --permission 'functions/release/*:execute:all' --permission runs:read:own")]
pub struct Create {
    /// Fixed; grants refer to it.
    name: String,
    #[arg(long, default_value = "")]
    description: String,
    /// Such as `agents:read:all`; you must hold it. May be repeated.
    #[arg(long = "permission", value_name = "PERMISSION", required = true)]
    permissions: Vec<String>,
}

#[derive(Args, Clone, Debug)]
pub struct Update {
    /// Name or id.
    role: String,
    #[arg(long)]
    description: Option<String>,
    /// The whole list anew; may be repeated.
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,
    /// Refuse if the role has another revision by now.
    #[arg(long, value_name = "N")]
    if_revision: Option<i64>,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: RolesCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let roles = client.roles();
    let role = match command {
        RolesCommand::List(list) => {
            let limit = Some(if list.listing.all { 200 } else { list.listing.limit });
            let filter = RoleFilter { q: list.search, limit, cursor: list.listing.cursor, count: None };
            if list.listing.all {
                return show_all(&mut desk.screen, roles.all(&filter), &COLUMNS).await;
            }
            return show(&mut desk.screen, &roles.list(&filter).await?, &COLUMNS);
        }
        RolesCommand::Show(Named { role }) => roles.get(&role).await?,
        RolesCommand::Create(Create { name, description, permissions }) => {
            roles.create(&NewRole { name, description, permissions }).await?
        }
        RolesCommand::Update(update) => {
            let permissions = Some(update.permissions).filter(|permissions| !permissions.is_empty());
            let patch = RolePatch { description: update.description, permissions };
            roles.update(&update.role, &patch, update.if_revision).await?
        }
        RolesCommand::Delete(Named { role }) => {
            desk.screen.confirm(&format!("Delete the role {role}?"))?;
            roles.delete(&role).await?
        }
    };
    desk.screen.record(&role, &role.name, &rows(&role))
}

static COLUMNS: Columns<Role> = Columns {
    id: |role| &role.name,
    columns: &[
        ("role", |role| Cell::from(&role.name)),
        ("about", |role| Cell::from(&role.description)),
        ("permissions", |role| Cell::from(abridged(&role.permissions))),
    ],
};

fn rows(role: &Role) -> Vec<(&'static str, Cell)> {
    let mut rows = vec![
        ("role", Cell::from(&role.name)),
        ("about", Cell::from(&role.description)),
        ("built in", Cell::from(if role.built_in { "yes" } else { "no" })),
    ];
    rows.extend(
        role.permissions
            .iter()
            .enumerate()
            .map(|(at, permission)| (if at == 0 { "permissions" } else { "" }, Cell::from(permission))),
    );
    rows
}

/// The first few; `roles show` has them all.
fn abridged(permissions: &[String]) -> String {
    match permissions {
        [one, two, three, _, ..] => {
            format!("{one}, {two}, {three} and {} more", permissions.len() - 3)
        }
        few => few.join(", "),
    }
}
