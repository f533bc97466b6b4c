//! The facade of this domain and what its parts share.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use access::Access;
use agents::Agents;
use audit::Audit;
use authority::Required;
use cluster::{Dead, Feed, Heard, Kin, OnDead};
use crypto::jws::Algorithm;
use db::Db;
use ledger::Ledger;
use people::People;
use problem::Problem;
use runs::Underway;
use types::{Id, OrgId, RunId, Timestamp, TokenId, World};

use crate::client::ClientKeys;
use crate::error::KeysError;
use crate::import;
use crate::issuer::Issuers;
use crate::keys::Keys;
use crate::live::Live;
use crate::ring::KeyStatus;
use crate::scope::Scopes;
use crate::tally::Tally;
use crate::verified::VerifiedCache;
use crypto::mac::MacKey;
use secrets::Keyring;

#[derive(Clone, Debug)]
pub struct OauthSettings {
    /// Without trailing slash; the home organization's issuer.
    pub public_url: String,
    pub algorithm: Algorithm,
    pub agent_lifetime: Duration,
    pub person_lifetime: Duration,
    /// By how much foreign clocks may differ.
    pub clock_skew: Duration,
    /// Whether asking for more than is held is refused instead of narrowed.
    pub strict_scopes: bool,
    /// Checked tokens that are remembered.
    pub remembered_tokens: usize,
}

impl OauthSettings {
    pub fn new(public_url: &str) -> Self {
        Self {
            public_url: public_url.trim_end_matches('/').to_owned(),
            algorithm: Algorithm::ES256,
            agent_lifetime: Duration::from_secs(600),
            person_lifetime: Duration::from_secs(900),
            clock_skew: Duration::from_secs(30),
            strict_scopes: false,
            remembered_tokens: 50_000,
        }
    }
}

/// The rooms that this one stands on.
pub struct OauthParts {
    pub db: Db,
    pub ledger: Ledger,
    pub world: World,
    pub feed: Feed,
    pub keyring: Keyring,
    pub keys: Keys,
    pub access: Access,
    pub people: People,
    pub agents: Agents,
    pub audit: Audit,
}

/// What became of an operator's own signing key.
pub struct Imported {
    /// RFC 7638 thumbprint.
    pub kid: String,
    pub algorithm: Algorithm,
    pub status: KeyStatus,
    /// Not, if it was here before: then it is left as it was.
    pub new: bool,
}

/// The authorization server; clones share it.
#[derive(Clone)]
pub struct Oauth(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) ledger: Ledger,
    pub(crate) world: World,
    pub(crate) feed: Feed,
    pub(crate) keys: Keys,
    pub(crate) access: Access,
    pub(crate) people: People,
    pub(crate) agents: Agents,
    pub(crate) audit: Audit,
    pub(crate) settings: OauthSettings,
    pub(crate) issuers: Issuers,
    pub(crate) verified: VerifiedCache,
    pub(crate) live: Live,
    pub(crate) tally: Tally,
    pub(crate) scopes: Scopes,
    pub(crate) client_keys: ClientKeys,
    pub(crate) login_key: MacKey,
    /// Tokens from before this were issued by a process that is gone.
    pub(crate) started: Timestamp,
    step_ups: OnceLock<Vec<Required>>,
    underway: OnceLock<Underway>,
}

impl Oauth {
    pub fn new(parts: OauthParts, settings: OauthSettings) -> Self {
        let OauthParts { db, ledger, world, feed, keyring, keys, access, people, agents, audit } = parts;
        let inner = Arc::new(Inner {
            issuers: Issuers::new(people.clone(), &settings.public_url),
            verified: VerifiedCache::new(settings.remembered_tokens / 2),
            live: Live::default(),
            tally: Tally::default(),
            scopes: Scopes::default(),
            client_keys: ClientKeys::default(),
            login_key: keyring.derive("logins"),
            started: world.now(),
            step_ups: OnceLock::new(),
            underway: OnceLock::new(),
            db,
            ledger,
            world,
            feed: feed.clone(),
            keys,
            access,
            people,
            agents,
            audit,
            settings,
        });
        feed.listen(inner.clone());
        Self(inner)
    }

    /// What operations ask for that people step up for; tokens of people name it. Set once, when all routes are known.
    pub fn know_step_ups(&self, required: Vec<Required>) {
        // A second list would come from a second boot in one process; the first stays.
        let _ = self.0.step_ups.set(required);
    }

    /// The runs that tokens are made for and die with. Set once, at boot: the engine comes after the tokens.
    pub fn know_runs(&self, underway: Underway) {
        let _ = self.0.underway.set(underway);
    }

    /// Signs with the operator's own key from this file (`keys.signing_key_file`, `safeconduct keys import`). One that cannot
    /// sign what is configured is refused, so that nobody believes it is in use.
    pub async fn import_signing_key(&self, org: OrgId, path: &Path) -> Result<Imported, KeysError> {
        let key = import::read(path)?;
        let (found, wanted) = (key.algorithm(), self.0.settings.algorithm);
        if found != wanted {
            let reason =
                format!("the key signs {found}, but tokens.signing_algorithm is {wanted}; make them agree");
            return Err(KeysError::File { path: path.display().to_string(), reason });
        }
        let (status, new) = self.0.keys.import(org, &key).await?;
        Ok(Imported { kid: key.kid().to_owned(), algorithm: found, status, new })
    }

    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// The audience of tokens for our own API.
    pub fn api_audience(&self) -> Arc<str> {
        self.0.issuers.api().clone()
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) async fn run_is_on(&self, org: OrgId, run: RunId, fence: i64) -> Result<bool, Problem> {
        match self.0.underway.get() {
            Some(underway) => underway.is_on(org, run, fence).await.map_err(Problem::from),
            None => Ok(false),
        }
    }

    pub(crate) fn needed_by_name(&self) -> &[Required] {
        self.0.step_ups.get().map(Vec::as_slice).unwrap_or_default()
    }
}

impl OnDead for Inner {
    fn heard(&self, entry: &Heard) -> Dead {
        if !entry.dead {
            return Dead::default();
        }
        let Some(kin) = Kin::of(&entry.kind, entry.key) else { return Dead::default() };
        let seen = self.verified.drop_standing_on(kin);
        match kin.kind {
            // The living are counted by principal; what was seen of them is among those.
            "agent" | "user" => self.live.end(kin, self.world.now()),
            "token" => {
                seen.first().into_iter().for_each(|verified| self.live.revoked(&verified.claims));
                Dead { tokens: 1, jtis: vec![TokenId::from_uuid(entry.key)], ..Dead::default() }
            }
            _ => {
                let jtis = seen.iter().map(|verified| verified.claims.jti).take(100).collect();
                Dead { tokens: seen.len() as u64, jtis, ..Dead::default() }
            }
        }
    }
}
