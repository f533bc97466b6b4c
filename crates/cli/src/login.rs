//! `safeconduct login`, `logout`, `whoami`, `configure`.

use clap::{Args, Subcommand};
use client::{Client, PersonTokens};
use serde::Serialize;
use serde_json::json;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::files;
use crate::profiles::{KeptSession, Profile, Profiles};
use crate::session::Choice;
use crate::table::{Cell, Tone};
use crate::trust::{self, Believed};

const WELCOME: &str = "/console/welcome";
const TOKEN_LENGTH: usize = 43;

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct login --link 'http://127.0.0.1:7717/console/welcome#…'
  safeconduct login --profile work --link - < owner-link")]
pub struct Login {
    /// The owner link that the server printed, or the token behind its `#`; `-` is standard input.
    #[arg(long, value_name = "LINK")]
    link: String,
}

#[derive(Subcommand, Clone, Debug)]
pub enum Configure {
    /// List the profiles.
    List,
    /// Make or change a profile; give the server with --url.
    Set {
        /// Name of the profile.
        name: String,
    },
    /// Choose the profile that is used when none is named.
    Use {
        /// Name of the profile.
        name: String,
    },
    /// Forget a profile; sign out first to end its session on the server too.
    Remove {
        /// Name of the profile.
        name: String,
    },
}

pub(crate) async fn login(desk: &mut Desk<'_>, login: &Login) -> Result<(), Failure> {
    let given = match login.link.as_str() {
        "-" => files::read_secret(&mut desk.screen, std::path::Path::new("-"))?,
        link => link.to_owned(),
    };
    let (choice, tokens) = redeem(desk, &given).await?;
    let name = keep(desk, &choice, &tokens)?;
    pin(desk, &choice, &name, &tokens).await?;
    let shown = json!({ "profile": name, "url": choice.url, "user": tokens.user, "org": tokens.org });
    let rows = [
        ("signed in", Cell::toned(&tokens.user.display_name, Tone::Strong)),
        ("organization", Cell::from(&tokens.org.slug)),
        ("server", Cell::from(&choice.url)),
        ("profile", Cell::from(&name)),
    ];
    desk.screen.record(&shown, &name, &rows)
}

/// Exchanges a link for tokens; nothing is kept yet.
pub(crate) async fn redeem(desk: &Desk<'_>, given: &str) -> Result<(Choice, PersonTokens), Failure> {
    let link = Link::parse(given)?;
    let mut choice = desk.choice()?;
    if let (Some(url), None) = (link.url, &desk.globals.url) {
        choice.move_to(url);
    }
    let tokens = choice.anonymous()?.auth().redeem_link_for_token(link.token).await?;
    Ok((choice, tokens))
}

/// Writes a session down under the profile of its server; gives the profile's name.
pub(crate) fn keep(desk: &Desk<'_>, choice: &Choice, tokens: &PersonTokens) -> Result<String, Failure> {
    let is_named = desk.globals.profile.is_some() || desk.environment.get("SAFECONDUCT_PROFILE").is_some();
    desk.store()?.lock()?.change(|profiles| {
        let name = if is_named { choice.profile.clone() } else { name_for(profiles, &choice.url) };
        let old = profiles.profiles.remove(&name).filter(|old| old.url == choice.url);
        let profile = Profile {
            url: choice.url.clone(),
            allow_plain_http: choice.allow_plain_http,
            session: Some(KeptSession::of(tokens, &desk.world)),
            ledger: old.and_then(|old| old.ledger),
        };
        profiles.profiles.insert(name.clone(), profile);
        profiles.current = Some(name.clone());
        Ok(name)
    })
}

/// From now on this profile believes the server's key, and what comes later must continue what it saw.
pub(crate) async fn pin(
    desk: &mut Desk<'_>,
    choice: &Choice,
    name: &str,
    tokens: &PersonTokens,
) -> Result<(), Failure> {
    let client = choice.anonymous()?.with_token(&tokens.access_token);
    let shown = match trust::newest_checkpoint(&client).await {
        Ok(shown) => shown,
        Err(failure) => {
            let (title, ..) = failure.lines();
            return desk.screen.warn(&format!("no key was pinned, so bundles need --key: {title}"));
        }
    };
    let pinned = trust::pin(&shown, &desk.world)?;
    let old = desk.store()?.lock()?.change(|profiles| {
        let kept = profiles.profiles.get_mut(name).map(|profile| &mut profile.ledger);
        Ok(kept.and_then(|kept| match kept {
            // The same key stays pinned since when it was, with what was seen then.
            Some(old) if old.key == pinned.key => Some(old.clone()),
            _ => kept.replace(pinned.clone()),
        }))
    })?;
    match old {
        Some(old) if old.key == shown.key => {
            let believed = Believed::pinned(&old, name)?;
            trust::check_growth(&client, &believed, &old.checkpoint).await.map(drop)
        }
        Some(old) => desk.screen.warn(&format!(
            "the server signs its record with another key than the one pinned on {}. If it was not set up anew, \
             somebody else answers there. The old key was: {}",
            old.pinned_at, old.key
        )),
        None => Ok(()),
    }
}

