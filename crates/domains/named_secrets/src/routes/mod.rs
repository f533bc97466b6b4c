//! HTTP of secrets.

pub(crate) mod secrets;
mod views;

use std::sync::Arc;

use web::{Door, Routes};

use crate::NamedSecrets;

pub fn routes(door: &Arc<Door>) -> Routes<NamedSecrets> {
    Routes::new()
        .route::<secrets::CreateSecret, _, _>(door, secrets::create)
        .route::<secrets::ListSecrets, _, _>(door, secrets::list)
        .route::<secrets::GetSecret, _, _>(door, secrets::get)
        .route::<secrets::ReplaceSecret, _, _>(door, secrets::replace)
        .route::<secrets::UpdateSecret, _, _>(door, secrets::update)
        .route::<secrets::DeleteSecret, _, _>(door, secrets::delete)
}
