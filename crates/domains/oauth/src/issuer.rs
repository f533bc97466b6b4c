//! Issuers: `{public_url}` for the home organization, `{public_url}/o/{slug}` for every other. Each has keys of its own,
//! so a token is believed only if issuer, organization and key belong together.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use people::{Org, People, PeopleError};
use types::{OrgId, Slug};

/// One organization as an authorization server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    pub org: OrgId,
    /// The value of `iss`; no trailing slash.
    pub url: Arc<str>,
}

impl Issuer {
    pub(crate) fn token_endpoint(&self) -> String {
        format!("{}/oauth2/token", self.url)
    }
}

/// Finds issuers by what a request or a token names. Slugs are never given out again, so what was found stays true.
pub(crate) struct Issuers {
    people: People,
    public_url: Arc<str>,
    /// The API, the one audience that every issuer knows.
    api: Arc<str>,
    by_slug: RwLock<HashMap<Option<Slug>, Arc<Issuer>>>,
    by_org: RwLock<HashMap<OrgId, Arc<Issuer>>>,
    /// Held while an unknown slug is looked up: who makes slugs up gets one connection to wait for, not all of them.
    look_up: tokio::sync::Mutex<()>,
}

impl Issuers {
    pub(crate) fn new(people: People, public_url: &str) -> Self {
        let public_url: Arc<str> = public_url.trim_end_matches('/').into();
        let api = format!("{public_url}/api").into();
        Self {
            people,
            public_url,
            api,
            by_slug: RwLock::default(),
            by_org: RwLock::default(),
            look_up: tokio::sync::Mutex::default(),
        }
    }

    /// The audience of tokens for our API.
    pub(crate) fn api(&self) -> &Arc<str> {
        &self.api
    }

    /// The issuer behind a path: none means home.
    pub(crate) async fn of_path(&self, slug: Option<&str>) -> Result<Option<Arc<Issuer>>, PeopleError> {
        let Ok(slug) = slug.map(str::parse::<Slug>).transpose() else { return Ok(None) };
        if let Some(known) = self.by_slug.read().get(&slug) {
            return Ok(Some(known.clone()));
        }
        let _one_at_a_time = self.look_up.lock().await;
        let org = match &slug {
            None => Some(self.people.home().await?),
            // The home organization has one issuer, not two.
            Some(slug) => self.people.org_by_slug(slug.as_str()).await?.filter(|org| !org.home),
        };
        Ok(org.map(|org| self.remember(slug, &org)))
    }

    /// The issuer that a token names.
    pub(crate) async fn of_url(&self, url: &str) -> Result<Option<Arc<Issuer>>, PeopleError> {
        match url.strip_prefix(&*self.public_url) {
            Some("") => self.of_path(None).await,
            Some(rest) => match rest.strip_prefix("/o/") {
                Some(slug) => self.of_path(Some(slug)).await,
                None => Ok(None),
            },
            None => Ok(None),
        }
    }

    pub(crate) async fn of_org(&self, org: OrgId) -> Result<Option<Arc<Issuer>>, PeopleError> {
        if let Some(known) = self.by_org.read().get(&org) {
            return Ok(Some(known.clone()));
        }
        let Some(org) = self.people.org(org).await? else { return Ok(None) };
        let slug = if org.home { None } else { org.slug.parse().ok() };
        Ok(Some(self.remember(slug, &org)))
    }

    fn remember(&self, slug: Option<Slug>, org: &Org) -> Arc<Issuer> {
        let url = match &slug {
            None => self.public_url.clone(),
            Some(slug) => format!("{}/o/{slug}", self.public_url).into(),
        };
        let issuer = Arc::new(Issuer { org: org.id, url });
        self.by_slug.write().insert(slug, issuer.clone());
        self.by_org.write().insert(org.id, issuer.clone());
        issuer
    }
}
