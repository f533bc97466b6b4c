//! What this service provider can do (RFC 7644 §4).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use problem::{NOT_FOUND, Problem};
use serde_json::{Value, json};
use web::{Allowed, Refusal, Segment, Spec, operation};

use super::messages::{Described, Listed};
use crate::Scim;
use crate::form::SCIM;
use crate::query::LARGEST_PAGE;
use crate::reply::{list, message};
use crate::resources::TYPES;
use crate::schema::ResourceType;

operation! {
    /// Says what this service provider can do.
    pub Config -> Described = Spec::get("scim.config", "/scim/v2/ServiceProviderConfig").form(SCIM);

    /// Lists the kinds of resources.
    pub ListTypes -> Listed = Spec::get("scim.resource_types.list", "/scim/v2/ResourceTypes").form(SCIM);

    /// Shows a kind of resources.
    pub GetType -> Described = Spec::get("scim.resource_types.get", "/scim/v2/ResourceTypes/{resource_type}").form(SCIM);

    /// Lists what resources consist of.
    pub ListSchemas -> Listed = Spec::get("scim.schemas.list", "/scim/v2/Schemas").form(SCIM);

    /// Shows what a resource consists of.
    pub GetSchema -> Described = Spec::get("scim.schemas.get", "/scim/v2/Schemas/{schema}").form(SCIM);
}

pub async fn config(State(scim): State<Scim>, _: Allowed<Config>) -> Response {
    let (yes, no) = (json!({ "supported": true }), json!({ "supported": false }));
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": yes,
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": LARGEST_PAGE },
        "changePassword": no,
        "sort": yes,
        "etag": yes,
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "An API key, or an access token of an agent, that holds the permissions of what it does by name.",
            "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{}/ServiceProviderConfig", scim.base),
        },
    });
    message(StatusCode::OK, &body)
}

pub async fn types(State(scim): State<Scim>, _: Allowed<ListTypes>) -> Response {
    whole(TYPES.iter().map(|one| one.description(&scim.base)).collect())
}

pub async fn one_type(
    State(scim): State<Scim>,
    _: Allowed<GetType>,
    Segment(name): Segment<String>,
) -> Result<Response, Refusal> {
    let found = known(|one| one.name.eq_ignore_ascii_case(&name))?;
    Ok(message(StatusCode::OK, &found.description(&scim.base)))
}

pub async fn schemas(State(scim): State<Scim>, _: Allowed<ListSchemas>) -> Response {
    whole(TYPES.iter().map(|one| one.schema_description(&scim.base)).collect())
}

pub async fn schema(
    State(scim): State<Scim>,
    _: Allowed<GetSchema>,
    Segment(id): Segment<String>,
) -> Result<Response, Refusal> {
    let found = known(|one| one.schema.eq_ignore_ascii_case(&id))?;
    Ok(message(StatusCode::OK, &found.schema_description(&scim.base)))
}

fn known(is: impl Fn(&ResourceType) -> bool) -> Result<&'static ResourceType, Problem> {
    let found = TYPES.into_iter().find(|one| is(one));
    found.ok_or_else(|| {
        Problem::new(&NOT_FOUND, "There is no such schema or kind of resources. List them all.")
    })
}

fn whole(all: Vec<Value>) -> Response {
    let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
    list(all, 1, total)
}