/// The profile that knows the server already; else a free name, so that no other server's session is lost.
fn name_for(profiles: &Profiles, url: &str) -> String {
    let known = profiles.profiles.iter().find(|(_, profile)| profile.url == url);
    let free = |name: &String| !profiles.profiles.contains_key(name);
    let host = url.split("://").nth(1).unwrap_or_default();
    let words: Vec<&str> = host.split([':', '/', '[', ']']).filter(|word| !word.is_empty()).collect();
    match known {
        Some((name, _)) => name.clone(),
        None => Some("default".to_owned()).filter(free).unwrap_or_else(|| words.join("-")),
    }
}

pub(crate) async fn logout(desk: &mut Desk<'_>) -> Result<(), Failure> {
    let choice = desk.choice()?;
    let lock = desk.store()?.lock()?;
    let session = lock.change(|profiles| {
        let profile = profiles.profiles.get_mut(&choice.profile).filter(|profile| profile.url == choice.url);
        Ok(profile.and_then(|profile| profile.session.take()))
    })?;
    drop(lock);
    let Some(session) = session else {
        return desk.screen.note(&format!("nobody is signed in to {}", choice.url));
    };
    let client: Client = choice.anonymous()?;
    match client.tokens().revoke(&session.refresh_token).await {
        Ok(()) => desk.screen.note(&format!("{} signed out of {}", session.user, choice.url)),
        Err(error) => {
            desk.screen.warn(
                "the profile forgot its session, but the server was not told; the session ends by itself",
            )?;
            Err(error.into())
        }
    }
}

pub(crate) async fn whoami(desk: &mut Desk<'_>) -> Result<(), Failure> {
    let choice = desk.choice()?;
    let me = desk.client()?.auth().me().await?;
    let rows = [
        (me.principal.kind.as_str(), Cell::toned(&me.principal.display, Tone::Strong)),
        ("id", Cell::from(&me.principal.id)),
        ("organization", Cell::from(format!("{} ({})", me.org.name, me.org.slug))),
        ("roles", Cell::from(me.roles.join(", "))),
        ("permissions", Cell::from(me.permissions.len().to_string())),
        ("server", Cell::from(&choice.url)),
        ("profile", Cell::from(&choice.profile)),
    ];
    desk.screen.record(&me, &me.principal.id, &rows)
}

pub(crate) fn configure(desk: &mut Desk<'_>, command: Configure) -> Result<(), Failure> {
    let store = desk.store()?;
    match command {
        Configure::List => list(desk, &store.read()?),
        Configure::Set { name } => {
            let (url, plain) = (desk.globals.url.clone(), desk.globals.allow_plain_http);
            let line = store.lock()?.change(|profiles| set(profiles, &name, url, plain))?;
            desk.screen.note(&line)
        }
        Configure::Use { name } => {
            store.lock()?.change(|profiles| {
                known(profiles, &name)?;
                profiles.current = Some(name.clone());
                Ok(())
            })?;
            desk.screen.note(&format!("{name} is used from now on"))
        }
        Configure::Remove { name } => {
            known(&store.read()?, &name)?;
            desk.screen.confirm(&format!("Forget the profile {name} and whose record it believes?"))?;
            store.lock()?.change(|profiles| {
                profiles.profiles.remove(&name);
                profiles.current = profiles.current.take().filter(|current| *current != name);
                Ok(())
            })?;
            desk.screen.note(&format!("{name} is forgotten"))
        }
    }
}

fn set(profiles: &mut Profiles, name: &str, url: Option<String>, plain: bool) -> Result<String, Failure> {
    let url = url.map(|url| url.trim_end_matches('/').to_owned());
    // The same check as when it is used.
    if let Some(url) = &url {
        Client::builder(url).allow_plain_http(plain).build()?;
    }
    let old = profiles.profiles.remove(name);
    let profile = match (old, url) {
        (None, None) => return Err(Failure::usage("A new profile needs the server's address: --url.")),
        (Some(old), None) => Profile { allow_plain_http: plain, ..old },
        (Some(old), Some(url)) if old.url == url => Profile { allow_plain_http: plain, ..old },
        // Another server: neither session nor key are its own.
        (_, Some(url)) => Profile { url, allow_plain_http: plain, session: None, ledger: None },
    };
    let line = format!("{name} leads to {}", profile.url);
    profiles.profiles.insert(name.to_owned(), profile);
    profiles.current.get_or_insert_with(|| name.to_owned());
    Ok(line)
}

