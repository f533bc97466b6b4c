//! HTTP of sign-in: providers and the ways through them.

mod flow;
mod otp;
mod providers;

use std::sync::Arc;

use people::CookieForm;
use web::{Door, Routes};

use crate::SignIn;

/// What the handlers share.
#[derive(Clone)]
pub struct Rooms {
    sign_in: SignIn,
    form: CookieForm,
}

pub fn routes(door: &Arc<Door>, sign_in: SignIn, form: CookieForm) -> Routes {
    Routes::new()
        .route::<providers::CreateProvider, _, _>(door, providers::create)
        .route::<providers::ListProviders, _, _>(door, providers::list)
        .route::<providers::GetProvider, _, _>(door, providers::get)
        .route::<providers::UpdateProvider, _, _>(door, providers::update)
        .route::<providers::DeleteProvider, _, _>(door, providers::delete)
        .route::<providers::TestProvider, _, _>(door, providers::test)
        .route::<flow::OfferedProviders, _, _>(door, flow::offered)
        .route::<flow::BeginSignIn, _, _>(door, flow::begin)
        .route::<flow::CompleteSignIn, _, _>(door, flow::login)
        .route::<flow::Callback, _, _>(door, flow::callback)
        .route::<otp::SendCode, _, _>(door, otp::send)
        .route::<otp::VerifyCode, _, _>(door, otp::verify)
        .with_state(Rooms { sign_in, form })
}
