//! Providers of the instance from the operator's file: read at each start, and then the only ones that may change them.

use std::path::Path;

use db::Change;
use ledger::{Actor, Fact};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use types::Name;

use crate::model::{GroupRoles, Owner, Provider, Source};
use crate::providers::{consistent, folded};
use crate::service::SIGN_IN;
use crate::{SignIn, SignInError, facts, store};

/// A list of these is the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    name: Name,
    display_name: Option<String>,
    kind: String,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    settings: Map<String, Value>,
    #[serde(default)]
    default_roles: Vec<String>,
    #[serde(default)]
    create_users: bool,
    #[serde(default)]
    allowed_domains: Vec<String>,
    #[serde(default)]
    group_roles: GroupRoles,
    #[serde(default)]
    trust_email: bool,
}

fn yes() -> bool {
    true
}

/// The file is not what it should be; the start ends with this.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct FileError {
    path: String,
    reason: String,
}

impl SignIn {
    /// Brings the instance's providers into line with the file; what it no longer names is switched off.
    pub async fn follow_file(&self, path: &Path) -> Result<(), FileError> {
        let at = |reason: String| FileError { path: path.display().to_string(), reason };
        let text = std::fs::read(path).map_err(|error| at(error.to_string()))?;
        let listed: Vec<Listed> = serde_json::from_slice(&text).map_err(|error| at(error.to_string()))?;
        let known = store::offered(self.db(), None).await.map_err(|error| at(error.to_string()))?;
        for (index, one) in listed.iter().enumerate() {
            if listed[..index].iter().any(|other| other.name == one.name) {
                return Err(at(format!("{} stands twice", one.name)));
            }
            let old = known.iter().find(|provider| provider.name == one.name.as_str());
            self.follow(old, one).await.map_err(|error| at(format!("{}: {}", one.name, told(&error))))?;
        }
        let gone = known.iter().filter(|provider| provider.source == Source::File && provider.enabled);
        for provider in gone.filter(|one| listed.iter().all(|other| other.name.as_str() != one.name)) {
            self.switch_off(provider).await.map_err(|error| at(told(&error)))?;
        }
        Ok(())
    }

    async fn follow(&self, old: Option<&Provider>, listed: &Listed) -> Result<(), SignInError> {
        let inner = self.inner();
        let now = inner.world.now();
        let (settings, secrets) = self.checked(Owner::Instance, &listed.kind, &listed.settings).await?;
        let provider = Provider {
            id: old.map_or_else(|| inner.world.id(), |old| old.id),
            owner: Owner::Instance,
            name: listed.name.to_string(),
            display_name: listed.display_name.clone().unwrap_or_else(|| listed.name.to_string()),
            kind: listed.kind.clone(),
            enabled: listed.enabled,
            settings,
            has_secrets: !secrets.is_empty(),
            default_roles: listed.default_roles.clone(),
            create_users: listed.create_users,
            allowed_domains: folded(&listed.allowed_domains),
            group_roles: listed.group_roles.clone(),
            trust_email: listed.trust_email,
            source: Source::File,
            created_at: old.map_or(now, |old| old.created_at),
            updated_at: now,
            revision: old.map_or(1, |old| old.revision + 1),
        };
        consistent(&provider)?;
        match old {
            Some(old) if old.source == Source::Api => {
                let reason =
                    "was set up by the API under this name; remove it there, or name this one otherwise";
                Err(SignInError::invalid("/name", reason))
            }
            Some(old) if old.kind != provider.kind => {
                let reason = "cannot become another; give it another name";
                Err(SignInError::invalid("/kind", reason))
            }
            Some(old) => {
                let same =
                    Provider { updated_at: old.updated_at, revision: old.revision, ..provider.clone() };
                if same == *old && self.secrets_of(old).await? == secrets {
                    return Ok(());
                }
                let sealed = self.sealed(&provider, &secrets).await?;
                self.write(&provider, false, store::update(&provider, sealed)).await
            }
            None => {
                let sealed = self.sealed(&provider, &secrets).await?;
                self.write(&provider, true, store::insert(&provider, sealed)).await
            }
        }
    }

    async fn switch_off(&self, provider: &Provider) -> Result<(), SignInError> {
        let secrets = self.secrets_of(provider).await?;
        let mut off = provider.clone();
        off.enabled = false;
        off.updated_at = self.inner().world.now();
        off.revision += 1;
        let sealed = self.sealed(&off, &secrets).await?;
        self.write(&off, false, store::update(&off, sealed)).await
    }

    async fn write(
        &self,
        provider: &Provider,
        is_new: bool,
        statement: db::Statement,
    ) -> Result<(), SignInError> {
        let inner = self.inner();
        let home = inner.people.home().await?.id;
        let (kind, data) = if is_new {
            let data = json!({ "name": provider.name, "kind": provider.kind, "instance": true, "enabled": provider.enabled });
            (&facts::PROVIDER_CREATED, data)
        } else {
            let fields = ["file"];
            let data = json!({ "name": provider.name, "instance": true, "enabled": provider.enabled, "fields": fields });
            (&facts::PROVIDER_UPDATED, data)
        };
        let fact = Fact::new(kind, home, Actor::system("providers file"))
            .target("auth_provider", provider.id, &provider.name)
            .data(data);
        let change = Change::new(SIGN_IN, inner.ledger.seal(fact).await?).statement(statement);
        inner.db.commit(change).await?;
        Ok(())
    }
}

/// With the fields that are wrong.
fn told(error: &SignInError) -> String {
    match error {
        SignInError::Invalid(errors) => {
            let told = errors.iter().map(|error| format!("{} {}", error.field, error.reason));
            told.collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}