fn known(profiles: &Profiles, name: &str) -> Result<(), Failure> {
    match profiles.profiles.contains_key(name) {
        true => Ok(()),
        false => Err(Failure::usage(format!(
            "There is no profile `{name}`; `safeconduct configure list` shows them."
        ))),
    }
}

/// A profile without its secrets.
#[derive(Serialize)]
struct Listed {
    name: String,
    current: bool,
    url: String,
    user: Option<String>,
    org: Option<String>,
    ledger_key: Option<String>,
}

fn list(desk: &mut Desk<'_>, profiles: &Profiles) -> Result<(), Failure> {
    let listed = |(name, profile): (&String, &Profile)| Listed {
        name: name.clone(),
        current: profiles.current.as_ref() == Some(name),
        url: profile.url.clone(),
        user: profile.session.as_ref().map(|session| session.user.clone()),
        org: profile.session.as_ref().map(|session| session.org.clone()),
        ledger_key: profile.ledger.as_ref().map(|pinned| pinned.key.clone()),
    };
    let items: Vec<Listed> = profiles.profiles.iter().map(listed).collect();
    desk.screen.list(
        &items,
        None,
        |listed| &listed.name,
        &[
            ("profile", |listed| Cell::toned(&listed.name, Tone::Strong)),
            ("used", |listed| Cell::from(if listed.current { "*" } else { "" })),
            ("server", |listed| Cell::from(&listed.url)),
            ("signed in", |listed| Cell::from(listed.user.as_deref().unwrap_or("no"))),
            ("organization", |listed| Cell::from(listed.org.as_deref().unwrap_or_default())),
        ],
    )
}

/// The token of a whole link, or the token itself.
pub(crate) fn token_of(given: &str) -> Result<&str, Failure> {
    Link::parse(given).map(|link| link.token)
}

/// An owner link, taken apart.
struct Link<'a> {
    /// The server, if the whole link was given.
    url: Option<&'a str>,
    token: &'a str,
}

impl<'a> Link<'a> {
    fn parse(given: &'a str) -> Result<Self, Failure> {
        let given = given.trim();
        let (url, token) = match given.split_once('#') {
            Some((page, token)) => {
                let page = page.trim_end_matches('/');
                (Some(page.strip_suffix(WELCOME).ok_or_else(not_a_link)?), token)
            }
            None => (None, given),
        };
        if token.len() == TOKEN_LENGTH && token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(Self { url, token });
        }
        Err(not_a_link())
    }
}

fn not_a_link() -> Failure {
    Failure::usage(
        "This is no owner link. Give all of it in quotes: 'http://…/console/welcome#…', or the 43 characters behind `#`.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdefghijABCDEFGHIJ0123456789abc";

    #[test]
    fn links_and_bare_tokens_are_read() {
        let whole = format!(" https://sc.example/under/console/welcome#{TOKEN}\n");
        let link = Link::parse(&whole).ok().unwrap();
        assert_eq!((link.url, link.token), (Some("https://sc.example/under"), TOKEN));
        let link = Link::parse(TOKEN).ok().unwrap();
        assert_eq!((link.url, link.token), (None, TOKEN));
        let elsewhere = format!("https://sc.example/other#{TOKEN}");
        for broken in
            ["", "https://sc.example/console/welcome", &TOKEN[1..], &elsewhere, &format!("{TOKEN}!")]
        {
            assert!(Link::parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn another_server_gets_another_profile() {
        let mut profiles = Profiles::default();
        assert_eq!(name_for(&profiles, "http://127.0.0.1:7717"), "default");
        set(&mut profiles, "default", Some("http://127.0.0.1:7717/".into()), false).ok().unwrap();
        assert_eq!(profiles.current.as_deref(), Some("default"));
        assert_eq!(name_for(&profiles, "http://127.0.0.1:7717"), "default");
        assert_eq!(name_for(&profiles, "http://[::1]:7718"), "1-7718");
        assert_eq!(name_for(&profiles, "https://sc.example"), "sc.example");
    }

    #[test]
    fn a_profile_that_moves_loses_what_was_the_other_servers() {
        let mut profiles = Profiles::default();
        set(&mut profiles, "work", Some("https://a.example".into()), false).ok().unwrap();
        let session = KeptSession {
            access_token: "a".into(),
            expires_at: types::Timestamp::from_millis(0),
            refresh_token: "r".into(),
            session: "ses_1".into(),
            user: "Owner".into(),
            org: "home".into(),
        };
        profiles.profiles.get_mut("work").unwrap().session = Some(session);
        set(&mut profiles, "work", Some("https://a.example".into()), false).ok().unwrap();
        assert!(profiles.profiles["work"].session.is_some());
        set(&mut profiles, "work", Some("https://b.example".into()), false).ok().unwrap();
        assert!(profiles.profiles["work"].session.is_none());
        assert!(set(&mut profiles, "plain", Some("http://b.example".into()), false).is_err());
        assert!(set(&mut profiles, "new", None, false).is_err());
    }
}
