//! Which server a command speaks to, and as whom.

use std::time::Duration;

use client::{Client, Error, PersonTokens, Token, TokenFuture, TokenSource};
use config::Environment;
use tokio::sync::Mutex;
use types::World;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::profiles::{KeptSession, Profile, ProfileStore, Profiles};
use crate::screen::Globals;

const DEFAULT_URL: &str = "http://127.0.0.1:7717";
const DEFAULT_PROFILE: &str = "default";
/// A kept access token with less than this left is replaced.
const ENOUGH: Duration = Duration::from_secs(60);

/// What the command line, the environment and the profiles come to.
pub(crate) struct Choice {
    pub(crate) url: String,
    pub(crate) profile: String,
    pub(crate) allow_plain_http: bool,
    /// A token from the environment.
    token: Option<String>,
    /// The profile, if it is of this server.
    pub(crate) known: Option<Profile>,
}

impl Choice {
    pub(crate) fn new(
        globals: &Globals,
        environment: &Environment,
        profiles: &Profiles,
    ) -> Result<Self, Failure> {
        let named =
            globals.profile.clone().or_else(|| environment.get("SAFECONDUCT_PROFILE").map(str::to_owned));
        let name =
            named.clone().or_else(|| profiles.current.clone()).unwrap_or_else(|| DEFAULT_PROFILE.to_owned());
        let profile = profiles.profiles.get(&name);
        let asked = globals.url.clone().or_else(|| environment.get("SAFECONDUCT_URL").map(str::to_owned));
        if let (Some(name), None, None) = (&named, profile, &asked) {
            let known: Vec<&str> = profiles.profiles.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none yet".to_owned() } else { known.join(", ") };
            return Err(Failure::usage(format!("There is no profile `{name}`; there is: {known}.")));
        }
        let url = asked
            .or_else(|| profile.map(|profile| profile.url.clone()))
            .unwrap_or_else(|| DEFAULT_URL.to_owned());
        let url = url.trim_end_matches('/').to_owned();
        // A session is shown to the server that gave it, never to another.
        let known = profile.filter(|profile| profile.url == url).cloned();
        Ok(Self {
            allow_plain_http: globals.allow_plain_http
                || known.as_ref().is_some_and(|known| known.allow_plain_http),
            token: environment.get("SAFECONDUCT_TOKEN").map(str::to_owned),
            profile: name,
            known,
            url,
        })
    }

    /// Another server than the one that was chosen; what the profile knows is not its own.
    pub(crate) fn move_to(&mut self, url: &str) {
        if self.url != url {
            (self.url, self.known) = (url.to_owned(), None);
        }
    }

    /// A client without a token.
    pub(crate) fn anonymous(&self) -> Result<Client, Failure> {
        let agent = concat!("safeconduct/", env!("CARGO_PKG_VERSION"));
        Ok(Client::builder(&self.url).allow_plain_http(self.allow_plain_http).user_agent(agent).build()?)
    }

    pub(crate) fn client(
        &self,
        store: impl FnOnce() -> Result<ProfileStore, Failure>,
    ) -> Result<Client, Failure> {
        let client = self.anonymous()?;
        if let Some(token) = &self.token {
            return Ok(client.with_token(token));
        }
        match self.known.as_ref().and_then(|known| known.session.as_ref()) {
            None => Err(Failure::NotSignedIn { url: self.url.clone(), command: "login" }),
            Some(_) => self.by_profile(store()?, &self.profile),
        }
    }

    /// With the tokens of a profile that holds a session on this server.
    pub(crate) fn by_profile(&self, store: ProfileStore, profile: &str) -> Result<Client, Failure> {
        Ok(self.anonymous()?.with_token_source(ProfileTokens::new(store, profile.to_owned())))
    }
}

/// Tokens of a profile. A refresh token works once, so whoever uses it holds the lock and writes down the next.
pub(crate) struct ProfileTokens {
    store: ProfileStore,
    profile: String,
    world: World,
    /// The access token that this process was given last; asking again means that it is of no use any more.
    given: Mutex<Option<Zeroizing<String>>>,
}

impl ProfileTokens {
    pub(crate) fn new(store: ProfileStore, profile: String) -> Self {
        Self { store, profile, world: World::system(), given: Mutex::new(None) }
    }

