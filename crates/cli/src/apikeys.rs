//! `safeconduct apikeys …`

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use client::{ApiKey, ApiKeyFilter, IssuedApiKey, NewApiKey};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, Listing, show, show_all};
use crate::profiles::write_private;
use crate::screen::Form;
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum ApiKeysCommand {
    /// Make an API key for yourself or an agent; it is shown this once.
    Create(Create),
    /// List API keys.
    List(List),
    /// Show an API key without its secret.
    Show(Named),
    /// Revoke an API key; runs that stand on it end.
    Revoke(Named),
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct apikeys create nightly --permission agents:read --out key.txt
  safeconduct apikeys create nightly --permission runs:read --owner agt_… --ip 10.0.0.0/8")]
pub struct Create {
    /// What people know it by.
    name: String,
    /// Such as `agents:read`; you must hold it. May be repeated.
    #[arg(long = "permission", value_name = "PERMISSION", required = true)]
    permissions: Vec<String>,
    /// Agent that the key acts as; you if left out.
    #[arg(long, value_name = "AGENT")]
    owner: Option<String>,
    /// End of its life, RFC 3339.
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
    /// Address or network that it may be used from. May be repeated.
    #[arg(long = "ip", value_name = "NETWORK")]
    allowed_ips: Vec<String>,
    /// Write the key into this new file (0600).
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub struct List {
    /// Only keys of this person or agent.
    #[arg(long, value_name = "ID")]
    owner: Option<String>,
    /// active, expired or revoked.
    #[arg(long)]
    status: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Args, Clone, Debug)]
pub struct Named {
    /// Id of the key.
    key: String,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: ApiKeysCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let keys = client.api_keys();
    let key = match command {
        ApiKeysCommand::Create(create) => {
            has_place(desk, create.out.as_deref())?;
            let new = NewApiKey {
                name: create.name,
                owner: create.owner,
                permissions: create.permissions,
                expires_at: create.expires_at,
                allowed_ips: create.allowed_ips,
            };
            let issued = keys.create(&new).await?;
            return handed_over(desk, &issued, create.out.as_deref());
        }
        ApiKeysCommand::List(list) => {
            let limit = Some(if list.listing.all { 200 } else { list.listing.limit });
            let filter =
                ApiKeyFilter { owner: list.owner, status: list.status, limit, cursor: list.listing.cursor };
            if list.listing.all {
                return show_all(&mut desk.screen, keys.all(&filter), &COLUMNS).await;
            }
            return show(&mut desk.screen, &keys.list(&filter).await?, &COLUMNS);
        }
        ApiKeysCommand::Show(Named { key }) => keys.get(&key).await?,
        ApiKeysCommand::Revoke(Named { key }) => {
            desk.screen.confirm(&format!("Revoke {key}? Runs that stand on it end at once; schedules and hooks that were made with it go on."))?;
            keys.revoke(&key).await?
        }
    };
    desk.screen.record(&key, &key.id, &rows(&key))
}

/// `--quiet` prints ids only; a key that nobody sees would be lost, and no file is written over.
fn has_place(desk: &Desk<'_>, out: Option<&Path>) -> Result<(), Failure> {
    match out {
        None if desk.screen.form == Form::Quiet => {
            Err(Failure::usage("With --quiet the key needs a place: name a new file with --out."))
        }
        Some(out) if out.exists() => {
            Err(Failure::usage(format!("{} exists; name a new file.", out.display())))
        }
        _ => Ok(()),
    }
}

fn handed_over(desk: &mut Desk<'_>, issued: &IssuedApiKey, out: Option<&Path>) -> Result<(), Failure> {
    let key = &issued.key;
    if let Some(out) = out {
        match write_private(out, format!("{}\n", *issued.api_key).as_bytes()) {
            Ok(()) => {
                desk.screen.note(&format!("key written to {}", out.display()))?;
                return desk.screen.record(key, &key.id, &rows(key));
            }
            // The key exists, and nobody is told it twice.
            Err(error) => {
                desk.screen.warn(&format!("{}: {error}; the key is shown here instead", out.display()))?
            }
        }
    }
    let mut shown = rows(key);
    shown.push(("key", Cell::toned(issued.api_key.as_str(), Tone::Strong)));
    desk.screen.record(issued, &key.id, &shown)?;
    if desk.screen.form == Form::Table {
        desk.screen.note("The key is shown this once. Keep it where the program keeps its secrets.")?;
    }
    Ok(())
}

static COLUMNS: Columns<ApiKey> = Columns {
    id: |key| &key.id,
    columns: &[
        ("id", |key| Cell::from(&key.id)),
        ("name", |key| Cell::from(&key.name)),
        ("owner", |key| Cell::from(&key.owner)),
        ("status", |key| status(key)),
        ("expires", |key| time(key.expires_at.as_ref())),
        ("last used", |key| time(key.last_used_at.as_ref())),
    ],
};

fn rows(key: &ApiKey) -> Vec<(&'static str, Cell)> {
    vec![
        ("id", Cell::from(&key.id)),
        ("name", Cell::from(&key.name)),
        ("owner", Cell::from(&key.owner)),
        ("status", status(key)),
        ("permissions", Cell::from(key.permissions.join(", "))),
        (
            "from",
            Cell::from(if key.allowed_ips.is_empty() {
                "anywhere".into()
            } else {
                key.allowed_ips.join(", ")
            }),
        ),
        ("expires", time(key.expires_at.as_ref())),
        ("last used", time(key.last_used_at.as_ref())),
    ]
}

fn status(key: &ApiKey) -> Cell {
    Cell::toned(key.status.as_str(), Tone::of_status(&key.status))
}

fn time(time: Option<&client::Time>) -> Cell {
    Cell::from(time.map_or("never", client::Time::as_str))
}
