//! `safeconduct grants …`

use clap::{Args, Subcommand};
use client::{Grant, GrantFilter, NewGrant};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, Listing, show, show_all};
use crate::table::Cell;

#[derive(Subcommand, Clone, Debug)]
pub enum GrantsCommand {
    /// List who was given which role or permission.
    List(List),
    /// Give a role or a permission that you hold to a person, an agent or a group.
    Create(Create),
    /// Take a role or a permission away; in force at once.
    Delete {
        /// Id of the grant.
        grant: String,
    },
}

#[derive(Args, Clone, Debug)]
pub struct List {
    /// Only what this person, agent or group was given itself.
    #[arg(long, value_name = "ID")]
    principal: Option<String>,
    #[arg(long)]
    role: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct grants create usr_… --role auditor
  safeconduct grants create grp_… --permission 'functions/release/*:execute:all'")]
pub struct Create {
    /// Person, agent or group.
    principal: String,
    #[arg(long, required_unless_present = "permission", conflicts_with = "permission")]
    role: Option<String>,
    #[arg(long)]
    permission: Option<String>,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: GrantsCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let grants = client.grants();
    let grant = match command {
        GrantsCommand::List(list) => {
            let limit = Some(if list.listing.all { 200 } else { list.listing.limit });
            let filter = GrantFilter {
                principal: list.principal,
                role: list.role,
                limit,
                cursor: list.listing.cursor,
                count: None,
            };
            if list.listing.all {
                return show_all(&mut desk.screen, grants.all(&filter), &COLUMNS).await;
            }
            return show(&mut desk.screen, &grants.list(&filter).await?, &COLUMNS);
        }
        GrantsCommand::Create(Create { principal, role, permission }) => {
            grants.create(&NewGrant { principal, role, permission }).await?
        }
        GrantsCommand::Delete { grant } => {
            desk.screen.confirm(&format!("Take {grant} away? It is in force at once."))?;
            grants.delete(&grant).await?
        }
    };
    desk.screen.record(&grant, &grant.id, &rows(&grant))
}

static COLUMNS: Columns<Grant> = Columns {
    id: |grant| &grant.id,
    columns: &[
        ("grant", |grant| Cell::from(&grant.id)),
        ("principal", |grant| Cell::from(&grant.principal)),
        ("kind", |grant| Cell::from(&grant.principal_kind)),
        ("role", |grant| Cell::from(grant.role.as_deref().unwrap_or_default())),
        ("permission", |grant| Cell::from(grant.permission.as_deref().unwrap_or_default())),
        ("by", |grant| Cell::from(&grant.granted_by)),
    ],
};

fn rows(grant: &Grant) -> Vec<(&'static str, Cell)> {
    vec![
        ("grant", Cell::from(&grant.id)),
        ("principal", Cell::from(&grant.principal)),
        ("role", Cell::from(grant.role.as_deref().unwrap_or_default())),
        ("permission", Cell::from(grant.permission.as_deref().unwrap_or_default())),
        ("by", Cell::from(&grant.granted_by)),
    ]
}
