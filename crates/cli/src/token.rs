//! `safeconduct token …`

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, Subcommand};
use client::{SigningKey, TokenAct, TokenRequest};
use serde_json::{Map, Value, json};
use types::Timestamp;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::files;
use crate::listing::{Columns, Listing, show, show_all};
use crate::screen::{Form, cell_of};
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum TokenCommand {
    /// Get an access token as an agent (client credentials).
    Issue(Issue),
    /// Ask the server what a token is worth.
    Introspect(Shown),
    /// Void a token before its time.
    Revoke(Shown),
    /// Show what a token says, without asking anybody.
    Inspect(Shown),
    /// List what a token was used for.
    Activity(Activity),
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Prints the bare token, so that a shell can take it:
  export SAFECONDUCT_TOKEN=$(safeconduct token issue agt_… --secret-file secret.txt)
  safeconduct token issue agt_… --key key.pem --scope 'functions:execute:all'")]
pub struct Issue {
    /// The agent's id, which is its OAuth client_id.
    client_id: String,
    /// File with the agent's secret; `-` is standard input.
    #[arg(long, value_name = "FILE", required_unless_present = "key", conflicts_with = "key")]
    secret_file: Option<PathBuf>,
    /// File with the agent's private key (P-256, PKCS#8 PEM).
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Permissions, parted by spaces; all that the agent holds if left out.
    #[arg(long)]
    scope: Option<String>,
    /// Audience; the management API if left out.
    #[arg(long, value_name = "URL")]
    resource: Option<String>,
    /// Slug of the agent's organization, if it is not the home one.
    #[arg(long, value_name = "SLUG")]
    org: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub struct Shown {
    /// The token; `-` reads it from standard input, where no process list shows it.
    #[arg(default_value = "-")]
    token: String,
}

#[derive(Args, Clone, Debug)]
pub struct Activity {
    /// The token's `jti`, such as `token inspect` shows it.
    jti: String,
    #[command(flatten)]
    listing: Listing,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: TokenCommand) -> Result<(), Failure> {
    match command {
        TokenCommand::Issue(issue) => issue_one(desk, &issue).await,
        TokenCommand::Inspect(shown) => {
            let token = shown.read(desk)?;
            inspect(desk, &token)
        }
        TokenCommand::Introspect(shown) => {
            let token = shown.read(desk)?;
            let answer = desk.client()?.tokens().introspect(&token).await?;
            let active =
                if answer.active { Cell::toned("yes", Tone::Good) } else { Cell::toned("no", Tone::Bad) };
            let mut rows = vec![("active", active)];
            rows.extend(claims(&answer.claims));
            desk.screen.record(&answer, if answer.active { "active" } else { "" }, &rows)
        }
        TokenCommand::Revoke(shown) => {
            let token = shown.read(desk)?;
            desk.client()?.tokens().revoke(&token).await?;
            desk.screen.note("the token is void, if it was one of yours")
        }
        TokenCommand::Activity(activity) => {
            let client = desk.client()?;
            let (tokens, listing) = (client.tokens(), &activity.listing);
            if listing.all {
                return show_all(&mut desk.screen, tokens.activities(&activity.jti), &COLUMNS).await;
            }
            let page = tokens.activity(&activity.jti, Some(listing.limit), listing.cursor.as_deref()).await?;
            show(&mut desk.screen, &page, &COLUMNS)
        }
    }
}

async fn issue_one(desk: &mut Desk<'_>, issue: &Issue) -> Result<(), Failure> {
    let client = desk.choice()?.anonymous()?;
    let tokens = client.tokens_of(issue.org.as_deref());
    let wanted = TokenRequest { scope: issue.scope.clone(), resource: issue.resource.clone() };
    let issued = match (&issue.key, &issue.secret_file) {
        (Some(path), _) => {
            let key = SigningKey::from_pem(&files::read_text(&mut desk.screen, path)?)?;
            tokens.issue_by_key(&issue.client_id, &key, &wanted).await?
        }
        (None, Some(path)) => {
            let secret = files::read_secret(&mut desk.screen, path)?;
            tokens.issue(&issue.client_id, &secret, &wanted).await?
        }
        (None, None) => return Err(Failure::usage("Show who you are with --secret-file or --key.")),
    };
    match desk.screen.form {
        Form::Json | Form::Jsonl => desk.screen.json(&issued),
        Form::Quiet => desk.screen.line(&issued.access_token),
        Form::Table => {
            desk.screen.line(&issued.access_token)?;
            desk.screen.note(&format!("good for {} s, for: {}", issued.expires_in, issued.scope))
        }
    }
}

fn inspect(desk: &mut Desk<'_>, token: &str) -> Result<(), Failure> {
    let (header, said) = decode(token).ok_or_else(|| {
        Failure::usage("This is no JWT: three parts in base64url, parted by dots, are expected.")
    })?;
    let jti = said.get("jti").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut rows = claims(&header);
    rows.extend(claims(&said));
    desk.screen.record(&json!({ "header": header, "claims": said }), &jti, &rows)?;
    desk.screen.note("The signature was not checked; `safeconduct token introspect` asks the server.")
}

fn decode(token: &str) -> Option<(Map<String, Value>, Map<String, Value>)> {
    let mut parts = token.split('.');
    let mut part = || serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok();
    let decoded = (part()?, part()?);
    (parts.next().is_some() && parts.next().is_none()).then_some(decoded)
}

/// Times of JWTs are seconds; people read dates.
fn claims(members: &Map<String, Value>) -> Vec<(&str, Cell)> {
    let cell = |name: &str, value: &Value| match (name, value.as_i64()) {
        ("exp" | "iat" | "nbf", Some(seconds)) => {
            Cell::from(Timestamp::from_millis(seconds.saturating_mul(1000)).to_string())
        }
        _ => cell_of(value),
    };
    members.iter().map(|(name, value)| (name.as_str(), cell(name, value))).collect()
}

impl Shown {
    fn read(&self, desk: &mut Desk<'_>) -> Result<String, Failure> {
        match self.token.as_str() {
            "-" => files::read_secret(&mut desk.screen, Path::new("-")),
            token => Ok(token.to_owned()),
        }
    }
}

static COLUMNS: Columns<TokenAct> = Columns {
    id: |act| &act.id,
    columns: &[
        ("when", |act| Cell::from(act.occurred_at.as_str())),
        ("what", |act| Cell::toned(&act.kind, Tone::Strong)),
        ("outcome", |act| Cell::toned(&act.outcome, Tone::of_status(&act.outcome))),
        ("who", |act| Cell::from(&act.actor.display)),
        ("target", |act| match &act.target {
            Some(target) if !target.name.is_empty() => Cell::from(&target.name),
            Some(target) => Cell::from(&target.id),
            None => Cell::default(),
        }),
        ("fact", |act| Cell::from(&act.id)),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_parts_are_a_token() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let token =
            format!("{}.{}.x", part(r#"{"alg":"ES256"}"#), part(r#"{"exp":1762000000,"sub":"agt_1"}"#));
        let (header, said) = decode(&token).unwrap();
        assert_eq!(header["alg"], "ES256");
        let rows = claims(&said);
        assert_eq!(rows[0], ("exp", Cell::from("2025-11-01T12:26:40.000Z")));
        for broken in ["", "a.b.c", token.rsplit_once('.').unwrap().0, &format!("{token}.y")] {
            assert!(decode(broken).is_none(), "{broken}");
        }
    }
}
