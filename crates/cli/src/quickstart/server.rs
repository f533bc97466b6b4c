//! Which server the story is told on, and how its teller gets in.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use client::{Client, Me};
use config::{Config, Sources};

use super::Quickstart;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::host::Embedded;
use crate::login;
use crate::trust::{self, Believed};

const LINK: &str = "owner-link";

/// Signed in as an owner, knowing whose record to believe.
pub(crate) struct SignedIn {
    pub(crate) client: Client,
    pub(crate) me: Me,
    pub(crate) believed: Believed,
    /// How, for the telling.
    pub(crate) how: String,
}

/// A server in this process and its data.
pub(crate) struct Started {
    server: Embedded,
    dir: PathBuf,
    /// Nobody asked to keep it.
    is_temporary: bool,
}

impl Started {
    pub(crate) async fn end(self) -> Result<(), Failure> {
        (self.server.stop)().await;
        if self.is_temporary {
            std::fs::remove_dir_all(&self.dir).map_err(|error| Failure::file(&self.dir, error))?;
        }
        Ok(())
    }
}

/// By the link that was given, else by the profile's session, else by the link of a server on this machine.
pub(crate) async fn sign_in(desk: &mut Desk<'_>, quickstart: &Quickstart) -> Result<SignedIn, Failure> {
    if let Some(link) = &quickstart.link {
        return by_link(desk, link, "by the owner link").await;
    }
    let choice = desk.choice()?;
    if let Ok(client) = choice.client(|| desk.store()) {
        match client.auth().me().await {
            Ok(me) => {
                let shown = trust::newest_checkpoint(&client).await?;
                let believed = Believed::or_of_server(desk, None, &shown.key)?;
                let how = format!("by profile {}", choice.profile);
                return Ok(SignedIn { client, me, believed, how });
            }
            // The session may be of an older server at the same address.
            Err(error) if error.status() == Some(401) => {}
            Err(error) => return Err(error.into()),
        }
    }
    match find_link(desk, quickstart.data_dir.as_deref())? {
        Some((path, link)) => by_link(desk, &link, &format!("by the link in {}", path.display())).await,
        None => Err(Failure::NotSignedIn { url: choice.url, command: "quickstart" }),
    }
}

async fn by_link(desk: &mut Desk<'_>, link: &str, how: &str) -> Result<SignedIn, Failure> {
    let (choice, tokens) = login::redeem(desk, link).await?;
    let name = login::keep(desk, &choice, &tokens)?;
    login::pin(desk, &choice, &name, &tokens).await?;
    let client = choice.by_profile(desk.store()?, &name)?;
    let pinned = desk.store()?.read()?.profiles.remove(&name).and_then(|profile| profile.ledger);
    let pinned =
        pinned.ok_or_else(|| Failure::NotVerified("the server showed no key to believe".to_owned()))?;
    let believed = Believed::pinned(&pinned, &name)?;
    Ok(SignedIn {
        me: client.auth().me().await?,
        client,
        believed,
        how: format!("{how}; profile {name} keeps the session"),
    })
}

/// The link that a server on this machine left for its own user. Only from a file of that user, only to this machine.
fn find_link(desk: &Desk<'_>, data_dir: Option<&Path>) -> Result<Option<(PathBuf, String)>, Failure> {
    let dirs = match data_dir {
        Some(dir) => vec![dir.to_owned()],
        None => [Some(PathBuf::from(".data")), default_data_dir(desk)].into_iter().flatten().collect(),
    };
    for path in dirs.into_iter().map(|dir| dir.join(LINK)) {
        match std::fs::metadata(&path) {
            Ok(found) if found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o077 == 0 => {
                let link = std::fs::read_to_string(&path).map_err(|error| Failure::file(&path, error))?;
                if is_of_this_machine(link.trim()) {
                    return Ok(Some((path, link.trim().to_owned())));
                }
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {}
            Err(error) => return Err(Failure::file(&path, error)),
        }
    }
    Ok(None)
}

/// Where `safeconduct serve` keeps its data, given the same environment.
fn default_data_dir(desk: &Desk<'_>) -> Option<PathBuf> {
    let sources = Sources { environment: desk.environment.clone(), ..Sources::default() };
    Config::load(&sources).ok().map(|config| config.data.dir)
}

fn is_of_this_machine(link: &str) -> bool {
    let page = link.split_once('#').map_or(link, |(page, _)| page);
    // Plain HTTP is accepted for this machine only; whether the address is that is decided there.
    page.starts_with("http://") && Client::builder(page).build().is_ok()
}

pub(crate) async fn start(
    desk: &Desk<'_>,
    data_dir: Option<&Path>,
    suffix: &str,
) -> Result<Started, Failure> {
    let (dir, is_temporary) = match data_dir {
        Some(dir) => (dir.to_owned(), false),
        None => (std::env::temp_dir().join(format!("safeconduct-quickstart-{suffix}")), true),
    };
    let made = DirBuilder::new().recursive(!is_temporary).mode(0o700).create(&dir);
    made.map_err(|error| Failure::file(&dir, error))?;
    let server = desk
        .host
        .start(&dir)
        .await
        .map_err(|reason| Failure::usage(format!("No server could start: {reason}")));
    match server {
        Ok(server) => Ok(Started { server, dir, is_temporary }),
        Err(failure) => {
            if is_temporary {
                // The first failure is the one to tell.
                let _ = std::fs::remove_dir_all(&dir);
            }
            Err(failure)
        }
    }
}

/// The session lives as long as the server does, so no profile hears of it.
pub(crate) async fn sign_in_embedded(desk: &mut Desk<'_>, started: &Started) -> Result<SignedIn, Failure> {
    let path = started.dir.join(LINK);
    let link = std::fs::read_to_string(&path).map_err(|error| Failure::file(&path, error))?;
    let token = login::token_of(&link)?;
    let anonymous = Client::builder(&started.server.url).build()?;
    let tokens = anonymous.auth().redeem_link_for_token(token).await?;
    let client = anonymous.with_token(&tokens.access_token);
    let shown = trust::newest_checkpoint(&client).await?;
    let believed = Believed::at_sign_in(&trust::pin(&shown, &desk.world)?)?;
    let how = "by the owner link, on a server of its own".to_owned();
    Ok(SignedIn { me: client.auth().me().await?, client, believed, how })
}
