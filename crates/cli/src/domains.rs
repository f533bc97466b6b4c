//! `safeconduct domains …`

use clap::Subcommand;
use client::Domain;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, show};
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum DomainsCommand {
    /// Claim an e-mail domain and learn which record proves it.
    Claim {
        /// DNS name, such as example.com.
        name: String,
    },
    /// List the organization's e-mail domains.
    List,
    /// Show an e-mail domain.
    Show {
        /// Id of the domain.
        domain: String,
    },
    /// Look for the record that proves it.
    Prove {
        /// Id of the domain.
        domain: String,
    },
    /// Give an e-mail domain up.
    Delete {
        /// Id of the domain.
        domain: String,
    },
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: DomainsCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let domains = client.domains();
    let domain = match command {
        DomainsCommand::List => return show(&mut desk.screen, &domains.list().await?, &COLUMNS),
        DomainsCommand::Claim { name } => domains.create(&name).await?,
        DomainsCommand::Show { domain } => domains.get(&domain).await?,
        DomainsCommand::Prove { domain } => domains.prove(&domain).await?,
        DomainsCommand::Delete { domain } => {
            desk.screen
                .confirm(&format!("Give {domain} up? Its people can then be managed by nobody here."))?;
            domains.delete(&domain).await?
        }
    };
    let rows = [
        ("id", Cell::from(&domain.id)),
        ("domain", Cell::toned(&domain.name, Tone::Strong)),
        ("proved", Cell::from(domain.proved_at.as_ref().map_or("not yet", |time| time.as_str()))),
        ("record", Cell::from(format!("{} TXT", domain.record))),
        ("value", Cell::from(&domain.value)),
    ];
    desk.screen.record(&domain, &domain.id, &rows)
}

static COLUMNS: Columns<Domain> = Columns {
    id: |domain| &domain.id,
    columns: &[
        ("domain", |domain| Cell::toned(&domain.name, Tone::Strong)),
        ("proved", |domain| Cell::from(if domain.proved { "yes" } else { "no" })),
        ("record", |domain| Cell::from(&domain.record)),
        ("id", |domain| Cell::from(&domain.id)),
    ],
};
