//! `/.well-known/…`: what issuers publish. Open to pages of any origin, without credentials.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use crypto::jwk::Jwk;
use problem::{NOT_FOUND, Problem};
use serde::Serialize;
use utoipa::ToSchema;
use web::{Operation, Rate, Refusal, Spec, Visitor, operation};

use crate::metadata::{Metadata as MetadataView, OpenidConfiguration};
use crate::{Issuer, Oauth};

operation! {
    /// Describes the home organization's authorization server (RFC 8414).
    pub Metadata -> MetadataView =
        Spec::get("oauth.metadata", "/.well-known/oauth-authorization-server").open().rate(Rate::Token).any_origin();

    /// Describes an organization's authorization server.
    pub OrgMetadata -> MetadataView =
        Spec::get("oauth.org_metadata", "/o/{slug}/.well-known/oauth-authorization-server").open().rate(Rate::Token).any_origin();

    /// The same under the path that RFC 8414 §3.1 makes of the issuer.
    pub InsertedMetadata -> MetadataView =
        Spec::get("oauth.inserted_metadata", "/.well-known/oauth-authorization-server/o/{slug}")
            .open().rate(Rate::Token).any_origin();

    /// Describes the home organization's issuer as OpenID Connect Discovery does.
    pub Openid -> OpenidConfiguration =
        Spec::get("oauth.openid", "/.well-known/openid-configuration").open().rate(Rate::Token).any_origin();

    /// Describes an organization's issuer as OpenID Connect Discovery does.
    pub OrgOpenid -> OpenidConfiguration =
        Spec::get("oauth.org_openid", "/o/{slug}/.well-known/openid-configuration").open().rate(Rate::Token).any_origin();

    /// The keys that the home organization's tokens are checked with (RFC 7517).
    pub KeySet -> JwkSet = Spec::get("oauth.keys", "/.well-known/jwks.json").open().rate(Rate::Token).any_origin();

    /// The keys that an organization's tokens are checked with.
    pub OrgKeySet -> JwkSet = Spec::get("oauth.org_keys", "/o/{slug}/.well-known/jwks.json").open().rate(Rate::Token).any_origin();
}

/// RFC 7517 §5.
#[derive(Serialize, ToSchema)]
pub struct JwkSet {
    pub keys: Vec<Jwk>,
}

/// A staged key is published long before it signs, so a few minutes of caching are safe.
const CACHED: [(HeaderName, &str); 2] =
    [(header::CACHE_CONTROL, "public, max-age=300"), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];

pub async fn metadata<O: Operation>(
    State(oauth): State<Oauth>,
    _: Visitor<O>,
    slug: Option<Path<String>>,
) -> Result<Response, Refusal> {
    let issuer = issuer(&oauth, slug).await?;
    Ok((CACHED, Json(oauth.metadata(&issuer))).into_response())
}

pub async fn openid<O: Operation>(
    State(oauth): State<Oauth>,
    _: Visitor<O>,
    slug: Option<Path<String>>,
) -> Result<Response, Refusal> {
    let issuer = issuer(&oauth, slug).await?;
    Ok((CACHED, Json(oauth.openid_configuration(&issuer))).into_response())
}

pub async fn key_set<O: Operation>(
    State(oauth): State<Oauth>,
    _: Visitor<O>,
    slug: Option<Path<String>>,
) -> Result<Response, Refusal> {
    let issuer = issuer(&oauth, slug).await?;
    let keys = oauth.published_keys(&issuer).await?;
    Ok((CACHED, Json(JwkSet { keys })).into_response())
}

async fn issuer(oauth: &Oauth, slug: Option<Path<String>>) -> Result<std::sync::Arc<Issuer>, Problem> {
    let slug = slug.map(|Path(slug)| slug);
    let found = oauth.inner().issuers.of_path(slug.as_deref()).await?;
    found.ok_or_else(|| Problem::new(&NOT_FOUND, "No organization publishes anything here."))
}
