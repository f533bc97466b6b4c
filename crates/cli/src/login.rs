//! `safeconduct login`, `logout`, `whoami`.

use clap::Args;
use client::{Client, PersonTokens};
use serde_json::json;

use crate::browser;
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
  safeconduct login
  safeconduct login --device --url https://safeconduct.example
  safeconduct login --link 'http://127.0.0.1:7717/console/welcome#…'
  safeconduct login --profile work --link - < owner-link")]
pub struct Login {
    /// The owner link that the server printed, or the token behind its `#`; `-` is standard input.
    #[arg(long, value_name = "LINK", conflicts_with_all = ["device", "no_browser"])]
    link: Option<String>,
    /// Show a code to type at a browser of another machine.
    #[arg(long, conflicts_with = "no_browser")]
    device: bool,
    /// Only show the address to go to.
    #[arg(long)]
    no_browser: bool,
}

pub(crate) async fn login(desk: &mut Desk<'_>, login: &Login) -> Result<(), Failure> {
    let (choice, tokens) = match login.link.as_deref() {
        Some("-") => {
            let given = files::read_secret(&mut desk.screen, std::path::Path::new("-"))?;
            redeem(desk, &given).await?
        }
        Some(link) => redeem(desk, link).await?,
        None => {
            let choice = desk.choice()?;
            let client = choice.anonymous()?;
            let tokens = match login.device {
                true => browser::elsewhere(desk, &client).await?,
                false => browser::on_this_machine(desk, &client, !login.no_browser).await?,
            };
            (choice, tokens)
        }
    };
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
        let first = Profile {
            url: "http://127.0.0.1:7717".into(),
            allow_plain_http: false,
            session: None,
            ledger: None,
        };
        profiles.profiles.insert("default".into(), first);
        assert_eq!(name_for(&profiles, "http://127.0.0.1:7717"), "default");
        assert_eq!(name_for(&profiles, "http://[::1]:7718"), "1-7718");
        assert_eq!(name_for(&profiles, "https://sc.example"), "sc.example");
    }
}
