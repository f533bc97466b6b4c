//! HTTP of hooks: looking after them, and the door that strangers knock at.

mod deliveries;
mod descriptions;
pub(crate) mod hooks;
mod receive;
mod trial;
mod views;

use std::sync::Arc;

use web::{Door, Routes};

use crate::Triggers;

pub fn routes(door: &Arc<Door>) -> Routes<Triggers> {
    Routes::new()
        .route::<hooks::CreateHook, _, _>(door, hooks::create)
        .route::<hooks::ListHooks, _, _>(door, hooks::list)
        .route::<descriptions::DescribeHooks, _, _>(door, descriptions::hooks)
        .route::<descriptions::DescribeMine, _, _>(door, descriptions::mine)
        .route::<hooks::GetHook, _, _>(door, hooks::get)
        .route::<hooks::UpdateHook, _, _>(door, hooks::update)
        .route::<hooks::DeleteHook, _, _>(door, hooks::delete)
        .route::<hooks::RotateHook, _, _>(door, hooks::rotate)
        .route::<trial::TryHook, _, _>(door, trial::attempt)
        .route::<deliveries::ListDeliveries, _, _>(door, deliveries::list)
        .route::<deliveries::GetDelivery, _, _>(door, deliveries::get)
        .route::<deliveries::ReplayDelivery, _, _>(door, deliveries::replay)
        .route::<receive::ReceivePost, _, _>(door, receive::receive::<receive::ReceivePost>)
        .route::<receive::ReceiveGet, _, _>(door, receive::receive::<receive::ReceiveGet>)
        .route::<receive::ReceivePut, _, _>(door, receive::receive::<receive::ReceivePut>)
        .route::<receive::ReceivePatch, _, _>(door, receive::receive::<receive::ReceivePatch>)
        .route::<receive::ReceiveDelete, _, _>(door, receive::receive::<receive::ReceiveDelete>)
}
