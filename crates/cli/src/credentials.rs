//! `safeconduct credentials …`

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use client::{Client, Credential, CredentialFilter, IssuedCredential, NewCredential, Rotation, SigningKey};
use serde_json::Value;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::files;
use crate::listing::{Columns, Listing, show, show_all};
use crate::profiles::write_private;
use crate::screen::Form;
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum CredentialsCommand {
    /// Give an agent a secret, or register its public key.
    Create(Create),
    /// List an agent's credentials, or all of the organization.
    List(List),
    /// Replace a credential; the old one may work on for a while.
    Rotate(Rotate),
    /// Revoke a credential; tokens made with it die.
    Revoke(Revoke),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A shared secret, shown once.
    Secret,
    /// The agent's own P-256 key; only its public half leaves this machine.
    PublicKey,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct credentials create ops:reporter --label laptop --out secret.txt
  safeconduct credentials create ops:reporter --kind public-key --label ci --out key.pem
  safeconduct credentials create ops:reporter --kind public-key --label ci --public-key jwk.json")]
pub struct Create {
    /// Id, or `namespace:name`.
    agent: String,
    #[arg(long, default_value = "secret")]
    kind: Kind,
    /// What people know it by.
    #[arg(long, default_value = "cli")]
    label: String,
    /// End of its life, RFC 3339.
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
    #[command(flatten)]
    keys: Keys,
}

/// Where key and secret come from and go to.
#[derive(Args, Clone, Debug)]
struct Keys {
    /// Write the secret, or the private key made here (PEM), into this new file (0600).
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Use this public key (JWK) instead of making one.
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    public_key: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub struct List {
    /// Id, or `namespace:name`; without it all credentials of the organization.
    agent: Option<String>,
    /// active or revoked.
    #[arg(long)]
    status: Option<String>,
    /// RFC 3339; only without an agent.
    #[arg(long, value_name = "TIME", conflicts_with = "agent")]
    expires_before: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Args, Clone, Debug)]
pub struct Rotate {
    /// Id, or `namespace:name`.
    agent: String,
    /// Id of the credential.
    credential: String,
    /// The credential is a public key: make a new key, or name one with --public-key.
    #[arg(long)]
    kind: Option<Kind>,
    /// For how many seconds the old one still works.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    overlap: u32,
    /// End of the new one's life, RFC 3339.
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
    #[command(flatten)]
    keys: Keys,
}

#[derive(Args, Clone, Debug)]
pub struct Revoke {
    /// Id, or `namespace:name`.
    agent: String,
    /// Id of the credential.
    credential: String,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: CredentialsCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    match command {
        CredentialsCommand::Create(create) => create_one(desk, &client, &create).await,
        CredentialsCommand::List(list) => list_some(desk, &client, &list).await,
        CredentialsCommand::Rotate(rotate) => rotate_one(desk, &client, &rotate).await,
        CredentialsCommand::Revoke(Revoke { agent, credential }) => {
            desk.screen.confirm(&format!("Revoke {credential}? Tokens made with it die at once."))?;
            let revoked = client.credentials().revoke(&agent, &credential).await?;
            desk.screen.record(&revoked, &revoked.id, &rows(&revoked))
        }
    }
}

async fn create_one(desk: &mut Desk<'_>, client: &Client, create: &Create) -> Result<(), Failure> {
    create.keys.has_place_for_secret(desk, create.kind == Kind::PublicKey)?;
    let key = create.keys.public_half(desk, create.kind == Kind::PublicKey)?;
    let mut new = NewCredential::secret(&create.label);
    new.expires_at.clone_from(&create.expires_at);
    if let Some(jwk) = key {
        new.kind = client::CredentialKind::PublicKey;
        new.public_key = Some(jwk);
    }
    let issued = client.credentials().create(&create.agent, &new).await?;
    handed_over(desk, &issued, create.keys.out.as_deref())
}

async fn rotate_one(desk: &mut Desk<'_>, client: &Client, rotate: &Rotate) -> Result<(), Failure> {
    let is_key = rotate.kind == Some(Kind::PublicKey) || rotate.keys.public_key.is_some();
    rotate.keys.has_place_for_secret(desk, is_key)?;
    let public_key = rotate.keys.public_half(desk, is_key)?;
    let rotation =
        Rotation { overlap_seconds: rotate.overlap, expires_at: rotate.expires_at.clone(), public_key };
    let issued = client.credentials().rotate(&rotate.agent, &rotate.credential, &rotation).await?;
    handed_over(desk, &issued, rotate.keys.out.as_deref())
}

async fn list_some(desk: &mut Desk<'_>, client: &Client, list: &List) -> Result<(), Failure> {
    let credentials = client.credentials();
    let filter = CredentialFilter {
        status: list.status.clone(),
        expires_before: list.expires_before.clone(),
        limit: Some(if list.listing.all { 200 } else { list.listing.limit }),
        cursor: list.listing.cursor.clone(),
    };
    match &list.agent {
        Some(agent) if list.listing.all => {
            show_all(&mut desk.screen, credentials.all_of(agent, &filter), &COLUMNS).await
        }
        Some(agent) => show(&mut desk.screen, &credentials.list(agent, &filter).await?, &COLUMNS),
        None if list.listing.all => show_all(&mut desk.screen, credentials.all(&filter), &COLUMNS).await,
        None => show(&mut desk.screen, &credentials.search(&filter).await?, &COLUMNS),
    }
}

impl Keys {
    /// `--quiet` prints ids only; a secret that nobody sees would be lost.
    fn has_place_for_secret(&self, desk: &Desk<'_>, is_key: bool) -> Result<(), Failure> {
        if desk.screen.form == Form::Quiet && !is_key && self.out.is_none() {
            return Err(Failure::usage("With --quiet the secret needs a place: name a new file with --out."));
        }
        Ok(())
    }

    /// The public half to send. A key that is made here is written down before anybody hears of it.
    fn public_half(&self, desk: &mut Desk<'_>, is_key: bool) -> Result<Option<Value>, Failure> {
        if let Some(out) = &self.out
            && out.exists()
        {
            return Err(Failure::usage(format!("{} exists; name a new file.", out.display())));
        }
        if let Some(path) = &self.public_key {
            let text = files::read_text(&mut desk.screen, path)?;
            let jwk = serde_json::from_str(&text)
                .map_err(|error| Failure::usage(format!("{} is no JWK: {error}.", path.display())))?;
            return Ok(Some(jwk));
        }
        if !is_key {
            return Ok(None);
        }
        let out = self.out.as_deref().ok_or_else(|| {
            Failure::usage(
                "Name the file for the new private key with --out, or a public key with --public-key.",
            )
        })?;
        let key = SigningKey::generate()?;
        write_private(out, key.to_pem()?.as_bytes()).map_err(|error| Failure::file(out, error))?;
        desk.screen.note(&format!("private key written to {}; it stays on this machine", out.display()))?;
        Ok(Some(key.public_jwk().clone()))
    }
}

/// Shows a new credential; its secret goes into the file if one was named, else onto the screen, this once.
fn handed_over(desk: &mut Desk<'_>, issued: &IssuedCredential, out: Option<&Path>) -> Result<(), Failure> {
    let credential = &issued.credential;
    let Some(secret) = &issued.client_secret else {
        return desk.screen.record(credential, &credential.id, &rows(credential));
    };
    if let Some(out) = out {
        match write_private(out, format!("{}\n", **secret).as_bytes()) {
            Ok(()) => {
                desk.screen.note(&format!("secret written to {}", out.display()))?;
                return desk.screen.record(credential, &credential.id, &rows(credential));
            }
            // The credential exists, and nobody is told its secret twice.
            Err(error) => {
                desk.screen.warn(&format!("{}: {error}; the secret is shown here instead", out.display()))?
            }
        }
    }
    let mut shown = rows(credential);
    shown.push(("secret", Cell::toned(secret.as_str(), Tone::Strong)));
    desk.screen.record(issued, &credential.id, &shown)?;
    if desk.screen.form == Form::Table {
        desk.screen.note("The secret is shown this once. Keep it where the agent keeps its secrets.")?;
    }
    Ok(())
}

static COLUMNS: Columns<Credential> = Columns {
    id: |credential| &credential.id,
    columns: &[
        ("credential", |credential| Cell::from(&credential.id)),
        ("kind", |credential| Cell::from(credential.kind.as_str())),
        ("label", |credential| Cell::from(&credential.label)),
        ("status", |credential| status(credential)),
        ("expires", |credential| time(credential.expires_at.as_ref(), "never")),
        ("last used", |credential| time(credential.last_used_at.as_ref(), "never")),
        ("agent", |credential| Cell::from(&credential.agent)),
    ],
};

fn rows(credential: &Credential) -> Vec<(&'static str, Cell)> {
    vec![
        ("credential", Cell::from(&credential.id)),
        ("agent", Cell::from(&credential.agent)),
        ("kind", Cell::from(credential.kind.as_str())),
        ("label", Cell::from(&credential.label)),
        ("status", status(credential)),
        ("client id", Cell::from(&credential.client_id)),
        ("key", Cell::from(credential.key_thumbprint.as_deref().unwrap_or_default())),
        ("expires", time(credential.expires_at.as_ref(), "never")),
    ]
}

fn status(credential: &Credential) -> Cell {
    Cell::toned(credential.status.as_str(), Tone::of_status(credential.status.as_str()))
}

fn time(time: Option<&client::Time>, otherwise: &str) -> Cell {
    Cell::from(time.map_or(otherwise, client::Time::as_str))
}
