//! The one resolver of every flow: nobody signs in by a provider that is not an [`EnabledProvider`], and there is no other
//! way to one than through here.

use std::sync::Arc;

use egress::Destination;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use types::{AuthProviderId, OrgId};

use crate::kind::Kind;
use crate::model::{ProviderRef, Source};
use crate::{Owner, Provider, SignIn, SignInError, store};

/// A provider that may be used now, with its settings and secrets.
pub struct EnabledProvider {
    provider: Provider,
    kind: Arc<dyn Kind>,
    settings: Map<String, Value>,
}

impl EnabledProvider {
    pub fn id(&self) -> AuthProviderId {
        self.provider.id
    }

    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    pub fn kind(&self) -> &dyn Kind {
        &*self.kind
    }

    /// What an operator wrote down may lead to private addresses; what came through the API may not.
    pub(crate) fn destination(&self) -> Destination {
        match self.provider.source {
            Source::File => Destination::Operator,
            Source::Api => Destination::Tenant,
        }
    }

    /// The settings as their kind reads them; they were checked when they were set.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, SignInError> {
        serde_json::from_value(Value::Object(self.settings.clone())).map_err(SignInError::internal)
    }

    /// With the secret ones opened. Not to be logged or answered.
    pub fn settings(&self) -> &Map<String, Value> {
        &self.settings
    }
}

impl SignIn {
    /// The provider that a path names, seen from the organization that was asked for.
    pub async fn enabled(
        &self,
        of: &ProviderRef,
        org: Option<OrgId>,
    ) -> Result<EnabledProvider, SignInError> {
        let found = match of {
            ProviderRef::Id(id) => store::by_id(self.db(), *id).await?,
            ProviderRef::Name(name) => store::by_name(self.db(), org, name.as_str()).await?,
        };
        let provider = found.ok_or(SignInError::UnknownProvider)?;
        match (provider.owner, org) {
            // An organization's provider is not there for others.
            (Owner::Org(owner), Some(asked)) if owner != asked => Err(SignInError::UnknownProvider),
            _ => self.admit(provider).await,
        }
    }

    /// The provider of a sign-in that was begun; it may have been switched off since.
    pub(crate) async fn enabled_again(&self, id: AuthProviderId) -> Result<EnabledProvider, SignInError> {
        let provider = store::by_id(self.db(), id).await?.ok_or(SignInError::UnknownProvider)?;
        self.admit(provider).await
    }

    /// The one enabled provider of a kind: the organization's own, else the instance's.
    pub(crate) async fn enabled_of_kind(
        &self,
        kind: &str,
        org: Option<OrgId>,
    ) -> Result<EnabledProvider, SignInError> {
        let all = store::offered(self.db(), org).await?;
        let of_kind = |provider: &&Provider| provider.kind == kind && provider.enabled;
        // The first by name, so that the same one is meant each time.
        let found = all.iter().filter(of_kind).min_by_key(|provider| provider.owner.org().is_none());
        match found {
            Some(provider) => self.admit(provider.clone()).await,
            None if all.iter().any(|provider| provider.kind == kind) => Err(SignInError::Disabled),
            None => Err(SignInError::UnknownProvider),
        }
    }

    /// The one enabled provider that takes tokens of an issuer: the organization's own, else the instance's.
    pub(crate) async fn enabled_external(
        &self,
        issuer: &str,
        org: Option<OrgId>,
    ) -> Result<EnabledProvider, SignInError> {
        let takes = |provider: &Provider| {
            provider.kind == "external"
                && provider.settings.get("issuer").and_then(Value::as_str) == Some(issuer)
        };
        let mut all = store::offered(self.db(), org).await?;
        all.retain(takes);
        let enabled = all.iter().filter(|provider| provider.enabled);
        match enabled.min_by_key(|provider| provider.owner.org().is_none()) {
            Some(provider) => self.admit(provider.clone()).await,
            None if all.is_empty() => Err(SignInError::UnknownProvider),
            None => Err(SignInError::Disabled),
        }
    }

    async fn admit(&self, provider: Provider) -> Result<EnabledProvider, SignInError> {
        if !provider.enabled {
            return Err(SignInError::Disabled);
        }
        self.opened(provider).await
    }

    /// With its secrets, whatever its state: for tests of a provider that is not switched on yet.
    pub(crate) async fn opened(&self, provider: Provider) -> Result<EnabledProvider, SignInError> {
        let Some(kind) = self.kinds().get(&provider.kind).cloned() else {
            return Err(SignInError::Unavailable(format!("this server knows no kind {}", provider.kind)));
        };
        let mut settings = provider.settings.clone();
        settings.extend(self.secrets_of(&provider).await?);
        let lost = |error| SignInError::Unavailable(format!("a secret in the Vault: {error}"));
        let referred = self.referred(&*kind, provider.owner, &settings).map_err(lost)?;
        let settings = self.resolved(&settings, &referred).await.map_err(lost)?;
        Ok(EnabledProvider { provider, kind, settings })
    }
}
