//! `safeconduct configure …`: profiles by hand.

use clap::Subcommand;
use client::Client;
use serde::Serialize;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::profiles::{Profile, Profiles};
use crate::table::{Cell, Tone};

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

pub(crate) fn run(desk: &mut Desk<'_>, command: Configure) -> Result<(), Failure> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profiles::KeptSession;

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
        assert_eq!(profiles.current.as_deref(), Some("work"), "the first one is used");
        set(&mut profiles, "work", Some("https://b.example".into()), false).ok().unwrap();
        assert!(profiles.profiles["work"].session.is_none());
        assert!(set(&mut profiles, "plain", Some("http://b.example".into()), false).is_err());
        assert!(set(&mut profiles, "new", None, false).is_err());
    }
}
