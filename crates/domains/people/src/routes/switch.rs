//! `/api/v1/auth/switch`: the same person in another of its organizations.

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use problem::VALIDATION_FAILED;
use serde::Deserialize;
use utoipa::ToSchema;
use web::{Allowed, Input, Refusal, Reply, Spec, leaves, operation};

use super::Rooms;
use super::auth::SignedIn;
use crate::orgs::OrgRef;
use crate::{SessionKind, facts};

operation! {
    /// Ends the browser's session and begins one in another organization of the same person.
    pub Switch(SwitchTo) -> SignedIn = Spec::post("auth.switch", "/api/v1/auth/switch")
        .not_idempotent().facts(leaves![facts::SESSION_ENDED, facts::SESSION_STARTED])
        .example(r#"{"org": "elsewhere-too"}"#);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchTo {
    /// Id or slug.
    #[schema(max_length = 40)]
    pub org: String,
}

impl SwitchTo {
    pub fn parse(&self) -> Result<OrgRef, problem::Problem> {
        self.org.parse().map_err(|_| {
            problem::Problem::new(&VALIDATION_FAILED, "Mend the fields named in errors.")
                .with_error("/org", "must be an organization's id or slug")
        })
    }
}

pub async fn switch(
    State(rooms): State<Rooms>,
    allowed: Allowed<Switch>,
    Input(to): Input<Switch>,
) -> Result<Response, Refusal> {
    let started = rooms.people.switch(&allowed, &to.parse()?, SessionKind::Browser).await?;
    let cookie = rooms.form.set(started.secret.reveal(), &started.session, started.session.created_at);
    let mut response = Reply::of::<Switch>(&SignedIn::of(&rooms, &started).await?)?.into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}
