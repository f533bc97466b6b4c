//! HTTP of sign-in, sessions, the organization and its people.

mod auth;
mod orgs;
mod sessions;
mod users;

use std::sync::Arc;

use web::{Door, Routes};

use crate::{CookieForm, People};

/// What the handlers share.
#[derive(Clone)]
pub struct Rooms {
    people: People,
    form: CookieForm,
}

pub fn routes(door: &Arc<Door>, people: People, form: CookieForm) -> Routes {
    Routes::new()
        .route::<auth::RedeemLink, _, _>(door, auth::redeem)
        .route::<auth::Me, _, _>(door, auth::me)
        .route::<auth::Logout, _, _>(door, auth::logout)
        .route::<sessions::ListSessions, _, _>(door, sessions::list)
        .route::<sessions::RevokeSession, _, _>(door, sessions::revoke)
        .route::<orgs::CurrentOrg, _, _>(door, orgs::current)
        .route::<users::ListUsers, _, _>(door, users::list)
        .with_state(Rooms { people, form })
}
