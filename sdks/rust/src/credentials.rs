//! Credentials: what an agent proves itself with.

use futures::Stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::words::words;
use crate::{Client, Error, Page, SigningKey, Time, page};

words! {
    CredentialKind { Secret = "secret", PublicKey = "public_key", }
    CredentialStatus { Active = "active", Revoked = "revoked", }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    pub id: String,
    pub agent: String,
    pub kind: CredentialKind,
    pub label: String,
    pub status: CredentialStatus,
    /// The OAuth `client_id`: the agent's id.
    pub client_id: String,
    /// RFC 7638 thumbprint of the key, for the kind `public_key`.
    pub key_thumbprint: Option<String>,
    pub created_at: Time,
    pub expires_at: Option<Time>,
    pub last_used_at: Option<Time>,
    pub last_used_ip: Option<String>,
    pub revision: i64,
}

/// A new credential; its secret is here and nowhere else.
#[derive(Serialize, Deserialize)]
pub struct IssuedCredential {
    #[serde(flatten)]
    pub credential: Credential,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "secret")]
    pub client_secret: Option<Zeroizing<String>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewCredential {
    pub kind: CredentialKind,
    pub label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The agent's own key as a JWK, public members only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<Value>,
}

impl NewCredential {
    pub fn secret(label: impl Into<String>) -> Self {
        Self { kind: CredentialKind::Secret, label: label.into(), expires_at: None, public_key: None }
    }

    /// The public half goes out, the private half stays where it is.
    pub fn public_key(label: impl Into<String>, key: &SigningKey) -> Self {
        let public_key = Some(key.public_jwk().clone());
        Self { kind: CredentialKind::PublicKey, label: label.into(), expires_at: None, public_key }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rotation {
    /// For how long the old credential still works; 0 ends it at once.
    pub overlap_seconds: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The new key, if the credential is of the kind `public_key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<Value>,
}

/// Of one agent, or across the organization.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CredentialFilter {
    pub status: Option<String>,
    /// Only across the organization.
    pub expires_before: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// `client.credentials()`.
#[derive(Clone, Copy)]
pub struct Credentials<'a>(&'a Client);

impl Client {
    pub fn credentials(&self) -> Credentials<'_> {
        Credentials(self)
    }
}

impl Credentials<'_> {
    /// A repeat after a broken connection is refused with `already_created`: a secret is shown once.
    pub async fn create(&self, agent: &str, new: &NewCredential) -> Result<IssuedCredential, Error> {
        self.0.post(&of_agent(agent)).json(new).once().answer().await
    }

    pub async fn list(&self, agent: &str, filter: &CredentialFilter) -> Result<Page<Credential>, Error> {
        self.0.get(&of_agent(agent)).query(filter).answer().await
    }

    /// Across the organization.
    pub async fn search(&self, filter: &CredentialFilter) -> Result<Page<Credential>, Error> {
        self.0.get(&["api", "v1", "credentials"]).query(filter).answer().await
    }

    /// Every credential across the organization that the filter lets through.
    pub fn all(&self, filter: &CredentialFilter) -> impl Stream<Item = Result<Credential, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.search(&CredentialFilter { cursor, ..filter.clone() }).await
        })
    }

    /// Every credential of one agent that the filter lets through.
    pub fn all_of(
        &self,
        agent: &str,
        filter: &CredentialFilter,
    ) -> impl Stream<Item = Result<Credential, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(agent, &CredentialFilter { cursor, ..filter.clone() }).await
        })
    }

    pub async fn rotate(
        &self,
        agent: &str,
        credential: &str,
        rotation: &Rotation,
    ) -> Result<IssuedCredential, Error> {
        let path = ["api", "v1", "agents", agent, "credentials", credential, "rotate"];
        self.0.post(&path).json(rotation).once().answer().await
    }

    /// Tokens made with it die.
    pub async fn revoke(&self, agent: &str, credential: &str) -> Result<Credential, Error> {
        self.0.delete(&["api", "v1", "agents", agent, "credentials", credential]).answer().await
    }
}

fn of_agent(agent: &str) -> [&str; 5] {
    ["api", "v1", "agents", agent, "credentials"]
}

/// Secrets in answers: read into memory that is wiped.
mod secret {
    use serde::{Deserialize, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(
        secret: &Option<Zeroizing<String>>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        match secret {
            Some(secret) => out.serialize_some(secret.as_str()),
            None => out.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Zeroizing<String>>, D::Error> {
        Ok(Option::<String>::deserialize(from)?.map(Zeroizing::new))
    }
}

/// The same for a secret that is always there.
pub(crate) mod shown {
    use serde::{Deserialize, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(crate) fn serialize<S: Serializer>(secret: &Zeroizing<String>, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(secret.as_str())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Zeroizing<String>, D::Error> {
        String::deserialize(from).map(Zeroizing::new)
    }
}
