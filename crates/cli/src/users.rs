//! `safeconduct users …`

use clap::Subcommand;
use client::{User, UserFilter};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, Listing, show, show_all};
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum UsersCommand {
    /// List the people of the organization.
    List(Listing),
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: UsersCommand) -> Result<(), Failure> {
    let UsersCommand::List(listing) = command;
    let client = desk.client()?;
    let users = client.users();
    if listing.all {
        let all = users.all(&UserFilter { limit: Some(200), cursor: None });
        return show_all(&mut desk.screen, all, &COLUMNS).await;
    }
    let filter = UserFilter { limit: Some(listing.limit), cursor: listing.cursor };
    show(&mut desk.screen, &users.list(&filter).await?, &COLUMNS)
}

static COLUMNS: Columns<User> = Columns {
    id: |user| &user.id,
    columns: &[
        ("user", |user| Cell::from(&user.id)),
        ("name", |user| Cell::from(&user.display_name)),
        ("e-mail", |user| Cell::from(user.email.as_deref().unwrap_or_default())),
        ("status", |user| Cell::toned(&user.status, Tone::of_status(&user.status))),
        ("last login", |user| Cell::from(user.last_login_at.as_ref().map_or("never", |time| time.as_str()))),
    ],
};
