//! `safeconduct providers …`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use client::{AuthProvider, AuthProviderFilter, AuthProviderPatch, NewAuthProvider, ProviderKind};
use serde_json::{Map, Value};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::files;
use crate::listing::{Columns, Listing, show, show_all};
use crate::screen::Form;
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum ProvidersCommand {
    /// Set up a way for people to sign in.
    Create(Create),
    /// List the organization's ways to sign in, or the instance's.
    List(List),
    /// List the kinds that there are, with what each asks people for.
    Kinds,
    /// Show one.
    Show(One),
    /// Change one; what is not named stays.
    Update(Update),
    /// Switch one on.
    Enable(One),
    /// Switch one off; it is refused in every flow at once.
    Disable(One),
    /// Try one out: connections, discovery, binds.
    Test(One),
    /// Remove one.
    Delete(One),
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct providers create mail --kind otp --instance --create-users --role member
  safeconduct providers create directory --kind ldap --settings ldap.json
  safeconduct providers create corp --kind oidc --settings oidc.json --create-users --group-role platform=admin")]
pub struct Create {
    /// Name, such as `mail`.
    name: String,
    /// Such as otp, password, passkey, oidc, ldap, active_directory.
    #[arg(long)]
    kind: String,
    /// What stands on the button.
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// For everybody on this server; the operator's.
    #[arg(long)]
    instance: bool,
    /// Do not switch it on yet.
    #[arg(long)]
    disabled: bool,
    /// JSON object of the kind's settings; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Give somebody without an account one.
    #[arg(long)]
    create_users: bool,
    /// A role that newcomers get; may be repeated.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// A domain that addresses must be of; may be repeated.
    #[arg(long = "domain", value_name = "DOMAIN")]
    domains: Vec<String>,
    /// A role for the members of a group of its directory; may be repeated.
    #[arg(long = "group-role", value_name = "GROUP=ROLE", value_parser = group_role)]
    group_roles: Vec<(String, String)>,
    /// Believe the addresses that it asserts; the operator's.
    #[arg(long)]
    trust_email: bool,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct providers update prv_… --display-name 'Acme directory' --create-users true
  safeconduct providers update prv_… --settings oidc.json --group-role platform=admin")]
pub struct Update {
    /// Id.
    provider: String,
    /// What stands on the button.
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// JSON object of settings to change; secrets that it leaves out stay. `-` is standard input.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Whether somebody without an account gets one.
    #[arg(long, value_name = "BOOL")]
    create_users: Option<bool>,
    /// A role that newcomers get; may be repeated, and replaces those of before.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// A domain that addresses must be of; may be repeated, and replaces those of before.
    #[arg(long = "domain", value_name = "DOMAIN")]
    domains: Vec<String>,
    /// A role for the members of a group; may be repeated, and replaces the whole map.
    #[arg(long = "group-role", value_name = "GROUP=ROLE", value_parser = group_role)]
    group_roles: Vec<(String, String)>,
    /// Whether the addresses that it asserts are believed; the operator's.
    #[arg(long, value_name = "BOOL")]
    trust_email: Option<bool>,
}

#[derive(Args, Clone, Debug)]
pub struct List {
    /// Those of the instance.
    #[arg(long)]
    instance: bool,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Args, Clone, Debug)]
pub struct One {
    /// Id.
    provider: String,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: ProvidersCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let providers = client.auth_providers();
    let provider = match command {
        ProvidersCommand::Create(create) => {
            let settings = match &create.settings {
                Some(path) => read_settings(desk, path)?,
                None => Map::new(),
            };
            let new = NewAuthProvider {
                name: create.name,
                kind: create.kind,
                display_name: create.display_name,
                instance: create.instance,
                enabled: Some(!create.disabled),
                settings,
                default_roles: create.roles,
                create_users: create.create_users,
                allowed_domains: create.domains,
                group_roles: by_group(create.group_roles),
                trust_email: create.trust_email,
            };
            providers.create(&new).await?
        }
        ProvidersCommand::List(List { instance, listing }) => {
            let instance = instance.then_some(true);
            if listing.all {
                let filter = AuthProviderFilter { instance, limit: Some(200), cursor: None };
                return show_all(&mut desk.screen, providers.all(&filter), &COLUMNS).await;
            }
            let filter = AuthProviderFilter { instance, limit: Some(listing.limit), cursor: listing.cursor };
            return show(&mut desk.screen, &providers.list(&filter).await?, &COLUMNS);
        }
        ProvidersCommand::Kinds => {
            let kinds = providers.kinds().await?;
            if desk.screen.form != Form::Table {
                return desk.screen.json(&kinds);
            }
            let row = |kind: &ProviderKind| {
                vec![
                    Cell::toned(&kind.name, Tone::Strong),
                    Cell::from(asks(kind)),
                    Cell::from(settings(kind)),
                ]
            };
            let rows: Vec<Vec<Cell>> = kinds.items.iter().map(row).collect();
            return desk.screen.table(&["kind", "asks for", "settings"], &rows);
        }
        ProvidersCommand::Show(One { provider }) => providers.get(&provider).await?,
        ProvidersCommand::Update(update) => {
            let patch = update.patch(desk)?;
            providers.update(&update.provider, &patch, None).await?
        }
        ProvidersCommand::Enable(One { provider }) => {
            providers.update(&provider, &switched(true), None).await?
        }
        ProvidersCommand::Disable(One { provider }) => {
            desk.screen.confirm(&format!("Switch {provider} off? Nobody signs in by it from then on."))?;
            providers.update(&provider, &switched(false), None).await?
        }
        ProvidersCommand::Test(One { provider }) => {
            let test = providers.test(&provider).await?;
            let rows: Vec<(&str, Cell)> = test
                .findings
                .iter()
                .map(|found| {
                    let tone = if found.works { Tone::Good } else { Tone::Bad };
                    (found.what.as_str(), Cell::toned(&found.detail, tone))
                })
                .collect();
            let works = if test.works { "works" } else { "does not work" };
            return desk.screen.record(&test, works, &rows);
        }
        ProvidersCommand::Delete(One { provider }) => {
            desk.screen.confirm(&format!("Remove {provider}?"))?;
            providers.delete(&provider).await?
        }
    };
    desk.screen.record(&provider, &provider.id, &rows(&provider))
}

impl Update {
    fn patch(&self, desk: &mut Desk<'_>) -> Result<AuthProviderPatch, Failure> {
        let settings = self.settings.as_deref().map(|path| read_settings(desk, path)).transpose()?;
        Ok(AuthProviderPatch {
            display_name: self.display_name.clone(),
            settings,
            create_users: self.create_users,
            default_roles: named(&self.roles),
            allowed_domains: named(&self.domains),
            group_roles: (!self.group_roles.is_empty()).then(|| by_group(self.group_roles.clone())),
            trust_email: self.trust_email,
            ..AuthProviderPatch::default()
        })
    }
}

/// A list that was named; none leaves what is there.
fn named(list: &[String]) -> Option<Vec<String>> {
    (!list.is_empty()).then(|| list.to_vec())
}

/// Names of groups may hold `=` themselves; roles do not.
fn group_role(text: &str) -> Result<(String, String), String> {
    let (group, role) = text.rsplit_once('=').ok_or("is no GROUP=ROLE")?;
    Ok((group.to_owned(), role.to_owned()))
}

fn by_group(pairs: Vec<(String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut map = BTreeMap::<String, Vec<String>>::new();
    for (group, role) in pairs {
        map.entry(group).or_default().push(role);
    }
    map
}

fn asks(kind: &ProviderKind) -> String {
    kind.first.fields.join(", ")
}

fn settings(kind: &ProviderKind) -> String {
    let named = kind.settings["properties"].as_object();
    match named {
        Some(named) => named.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        None => "a JSON object; see the guide".to_owned(),
    }
}

fn switched(enabled: bool) -> AuthProviderPatch {
    AuthProviderPatch { enabled: Some(enabled), ..AuthProviderPatch::default() }
}

fn read_settings(desk: &mut Desk<'_>, path: &Path) -> Result<Map<String, Value>, Failure> {
    let text = files::read_secret(&mut desk.screen, path)?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("{} is no JSON object: {error}.", path.display())))
}

fn rows(provider: &AuthProvider) -> Vec<(&'static str, Cell)> {
    let whose = if provider.instance { "instance" } else { "organization" };
    let enabled = if provider.enabled { "yes" } else { "no" };
    vec![
        ("provider", Cell::toned(&provider.name, Tone::Strong)),
        ("id", Cell::from(&provider.id)),
        ("kind", Cell::from(&provider.kind)),
        ("of the", Cell::from(whose)),
        ("enabled", Cell::from(enabled)),
        (
            "newcomers",
            Cell::from(if provider.create_users { provider.default_roles.join(", ") } else { "no".into() }),
        ),
        ("domains", Cell::from(provider.allowed_domains.join(", "))),
    ]
}

static COLUMNS: Columns<AuthProvider> = Columns {
    id: |provider| &provider.id,
    columns: &[
        ("provider", |provider| Cell::from(&provider.name)),
        ("id", |provider| Cell::from(&provider.id)),
        ("kind", |provider| Cell::from(&provider.kind)),
        ("enabled", |provider| Cell::from(if provider.enabled { "yes" } else { "no" })),
    ],
};
