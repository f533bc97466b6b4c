//! API keys: `sfk_<env>_<keyid>_<secret>_<crc>`, for people and agents. A key acts as its owner and never further than the
//! owner's rights of the moment, narrowed by the permissions that the key names. It is shown once and kept as HMAC.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use authority::{Authority, Permission};
use crypto::machine_secret::{MachineSecret, SecretForm};
use db::{AuthorityEntry, Change};
use ipnet::IpNet;
use problem::Problem;
use serde_json::json;
use types::{ApiKeyId, Id, OrgId, Secret, Timestamp, Uuid};
use web::{Allowance, Decided, Object, PrincipalId};

use crate::error::AccessError;
use crate::roles::texts;
use crate::{Access, Known, facts, store};

/// The pepper that new keys are tagged under.
pub(crate) const PEPPER: u32 = 1;
/// A key lives at most this long; one that nobody renews should not outlive those who knew of it.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

#[derive(Clone, Debug)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub org: OrgId,
    pub owner: PrincipalId,
    pub name: String,
    pub(crate) tag: [u8; 32],
    pub(crate) pepper_version: u32,
    pub permissions: Arc<Authority>,
    /// Where it may be used from; everywhere if empty.
    pub allowed_ips: Vec<IpNet>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub last_used_ip: Option<String>,
    pub revision: i64,
}

impl ApiKey {
    pub(crate) fn is_usable(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    pub(crate) fn status(&self, now: Timestamp) -> &'static str {
        match self.revoked_at {
            Some(_) => "revoked",
            None if self.is_usable(now) => "active",
            None => "expired",
        }
    }

    pub(crate) fn may_be_used_from(&self, ip: Option<IpAddr>) -> bool {
        let within = |ip: IpAddr| self.allowed_ips.iter().any(|net| net.contains(&ip.to_canonical()));
        self.allowed_ips.is_empty() || ip.is_some_and(within)
    }

    /// A key is its owner's own, and an agent's also that of who answers for the agent.
    pub(crate) fn object(&self, responsible: Option<Uuid>) -> Object<'static> {
        Object {
            selector: self.id.to_string().into(),
            is: Some(self.owner.uuid()),
            owner: responsible,
            ..Object::default()
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct WantedKey {
    pub name: String,
    /// The caller itself if left out.
    pub owner: Option<PrincipalId>,
    pub permissions: Vec<Permission>,
    pub expires_at: Option<Timestamp>,
    pub allowed_ips: Vec<String>,
}

/// A key just made; its text is shown this one time.
pub struct IssuedKey {
    pub key: ApiKey,
    pub text: Secret<String>,
}

impl Access {
    /// People make keys for themselves and for agents that they could act as anyway: whoever sees the key has what it
    /// allows, so both its maker and its owner must hold it.
    pub(crate) async fn create_key(
        &self,
        by: &Allowance,
        wanted: &WantedKey,
    ) -> Result<Decided<IssuedKey>, AccessError> {
        let inner = self.inner();
        // A key has no chain: whoever acts for somebody else would cut itself out of what the key does.
        if !by.caller().actors.is_empty() || !by.caller().functions.is_empty() {
            let detail =
                "API keys are made by their owner, not by agents or functions that act for somebody.";
            return Err(Problem::new(&problem::PERMISSION_DENIED, detail).into());
        }
        let giver = self.giver(by).await?;
        let owner = wanted.owner.unwrap_or_else(|| by.caller().principal());
        let known = self.owner_of_keys(by, owner).await?;
        let now = inner.world.now();
        let id: ApiKeyId = inner.world.id();
        let (text, tag) = self.new_secret(id, known.mark)?;
        let permissions: Authority = wanted.permissions.iter().cloned().collect();
        let key = ApiKey {
            id,
            org: by.org(),
            owner,
            name: wanted.name.clone(),
            tag,
            pepper_version: PEPPER,
            permissions: Arc::new(permissions),
            allowed_ips: networks(&wanted.allowed_ips)?,
            created_by: by.caller().principal().to_string(),
            created_at: now,
            expires_at: wanted.expires_at.or(known.longest_key.map(|longest| now.plus(longest))),
            revoked_at: None,
            last_used_at: None,
            last_used_ip: None,
            revision: 1,
        };
        by.check(&key.object(known.responsible))?;
        if matches!(owner, PrincipalId::User(_)) && owner != by.caller().principal() {
            return Err(AccessError::invalid("/owner", "is another person; people make their own keys"));
        }
        if !known.active {
            return Err(AccessError::invalid("/owner", "is suspended; a key would be of no use"));
        }
        lives_shortly(wanted.expires_at, now, known.longest_key)?;
        self.known_resources(&by.scope(), "/permissions", &wanted.permissions).await?;
        giver.holds(&key.permissions)?;
        crate::held_by(&key.permissions, &self.authority_now(&by.scope(), owner).await?)?;
        let fact = by.fact(&facts::API_KEY_CREATED).target("api_key", id, &key.name).data(json!({
            "owner": owner.to_string(),
            "permissions": texts(key.permissions.permissions()),
            "expires_at": key.expires_at,
            "allowed_ips": addresses(&key),
        }));
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::insert_key(&key))
            .authority(entry(&key));
        Ok(Decided::new(giver.head.relied_on(change), IssuedKey { key, text }))
    }

    pub(crate) async fn key_of(&self, by: &Allowance, id: ApiKeyId) -> Result<ApiKey, AccessError> {
        let found = store::key_by_id(&self.inner().db, by.scope(), id).await?;
        let key = found.filter(|key| key.org == by.org()).ok_or(AccessError::Unknown("API key"))?;
        let responsible = self.known(by.org(), key.owner).await?.and_then(|known| known.responsible);
        by.check(&key.object(responsible))?;
        Ok(key)
    }

    /// Runs that stand on it end.
    pub(crate) async fn revoke_key(
        &self,
        by: &Allowance,
        id: ApiKeyId,
    ) -> Result<Decided<ApiKey>, AccessError> {
        let inner = self.inner();
        let mut key = self.key_of(by, id).await?;
        by.expect_revision(key.revision)?;
        if key.revoked_at.is_some() {
            return Err(AccessError::KeyRevoked);
        }
        let now = inner.world.now();
        let fact = by.fact(&facts::API_KEY_REVOKED).target("api_key", key.id, &key.name);
        let fact = fact.data(json!({ "owner": key.owner.to_string() }));
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::revoke_key(&key, now))
            .authority(entry(&key).died());
        key.revoked_at = Some(now);
        key.revision += 1;
        Ok(Decided::new(change, key))
    }

