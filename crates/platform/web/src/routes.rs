//! Mounting operations: a domain's `routes()` is a list of `route::<Op>(handler)`.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::door::{self, Door};
use crate::input::BodySchema;
use crate::openapi::{Described, body_schema};
use crate::{Method, Nothing, Operation, Spec};

/// Routes of one domain with the description of each; `S` is the domain's service.
pub struct Routes<S = ()> {
    mounted: Vec<(&'static str, MethodRouter<S>)>,
    described: Vec<Described>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    #[expect(
        clippy::new_without_default,
        reason = "a list of routes starts empty on purpose, never by default"
    )]
    pub fn new() -> Self {
        Self { mounted: Vec::new(), described: Vec::new() }
    }

    /// Mounts `O` behind the door.
    #[must_use]
    pub fn route<O, H, T>(mut self, door: &Arc<Door>, handler: H) -> Self
    where
        O: Operation,
        H: Handler<T, S>,
        T: 'static,
    {
        let (door, schema) = (door.clone(), compiled::<O>());
        let pass = move |mut request: Request, next: Next| {
            let door = door.clone();
            if let Some(schema) = &schema {
                request.extensions_mut().insert(schema.clone());
            }
            door::pass(door, O::spec(), request, next)
        };
        let mut route = on(filter(O::SPEC.method), handler).layer(from_fn(pass));
        if O::SPEC.any_origin {
            route = route.on(MethodFilter::OPTIONS, || async { preflight(O::SPEC.method) });
        }
        self.mounted.push((O::SPEC.path, route));
        self.described.push(Described::of::<O>());
        self
    }

    /// Gives the domain its service.
    pub fn with_state(self, state: S) -> Routes {
        let mounted = self.mounted.into_iter().map(|(path, route)| (path, route.with_state(state.clone())));
        Routes { mounted: mounted.collect(), described: self.described }
    }
}

impl Routes {
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.mounted.extend(other.mounted);
        self.described.extend(other.described);
        self
    }

    pub fn specs(&self) -> impl Iterator<Item = &'static Spec> {
        self.described.iter().map(|described| described.spec)
    }

    pub fn described(&self) -> &[Described] {
        &self.described
    }

    pub fn into_router(self) -> Router {
        self.mounted.into_iter().fold(Router::new(), |router, (path, route)| router.route(path, route))
    }
}

/// Answers a browser that asks before it sends (Fetch standard, CORS-preflight fetch).
fn preflight(method: Method) -> impl IntoResponse {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, method.name()),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "7200"),
    ];
    (StatusCode::NO_CONTENT, headers)
}

fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    }
}

/// The body's schema, ready to check with. Our own schemas compile; one that did not would show at the first start.
fn compiled<O: Operation>() -> Option<BodySchema> {
    if !O::SPEC.form.checks_bodies || std::any::TypeId::of::<O::Body>() == std::any::TypeId::of::<Nothing>() {
        return None;
    }
    match jsonschema::validator_for(&body_schema::<O>()) {
        Ok(validator) => Some(BodySchema(Arc::new(validator))),
        Err(error) => {
            tracing::error!(operation = O::SPEC.id, %error, "the body's schema does not compile");
            None
        }
    }
}
