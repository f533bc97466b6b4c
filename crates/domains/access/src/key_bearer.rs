//! Callers with an API key: `Authorization: Bearer sfk_…` or `X-API-Key`. Everything is asked of memory anew on each use:
//! the key, whether its owner stands, and what the owner holds.

use axum::http::header;
use axum::http::request::Parts;
use crypto::machine_secret::{MachineSecret, SecretForm};
use futures::future::BoxFuture;
use problem::{INVALID_API_KEY, Problem};
use types::{ApiKeyId, OrgId, TxnId};
use web::{Authenticator, Caller, Contact, Link, Means, PrincipalId};

use crate::Access;

/// Where a key begins; other bearers are tokens.
const MARK: &str = "sfk_";
const HEADER: &str = "x-api-key";

impl Authenticator for Access {
    fn recognise<'a>(
        &'a self,
        request: &'a Parts,
        contact: &'a Contact,
    ) -> BoxFuture<'a, Result<Option<Caller>, Problem>> {
        Box::pin(async move {
            let Some(text) = shown(request)? else { return Ok(None) };
            let outcome = self.caller(text, contact).await;
            let result = if outcome.is_ok() { "accepted" } else { "refused" };
            metrics::counter!("safeconduct_api_key_checks_total", "result" => result).increment(1);
            outcome.map(Some)
        })
    }
}

/// The key of a request, if it shows one; one that shows a token or a second key beside it is refused.
fn shown(request: &Parts) -> Result<Option<&str>, Problem> {
    let of = |name: &str| {
        let mut values = request.headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
        (values.next(), values.next().is_some())
    };
    let (by_header, twice) = of(HEADER);
    let (authorization, _) = of(header::AUTHORIZATION.as_str());
    let bearer = authorization.and_then(|value| {
        let (scheme, text) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("Bearer").then(|| text.trim()).filter(|text| text.starts_with(MARK))
    });
    match (by_header, bearer) {
        (None, bearer) => Ok(bearer),
        (Some(key), None) if authorization.is_none() && !twice => Ok(Some(key)),
        (Some(_), _) => Err(refused("Send one API key, and nothing else that says who you are.")),
    }
}

impl Access {
    /// The principal with what it holds now; `None` where it may not act in this organization. From memory.
    pub async fn link(&self, org: OrgId, principal: PrincipalId) -> Result<Option<Link>, Problem> {
        let Some(known) = self.standing(org, principal).await?.filter(|known| known.active) else {
            return Ok(None);
        };
        let held = self.holding(org, principal).await?;
        Ok(Some(Link {
            principal,
            display: known.display.as_str().into(),
            grants: held.authority.clone(),
            groups: held.groups.clone(),
        }))
    }

    async fn caller(&self, text: &str, contact: &Contact) -> Result<Caller, Problem> {
        let inner = self.inner();
        // A key lives long: without news of revocations none is believed.
        inner.feed.fresh()?;
        let Ok(parsed) = MachineSecret::parse(SecretForm::ApiKey, text) else {
            return Err(refused("The API key is malformed. Send it whole, unchanged."));
        };
        let Ok(id) = format!("key_{}", parsed.key_id).parse::<ApiKeyId>() else {
            return Err(refused(UNKNOWN));
        };
        // Taken before anything about rights is read.
        let revision = inner.feed.applied();
        let found = self.key(id).await?;
        // The tag is made and compared also for keys that do not exist, so that both take as long.
        let tag = self.tag_of(id, parsed.secret);
        let kept = found.as_ref().map_or([0; 32], |key| key.tag);
        let same = crypto::eq(&tag, &kept);
        let Some(key) = found.filter(|_| same) else { return Err(refused(UNKNOWN)) };
        let now = inner.world.now();
        if !key.is_usable(now) {
            return Err(refused("The API key was revoked or has expired. Make a new one."));
        }
        if !key.may_be_used_from(contact.ip) {
            metrics::counter!("safeconduct_api_keys_out_of_place_total").increment(1);
            return Err(refused("The API key may not be used from this address."));
        }
        let Some(subject) = self.link(key.org, key.owner).await? else {
            return Err(refused("The API key's owner may not act here any more."));
        };
        inner.seen.note(id, now, contact.ip);
        Ok(Caller {
            org: key.org,
            subject,
            actors: Vec::new(),
            functions: Vec::new(),
            trigger: None,
            scope: Some(key.permissions.clone()),
            means: Means::Key { key: id, expires_at: key.expires_at },
            txn: Some(inner.world.id::<TxnId>()),
            revision,
        })
    }
}

/// The same for keys that never were and keys of others.
const UNKNOWN: &str = "The API key is not valid here.";

fn refused(detail: &'static str) -> Problem {
    Problem::new(&INVALID_API_KEY, detail)
}
