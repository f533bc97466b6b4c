//! What an issuer says about itself (RFC 8414, OpenID Connect Discovery): only what works.

use crypto::jwk::Jwk;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Oauth;
use crate::assertion;
use crate::error::KeysError;
use crate::issuer::Issuer;
use crate::logins::{CODE_GRANT, DEVICE_GRANT};

/// RFC 8414 §2.
#[derive(Debug, Serialize, ToSchema)]
pub struct Metadata {
    pub issuer: String,
    pub token_endpoint: String,
    /// For our own command line; of no use to others yet.
    pub authorization_endpoint: String,
    pub device_authorization_endpoint: String,
    pub jwks_uri: String,
    pub introspection_endpoint: String,
    pub revocation_endpoint: String,
    pub response_types_supported: Vec<&'static str>,
    pub grant_types_supported: Vec<&'static str>,
    pub code_challenge_methods_supported: Vec<&'static str>,
    /// RFC 9207.
    pub authorization_response_iss_parameter_supported: bool,
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    pub token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    pub introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    pub introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    pub revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// RFC 9728 §4: the audiences that tokens can be asked for.
    pub protected_resources: Vec<String>,
    pub service_documentation: String,
}

/// OpenID Connect Discovery 1.0 §3. No id token is issued yet, so no algorithm is named for one.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenidConfiguration {
    #[serde(flatten)]
    pub metadata: Metadata,
    pub subject_types_supported: Vec<&'static str>,
    pub id_token_signing_alg_values_supported: Vec<&'static str>,
}

const METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "private_key_jwt"];

impl Oauth {
    pub(crate) fn metadata(&self, issuer: &Issuer) -> Metadata {
        let at = |path: &str| format!("{}/{path}", issuer.url);
        // People choose their organization when they sign in, so these stand in one place.
        let at_home = |path: &str| format!("{}/oauth2/{path}", self.inner().settings.public_url);
        let algorithms = assertion::algorithms();
        let with_bearer = || [&METHODS[..], &["Bearer"]].concat();
        Metadata {
            issuer: issuer.url.to_string(),
            token_endpoint: issuer.token_endpoint(),
            jwks_uri: at(".well-known/jwks.json"),
            introspection_endpoint: at("oauth2/introspect"),
            revocation_endpoint: at("oauth2/revoke"),
            authorization_endpoint: at_home("authorize"),
            device_authorization_endpoint: at_home("device_authorization"),
            response_types_supported: vec!["code"],
            grant_types_supported: vec!["client_credentials", CODE_GRANT, DEVICE_GRANT],
            code_challenge_methods_supported: vec!["S256"],
            authorization_response_iss_parameter_supported: true,
            token_endpoint_auth_methods_supported: [&METHODS[..], &["none"]].concat(),
            token_endpoint_auth_signing_alg_values_supported: algorithms.clone(),
            introspection_endpoint_auth_methods_supported: with_bearer(),
            introspection_endpoint_auth_signing_alg_values_supported: algorithms.clone(),
            revocation_endpoint_auth_methods_supported: with_bearer(),
            revocation_endpoint_auth_signing_alg_values_supported: algorithms,
            protected_resources: vec![self.api_audience().to_string()],
            service_documentation: format!("{}/docs", self.inner().settings.public_url),
        }
    }

    /// The keys that the issuer's tokens are checked with.
    pub(crate) async fn published_keys(&self, issuer: &Issuer) -> Result<Vec<Jwk>, KeysError> {
        let inner = self.inner();
        let ring = inner.keys.ring(issuer.org, inner.settings.algorithm).await?;
        Ok(ring.jwks(inner.world.now()).into_iter().cloned().collect())
    }

    pub(crate) fn openid_configuration(&self, issuer: &Issuer) -> OpenidConfiguration {
        OpenidConfiguration {
            metadata: self.metadata(issuer),
            subject_types_supported: vec!["public"],
            id_token_signing_alg_values_supported: Vec::new(),
        }
    }
}
