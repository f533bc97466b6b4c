//! Keeping, replacing, describing and removing secrets.
//!
//! To which hosts a value may be sent is said together with the value only: whoever could move a bound secret to a host of
//! theirs would read it without ever having known it.

use db::Change;
use ledger::Fact;
use secrets::Reference;
use serde_json::json;
use types::Secret;
use web::{Allowance, Decided, Patched};

use crate::model::{NamedSecret, SecretName, SecretRef};
use crate::{HostPattern, NamedSecrets, SecretError, facts, store};

/// A shorter one stands in too many answers by chance to be hidden from code.
const SHORTEST_BOUND: usize = 6;

/// A secret to be.
pub(crate) struct Wanted {
    pub(crate) name: SecretName,
    pub(crate) description: String,
    pub(crate) hosts: Vec<HostPattern>,
    pub(crate) value: WantedValue,
}

/// A value, where it lies, or both: then it is written there first.
pub(crate) struct WantedValue {
    pub(crate) value: Option<Secret<String>>,
    pub(crate) vault: Option<Reference>,
}

impl NamedSecrets {
    pub(crate) async fn create(
        &self,
        by: &Allowance,
        wanted: &Wanted,
    ) -> Result<Decided<NamedSecret>, SecretError> {
        let (inner, now) = (self.inner(), self.inner().world.now());
        let secret = NamedSecret {
            id: inner.world.id(),
            org: by.org(),
            name: wanted.name.clone(),
            description: wanted.description.clone(),
            owner: by.caller().principal(),
            hosts: wanted.hosts.clone(),
            vault: wanted.value.vault.clone(),
            version: 1,
            created_at: now,
            updated_at: now,
            replaced_at: now,
            revision: 1,
        };
        by.check(&secret.object())?;
        let sealed = self.put_away(&secret, &wanted.value).await?;
        let data = json!({ "name": secret.name, "hosts": secret.hosts, "kept": secret.kept() });
        let fact = target(by.fact(&facts::SECRET_CREATED), &secret).data(data);
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?);
        Ok(Decided::new(change.statement(store::insert(&secret, sealed)), secret))
    }

    pub(crate) async fn replace(
        &self,
        by: &Allowance,
        of: &SecretRef,
        hosts: Option<&[HostPattern]>,
        value: &WantedValue,
    ) -> Result<Decided<NamedSecret>, SecretError> {
        let inner = self.inner();
        let mut secret = self.find(by, of).await?;
        by.expect_revision(secret.revision)?;
        let now = inner.world.now();
        secret.hosts = hosts.map_or(secret.hosts, <[_]>::to_vec);
        secret.vault = value.vault.clone();
        secret.version += 1;
        secret.revision += 1;
        (secret.updated_at, secret.replaced_at) = (now, now);
        let sealed = self.put_away(&secret, value).await?;
        let data = json!({
            "name": secret.name, "version": secret.version, "hosts": secret.hosts, "kept": secret.kept(),
        });
        let fact = target(by.fact(&facts::SECRET_REPLACED), &secret).data(data);
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?);
        Ok(Decided::new(change.statement(store::replace(&secret, sealed)), secret))
    }

    pub(crate) async fn describe(
        &self,
        by: &Allowance,
        of: &SecretRef,
        description: &Patched<String>,
    ) -> Result<Decided<NamedSecret>, SecretError> {
        let inner = self.inner();
        let mut secret = self.find(by, of).await?;
        by.expect_revision(secret.revision)?;
        let changed = description.write(&mut secret.description, String::new);
        secret.updated_at = inner.world.now();
        secret.revision += 1;
        let fields: &[&str] = if changed { &["description"] } else { &[] };
        let data = json!({ "name": secret.name, "fields": fields });
        let fact = target(by.fact(&facts::SECRET_UPDATED), &secret).data(data);
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?);
        Ok(Decided::new(change.statement(store::describe(&secret)), secret))
    }

    pub(crate) async fn delete(
        &self,
        by: &Allowance,
        of: &SecretRef,
    ) -> Result<Decided<NamedSecret>, SecretError> {
        let inner = self.inner();
        let secret = self.find(by, of).await?;
        by.expect_revision(secret.revision)?;
        let users = store::users(&inner.db, &by.scope(), secret.id).await?;
        if !users.is_empty() {
            return Err(SecretError::InUse(users));
        }
        let data = json!({ "name": secret.name, "version": secret.version });
        let fact = target(by.fact(&facts::SECRET_DELETED), &secret).data(data);
        // Whoever begins to use it meanwhile guards the same row.
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .guard_count("secrets", secret.id, secret.revision)
            .statement(store::delete(&secret));
        Ok(Decided::new(change, secret))
    }

    /// Into the Vault, or sealed for the row; a reference alone is tried, so that a wrong one is known now.
    async fn put_away(
        &self,
        secret: &NamedSecret,
        wanted: &WantedValue,
    ) -> Result<Option<Vec<u8>>, SecretError> {
        let vault = &self.inner().vault;
        let is_told_apart = |value: &Secret<String>| value.reveal().len() >= SHORTEST_BOUND;
        if secret.is_bound() && !wanted.value.as_ref().is_none_or(is_told_apart) {
            let reason = format!(
                "has at least {SHORTEST_BOUND} bytes if it goes to hosts only; what is shorter cannot be taken out of answers"
            );
            return Err(SecretError::invalid("/value", reason));
        }
        match (&wanted.value, &wanted.vault) {
            (None, None) => {
                Err(SecretError::invalid("/value", "is the secret; or say in `vault` where it lies"))
            }
            (Some(value), None) => Ok(Some(self.seal(secret, value).await?)),
            (Some(value), Some(reference)) => {
                vault.admit(Some(secret.org), reference)?;
                if reference.version.is_some() {
                    return Err(SecretError::invalid("/vault/version", "comes of writing; leave it out"));
                }
                vault.write(reference, value).await?;
                Ok(None)
            }
            (None, Some(reference)) => {
                vault.admit(Some(secret.org), reference)?;
                vault.read(reference).await?;
                Ok(None)
            }
        }
    }
}

pub(crate) fn target(fact: Fact, secret: &NamedSecret) -> Fact {
    fact.target("secret", secret.id, secret.name.as_str())
}
