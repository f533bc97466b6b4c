//! Every route of the server: a line per domain.

use axum::Router;
use axum::http::HeaderMap;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::get;
use serde_json::Value;
use web::{Outer, Routes, Spec, StepUp};

use crate::jailed::{Jailed, runs_only};
use crate::made::Made;
use crate::{House, console, docs, health};

/// Every operation, mounted.
pub fn routes(house: &House) -> Routes {
    let door = &house.door;
    Routes::new()
        .with_state(())
        .merge(access::routes(door).with_state(house.access.clone()))
        .merge(people::routes(door, house.people.clone(), house.cookie.clone()))
        .merge(sign_in::routes(door, house.sign_in.clone(), house.cookie.clone()))
        .merge(agents::routes(door).with_state(house.agents.clone()))
        .merge(oauth::routes(door, &house.oauth))
        .merge(audit::routes(door).with_state(house.audit.clone()))
        .merge(named_secrets::routes(door).with_state(house.named_secrets.clone()))
        .merge(functions::routes(door).with_state(house.functions.clone()))
        .merge(scim::routes(door).with_state(house.scim.clone()))
        .merge(policies::routes(door).with_state(house.policies.clone()))
        .merge(state::routes(door).with_state(house.state.clone()))
        .merge(triggers::routes(door, &house.triggers))
        .merge(files::routes(door).with_state(house.files.clone()))
        .merge(declare::routes(door).with_state(house.declare.clone()))
}

/// The OpenAPI document of this server.
pub fn document(house: &House) -> Value {
    web::document(routes(house).described())
}

/// What the public listener serves.
pub(crate) fn public(house: &House) -> Router {
    let document = document(house);
    let reference = docs::routes(&document);
    let document = Made::new("application/json", document.to_string());
    let openapi = move |headers: HeaderMap| async move { document.answer(&headers) };
    let routes = routes(house);
    house.access.know_operations(routes.specs().collect());
    let stepped_up = routes.specs().filter(|spec| spec.step_up != StepUp::Never);
    house.oauth.know_step_ups(stepped_up.filter_map(Spec::required).collect());
    let jailed = Jailed { oauth: house.oauth.clone(), functions: house.functions.clone() };
    let router = routes
        .into_router()
        .route("/api/v1/openapi.json", get(openapi))
        .route("/openapi.json", get(|| async { Redirect::permanent("/api/v1/openapi.json") }))
        .merge(reference)
        .merge(health::public(house))
        .merge(console::routes(&house.public_url))
        .layer(from_fn_with_state(jailed, runs_only));
    let layer = Outer {
        world: Some(house.world.clone()),
        trusted_proxies: house.trusted_proxies(),
        secure: house.public_url.starts_with("https://"),
        forms: &[(scim::PREFIX, scim::SCIM)],
    };
    let largest = usize::try_from(house.config.limits.body_bytes).unwrap_or(usize::MAX);
    web::finish(router, layer, largest)
}
