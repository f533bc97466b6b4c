//! `safeconduct orgs …`

use clap::Subcommand;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::table::Cell;

#[derive(Subcommand, Clone, Debug)]
pub enum OrgsCommand {
    /// Show the organization you stand in.
    Show,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: OrgsCommand) -> Result<(), Failure> {
    let OrgsCommand::Show = command;
    let org = desk.client()?.orgs().current().await?;
    let rows = [
        ("id", Cell::from(&org.id)),
        ("slug", Cell::from(&org.slug)),
        ("name", Cell::from(&org.name)),
        ("home", Cell::from(if org.home { "yes" } else { "no" })),
        ("created", Cell::from(org.created_at.as_str())),
    ];
    desk.screen.record(&org, &org.id, &rows)
}
