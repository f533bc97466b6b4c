//! `safeconduct secrets …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use client::{NamedSecret, NewSecret, NewSecretValue, SecretDetail, SecretFilter, VaultPlace};
use serde_json::json;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::files;
use crate::listing::{Columns, Listing, show, show_all};
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum SecretsCommand {
    /// Keep a secret under a name. It is read from standard input or a file, never from the command line.
    Create(Create),
    /// List secrets, newest first, without their values.
    List(List),
    /// Show what is known of a secret, and what uses it.
    Show(Named),
    /// Give a secret another value, for runs that begin from then on.
    Replace(Replace),
    /// Change what is said of a secret.
    Update(Update),
    /// Remove a secret that nothing uses.
    Delete(Named),
}

#[derive(Args, Clone, Debug)]
pub struct Named {
    /// Name or id of the secret.
    secret: String,
}

#[derive(Args, Clone, Debug)]
pub struct Value {
    /// File with the value; standard input if left out. A line break at the end is not part of it.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Where the value lies in the server's Vault; with --from it is written there.
    #[arg(long, value_name = "PATH#KEY")]
    vault: Option<String>,
    /// Key-value engine of the Vault.
    #[arg(long, value_name = "MOUNT", default_value = "secret")]
    vault_mount: String,
    /// Where the value may be sent: api.example.com, or *.example.com for all below; may be repeated. No code ever sees it then.
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct secrets create CRM_TOKEN --from token.txt --host api.crm.example
  pass show smtp | safeconduct secrets create SMTP_PASSWORD")]
pub struct Create {
    /// Letters, digits and `_`.
    name: String,
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    value: Value,
}

#[derive(Args, Clone, Debug)]
pub struct Replace {
    /// Name or id of the secret.
    secret: String,
    #[command(flatten)]
    value: Value,
    /// Let code see it from now on.
    #[arg(long, conflicts_with = "hosts")]
    unbound: bool,
    /// Refuse if the secret has another revision by now.
    #[arg(long, value_name = "N")]
    if_revision: Option<i64>,
}

#[derive(Args, Clone, Debug)]
pub struct Update {
    /// Name or id of the secret.
    secret: String,
    #[arg(long)]
    description: String,
    /// Refuse if the secret has another revision by now.
    #[arg(long, value_name = "N")]
    if_revision: Option<i64>,
}

#[derive(Args, Clone, Debug)]
pub struct List {
    /// Part of the name or description.
    #[arg(long, short = 's', value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: SecretsCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let secrets = client.secrets();
    match command {
        SecretsCommand::Create(Create { name, description, value }) => {
            let NewSecretValue { value, vault, hosts } = value.given(desk)?;
            let made = secrets.create(&NewSecret { name, description, value, vault, hosts }).await?;
            shown(desk, &made)
        }
        SecretsCommand::List(List { search, listing }) => {
            let limit = Some(if listing.all { 200 } else { listing.limit });
            let filter = SecretFilter { q: search, limit, cursor: listing.cursor };
            match listing.all {
                true => show_all(&mut desk.screen, secrets.all(&filter), &COLUMNS).await,
                false => show(&mut desk.screen, &secrets.list(&filter).await?, &COLUMNS),
            }
        }
        SecretsCommand::Show(Named { secret }) => {
            let SecretDetail { secret, used_by } = secrets.get(&secret).await?;
            let mut rows = rows(&secret);
            rows.push(("used by", Cell::from(used_by.join(", "))));
            desk.screen.record(&SecretDetail { secret: secret.clone(), used_by }, &secret.id, &rows)
        }
        SecretsCommand::Replace(replace) => {
            let mut value = replace.value.given(desk)?;
            if replace.unbound {
                value.hosts = Some(Vec::new());
            }
            let replaced = secrets.replace(&replace.secret, &value, replace.if_revision).await?;
            shown(desk, &replaced)
        }
        SecretsCommand::Update(Update { secret, description, if_revision }) => {
            let patch = json!({ "description": description });
            shown(desk, &secrets.update(&secret, &patch, if_revision).await?)
        }
        SecretsCommand::Delete(Named { secret }) => {
            desk.screen.confirm("Remove the secret? Its value cannot be had back.")?;
            let gone = secrets.delete(&secret).await?;
            shown(desk, &gone)?;
            desk.screen.note("It is removed.")
        }
    }
}

impl Value {
    /// The value, its place in a Vault, and where it may go. In a Vault it may lie already.
    fn given(self, desk: &mut Desk<'_>) -> Result<NewSecretValue, Failure> {
        let vault = self.vault.as_deref().map(|place| self.place(place)).transpose()?;
        let value = match (&self.from, &vault) {
            (None, Some(_)) => None,
            (from, _) => {
                let path = from.clone().unwrap_or_else(|| PathBuf::from("-"));
                let text = files::read_text(&mut desk.screen, &path)?;
                let text = text.strip_suffix('\n').unwrap_or(&text);
                Some(text.strip_suffix('\r').unwrap_or(text).to_owned())
            }
        };
        let hosts = (!self.hosts.is_empty()).then_some(self.hosts);
        Ok(NewSecretValue { value, vault, hosts })
    }

    fn place(&self, place: &str) -> Result<VaultPlace, Failure> {
        let Some((path, key)) = place.split_once('#') else {
            return Err(Failure::usage(format!("`{place}`: expected PATH#KEY.")));
        };
        let (mount, path, key) = (self.vault_mount.clone(), path.to_owned(), key.to_owned());
        Ok(VaultPlace { mount, path, key, ..VaultPlace::default() })
    }
}

fn shown(desk: &mut Desk<'_>, secret: &NamedSecret) -> Result<(), Failure> {
    desk.screen.record(secret, &secret.id, &rows(secret))
}

fn rows(secret: &NamedSecret) -> Vec<(&'static str, Cell)> {
    let place =
        secret.vault.as_ref().map(|place| format!("Vault: {}/{}#{}", place.mount, place.path, place.key));
    vec![
        ("name", Cell::toned(&secret.name, Tone::Strong)),
        ("about", Cell::from(&secret.description)),
        ("goes to", Cell::from(goes_to(secret))),
        ("kept", Cell::from(place.unwrap_or_else(|| "sealed".to_owned()))),
        ("value no.", Cell::from(secret.version.to_string())),
        ("since", Cell::from(secret.replaced_at.as_str())),
        ("owner", Cell::from(&secret.owner)),
        ("revision", Cell::from(secret.revision.to_string())),
        ("id", Cell::from(&secret.id)),
    ]
}

fn goes_to(secret: &NamedSecret) -> String {
    if secret.hosts.is_empty() { "code".to_owned() } else { secret.hosts.join(", ") }
}

static COLUMNS: Columns<NamedSecret> = Columns {
    id: |secret| &secret.id,
    columns: &[
        ("secret", |secret| Cell::toned(&secret.name, Tone::Strong)),
        ("goes to", |secret| Cell::from(goes_to(secret))),
        ("value no.", |secret| Cell::from(secret.version.to_string())),
        ("since", |secret| Cell::from(secret.replaced_at.as_str())),
        ("about", |secret| Cell::from(&secret.description)),
    ],
};