    async fn next(&self, client: &Client) -> Result<Token, Error> {
        let mut given = self.given.lock().await;
        let store = self.store.clone();
        let lock = tokio::task::spawn_blocking(move || store.lock()).await;
        let lock =
            lock.map_err(|error| local(&error.to_string()))?.map_err(|failure| local(&failure.lines().0))?;
        let mut profiles = lock.read().map_err(|failure| local(&failure.lines().0))?;
        let kept = profiles.profiles.get_mut(&self.profile).and_then(|profile| profile.session.as_mut());
        let kept = kept.ok_or_else(|| local("The profile was signed out meanwhile. Sign in again."))?;
        let left = kept.expires_at.since(self.world.now());
        if left < ENOUGH || given.as_ref().is_some_and(|given| **given == kept.access_token) {
            let tokens = client.auth().refresh(&kept.refresh_token).await?;
            *kept = KeptSession::of(&tokens, &self.world);
            let left = kept.expires_at.since(self.world.now());
            let token = kept.token(left);
            lock.write(&profiles).map_err(|failure| local(&failure.lines().0))?;
            *given = Some(token.access_token.clone());
            return Ok(token);
        }
        let token = kept.token(left);
        *given = Some(token.access_token.clone());
        Ok(token)
    }
}

impl TokenSource for ProfileTokens {
    fn fetch<'a>(&'a self, client: &'a Client) -> TokenFuture<'a> {
        Box::pin(self.next(client))
    }
}

impl KeptSession {
    pub(crate) fn of(tokens: &PersonTokens, world: &World) -> Self {
        Self {
            access_token: tokens.access_token.clone(),
            expires_at: world.now().plus(Duration::from_secs(tokens.expires_in)),
            refresh_token: tokens.refresh_token.clone(),
            session: tokens.session.id.clone(),
            user: tokens.user.display_name.clone(),
            org: tokens.org.slug.clone(),
        }
    }

    fn token(&self, left: Duration) -> Token {
        Token { access_token: Zeroizing::new(self.access_token.clone()), expires_in: Some(left) }
    }
}

fn local(detail: &str) -> Error {
    Error::new("not_signed_in", "The profile cannot be used", detail)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use types::Timestamp;

    use super::*;

    fn profiles() -> Profiles {
        let profile = |url: &str| Profile {
            url: url.to_owned(),
            allow_plain_http: false,
            session: Some(KeptSession {
                access_token: "a".into(),
                expires_at: Timestamp::from_millis(0),
                refresh_token: "r".into(),
                session: "ses_1".into(),
                user: "Owner".into(),
                org: "home".into(),
            }),
            ledger: None,
        };
        let of = [
            ("work".to_owned(), profile("https://work.example")),
            ("home".to_owned(), profile("http://127.0.0.1:1")),
        ];
        Profiles { current: Some("home".into()), profiles: BTreeMap::from(of) }
    }

    fn choose(globals: &Globals, environment: &[(&str, &str)]) -> Result<Choice, String> {
        Choice::new(globals, &Environment::of(environment.iter().copied()), &profiles())
            .map_err(|failure| failure.lines().0)
    }

    #[test]
    fn flags_come_before_the_environment_and_that_before_profiles() {
        let none = Globals::default();
        let named = Globals { profile: Some("work".into()), url: None, ..Globals::default() };
        let asked = Globals { url: Some("http://127.0.0.1:2/".into()), ..Globals::default() };
        for (globals, environment, url, profile) in [
            (&none, vec![], "http://127.0.0.1:1", "home"),
            (&none, vec![("SAFECONDUCT_PROFILE", "work")], "https://work.example", "work"),
            (&named, vec![("SAFECONDUCT_PROFILE", "home")], "https://work.example", "work"),
            (&none, vec![("SAFECONDUCT_URL", "http://127.0.0.1:3")], "http://127.0.0.1:3", "home"),
            (&asked, vec![("SAFECONDUCT_URL", "http://127.0.0.1:3")], "http://127.0.0.1:2", "home"),
        ] {
            let choice = choose(globals, &environment).unwrap();
            assert_eq!((choice.url.as_str(), choice.profile.as_str()), (url, profile));
        }
    }

    #[test]
    fn a_session_is_never_shown_to_another_server() {
        let asked = Globals { url: Some("https://evil.example".into()), ..Globals::default() };
        let choice = choose(&asked, &[]).unwrap();
        assert!(choice.known.is_none());
        let client = choice.client(|| Err(Failure::usage("the store must not be needed")));
        assert!(matches!(client.err(), Some(Failure::NotSignedIn { .. })));
        let choice = choose(&asked, &[("SAFECONDUCT_TOKEN", "t")]).unwrap();
        assert!(
            choice.client(|| Err(Failure::usage("nor here"))).is_ok(),
            "a token that was given goes along"
        );
    }

    #[test]
    fn a_profile_that_is_named_must_exist() {
        let named = Globals { profile: Some("wrok".into()), ..Globals::default() };
        assert!(choose(&named, &[]).err().unwrap().contains("home, work"));
        let with_url = Globals { url: Some("http://127.0.0.1:2".into()), ..named };
        assert!(choose(&with_url, &[]).is_ok(), "signing in makes it");
    }
}
