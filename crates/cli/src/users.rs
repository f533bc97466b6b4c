//! `safeconduct users …`

use clap::{Args, Subcommand};
use client::{
    ImportOutcome, ImportReport, KnownUser, NewUser, Page, User, UserFilter, UserImport, UserSearch,
};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::files;
use crate::listing::{Columns, Listing, show, show_all};
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum UsersCommand {
    /// List the people of the organization.
    List(Listing),
    /// Create a person inside a domain that the organization has proved.
    Create(Create),
    /// Bring many people in from a file; says for each what became of it.
    Import {
        /// JSON as the API takes it: `{"provider": …, "entries": […]}`; `-` is standard input.
        file: std::path::PathBuf,
    },
    /// Look for people on the whole instance; for operators.
    Search(Search),
    /// Show a person and where it belongs; for operators.
    Show {
        /// Id of the user.
        user: String,
    },
    /// Suspend a person everywhere: every session ends, every token is void; for operators.
    Suspend {
        /// Id of the user.
        user: String,
        /// Why; it stands on the record.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let a suspended person sign in again; for operators.
    Reactivate {
        /// Id of the user.
        user: String,
    },
}

#[derive(Args, Clone, Debug)]
pub struct Create {
    /// E-mail address.
    email: String,
    #[arg(long)]
    display_name: String,
    /// Sign-in name.
    #[arg(long)]
    username: Option<String>,
    /// Role to give; you must hold it. May be repeated.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
}

#[derive(Args, Clone, Debug)]
pub struct Search {
    /// Part of the name or address.
    text: Option<String>,
    /// active or suspended.
    #[arg(long)]
    status: Option<String>,
    /// How many, 1 to 200.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    /// Where to go on: the `next_cursor` of the page before.
    #[arg(long, value_name = "CURSOR", allow_hyphen_values = true)]
    cursor: Option<String>,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: UsersCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let users = client.users();
    match command {
        UsersCommand::List(listing) if listing.all => {
            let all = users.all(&UserFilter { limit: Some(200), cursor: None });
            show_all(&mut desk.screen, all, &COLUMNS).await
        }
        UsersCommand::List(listing) => {
            let filter = UserFilter { limit: Some(listing.limit), cursor: listing.cursor };
            show(&mut desk.screen, &users.list(&filter).await?, &COLUMNS)
        }
        UsersCommand::Create(create) => {
            let Create { email, display_name, username, roles } = create;
            let user = users.create(&NewUser { email, display_name, username, roles }).await?;
            desk.screen.record(&user, &user.id, &rows(&user))
        }
        UsersCommand::Import { file } => {
            let import: UserImport = serde_json::from_slice(&files::read(&mut desk.screen, &file)?)
                .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
            let report = users.import(&import).await?;
            show(&mut desk.screen, &outcomes(report), &OUTCOMES)
        }
        UsersCommand::Search(search) => {
            let Search { text, status, limit, cursor } = search;
            let search = UserSearch { status, q: text, limit: Some(limit), cursor };
            show(&mut desk.screen, &users.search(&search).await?, &COLUMNS)
        }
        UsersCommand::Show { user } => shown(desk, &users.known(&user).await?),
        UsersCommand::Suspend { user, reason } => {
            desk.screen
                .confirm(&format!("Suspend {user} on the whole instance? Every session ends at once."))?;
            shown(desk, &users.suspend(&user, reason.as_deref()).await?)
        }
        UsersCommand::Reactivate { user } => shown(desk, &users.reactivate(&user).await?),
    }
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

static OUTCOMES: Columns<ImportOutcome> = Columns {
    id: |outcome| &outcome.external_id,
    columns: &[
        ("entry", |outcome| Cell::from(&outcome.external_id)),
        ("outcome", |outcome| Cell::toned(&outcome.outcome, Tone::of_status(&outcome.outcome))),
        ("user", |outcome| Cell::from(outcome.user.as_deref().unwrap_or_default())),
        ("why", |outcome| Cell::from(outcome.code.as_deref().unwrap_or_default())),
    ],
};

fn outcomes(report: ImportReport) -> Page<ImportOutcome> {
    Page { items: report.outcomes, next_cursor: None, total: None }
}

fn shown(desk: &mut Desk<'_>, known: &KnownUser) -> Result<(), Failure> {
    let mut rows = rows(&known.user);
    rows.push(("organizations", Cell::from(known.orgs.join(", "))));
    desk.screen.record(known, &known.user.id, &rows)
}

fn rows(user: &User) -> Vec<(&'static str, Cell)> {
    vec![
        ("user", Cell::from(&user.id)),
        ("name", Cell::toned(&user.display_name, Tone::Strong)),
        ("e-mail", Cell::from(user.email.as_deref().unwrap_or_default())),
        ("status", Cell::toned(&user.status, Tone::of_status(&user.status))),
        ("created", Cell::from(user.created_at.as_str())),
        ("last login", Cell::from(user.last_login_at.as_ref().map_or("never", |time| time.as_str()))),
        ("revision", Cell::from(user.revision.to_string())),
    ]
}
