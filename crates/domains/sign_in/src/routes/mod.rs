//! HTTP of sign-in: providers and the ways through them.

mod external;
mod factors;
mod flow;
mod otp;
mod providers;
mod step_up;

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
        .route::<providers::ListKinds, _, _>(door, providers::kinds)
        .route::<providers::GetProvider, _, _>(door, providers::get)
        .route::<providers::UpdateProvider, _, _>(door, providers::update)
        .route::<providers::DeleteProvider, _, _>(door, providers::delete)
        .route::<providers::TestProvider, _, _>(door, providers::test)
        .route::<flow::OfferedProviders, _, _>(door, flow::offered)
        .route::<flow::BeginSignIn, _, _>(door, flow::begin)
        .route::<flow::CompleteSignIn, _, _>(door, flow::login)
        .route::<flow::Callback, _, _>(door, flow::callback)
        .route::<external::ExternalSignIn, _, _>(door, external::external)
        .route::<otp::SendCode, _, _>(door, otp::send)
        .route::<otp::VerifyCode, _, _>(door, otp::verify)
        .route::<step_up::SecondFactor, _, _>(door, step_up::second_factor)
        .route::<step_up::StepUpWays, _, _>(door, step_up::ways)
        .route::<step_up::BeginStepUp, _, _>(door, step_up::begin)
        .route::<step_up::StepUp, _, _>(door, step_up::step_up)
        .route::<factors::ListFactors, _, _>(door, factors::list)
        .route::<factors::BeginTotp, _, _>(door, factors::begin_totp)
        .route::<factors::ConfirmTotp, _, _>(door, factors::confirm_totp)
        .route::<factors::BeginPasskey, _, _>(door, factors::begin_passkey)
        .route::<factors::ConfirmPasskey, _, _>(door, factors::confirm_passkey)
        .route::<factors::RenameFactor, _, _>(door, factors::rename)
        .route::<factors::RemoveFactor, _, _>(door, factors::remove)
        .route::<factors::RenewCodes, _, _>(door, factors::renew_codes)
        .route::<factors::SetPassword, _, _>(door, factors::set_password)
        .route::<factors::ForgotPassword, _, _>(door, factors::forgot)
        .route::<factors::ResetPassword, _, _>(door, factors::reset)
        .with_state(Rooms { sign_in, form })
}
