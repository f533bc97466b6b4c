//! `safeconduct roles …`

use clap::Subcommand;
use client::Role;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, show};
use crate::table::Cell;

#[derive(Subcommand, Clone, Debug)]
pub enum RolesCommand {
    /// List the roles that can be given.
    List,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: RolesCommand) -> Result<(), Failure> {
    let RolesCommand::List = command;
    let page = desk.client()?.roles().list().await?;
    show(&mut desk.screen, &page, &COLUMNS)
}

static COLUMNS: Columns<Role> = Columns {
    id: |role| &role.name,
    columns: &[
        ("role", |role| Cell::from(&role.name)),
        ("about", |role| Cell::from(&role.description)),
        ("permissions", |role| Cell::from(abridged(&role.permissions))),
    ],
};

/// The first few; `roles show` has them all.
fn abridged(permissions: &[String]) -> String {
    match permissions {
        [one, two, three, _, ..] => {
            format!("{one}, {two}, {three} and {} more", permissions.len() - 3)
        }
        few => few.join(", "),
    }
}