    /// Whom a key is made for. Whether there is such an agent elsewhere is nobody's business here.
    pub(crate) async fn owner_of_keys(
        &self,
        by: &Allowance,
        owner: PrincipalId,
    ) -> Result<Known, AccessError> {
        let known = self.known(by.org(), owner).await?;
        known.ok_or_else(|| AccessError::invalid("/owner", "is no member or agent of this organization"))
    }

    fn new_secret(&self, id: ApiKeyId, mark: &str) -> Result<(Secret<String>, [u8; 32]), AccessError> {
        let inner = self.inner();
        let named = id.to_string();
        let key_id = named.trim_start_matches("key_");
        let text = MachineSecret::generate(&inner.world, SecretForm::ApiKey, mark, key_id)
            .map_err(Problem::internal)?;
        let parsed = MachineSecret::parse(SecretForm::ApiKey, text.reveal()).map_err(Problem::internal)?;
        let tag = self.tag_of(id, parsed.secret);
        Ok((text, tag))
    }

    /// Bound to the key's id and to this use of the pepper.
    pub(crate) fn tag_of(&self, id: ApiKeyId, secret: &str) -> [u8; 32] {
        self.inner().pepper.tag(&[b"api key", id.uuid().as_bytes(), secret.as_bytes()])
    }
}

fn entry(key: &ApiKey) -> AuthorityEntry {
    AuthorityEntry::changed(key.org, "api_key", key.id.uuid())
}

pub(crate) fn addresses(key: &ApiKey) -> Vec<String> {
    key.allowed_ips.iter().map(ToString::to_string).collect()
}

fn lives_shortly(
    expires_at: Option<Timestamp>,
    now: Timestamp,
    longest: Option<Duration>,
) -> Result<(), AccessError> {
    let Some(end) = expires_at else { return Ok(()) };
    if end <= now {
        return Err(AccessError::invalid("/expires_at", "must lie in the future"));
    }
    if end > now.plus(LONGEST) {
        return Err(AccessError::invalid("/expires_at", "must lie within 366 days"));
    }
    if let Some(latest) = longest.map(|longest| now.plus(longest)).filter(|latest| end > *latest) {
        let reason = format!("must lie at or before {latest}: the maximum age here");
        return Err(AccessError::invalid("/expires_at", reason));
    }
    Ok(())
}

/// Single addresses and networks, `10.0.0.7` or `10.0.0.0/8`; mapped IPv6 forms are read as what they map.
fn networks(texts: &[String]) -> Result<Vec<IpNet>, AccessError> {
    let read = |(at, text): (usize, &String)| {
        let single = || text.parse::<IpAddr>().map(|ip| IpNet::from(ip.to_canonical())).ok();
        let net = text.parse::<IpNet>().ok().map(|net| net.trunc()).or_else(single);
        net.ok_or_else(|| {
            AccessError::invalid(
                format!("/allowed_ips/{at}"),
                "is an address or a network such as 10.0.0.0/8",
            )
        })
    };
    texts.iter().enumerate().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_read_and_others_refused() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let nets =
            networks(&texts(&["10.1.2.3", "10.1.2.3/8", "2001:db8::/32", "::ffff:192.0.2.1"])).unwrap();
        let shown: Vec<String> = nets.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.1.2.3/32", "10.0.0.0/8", "2001:db8::/32", "192.0.2.1/32"]);
        for wrong in ["", "10.0.0", "10.0.0.0/33", "host.example", "*"] {
            assert!(networks(&texts(&[wrong])).is_err(), "{wrong}");
        }
    }
}
