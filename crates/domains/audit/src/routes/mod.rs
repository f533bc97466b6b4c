//! HTTP of the ledger.

mod events;
mod export;
mod proofs;
mod stream;
mod verify;
pub(crate) mod views;

use std::sync::Arc;

use web::{Door, Routes};

use crate::Audit;

pub fn routes(door: &Arc<Door>) -> Routes<Audit> {
    Routes::new()
        .route::<events::ListEvents, _, _>(door, events::list)
        .route::<events::GetEvent, _, _>(door, events::get)
        .route::<events::Catalogue, _, _>(door, events::catalogue)
        .route::<stream::StreamEvents, _, _>(door, stream::stream)
        .route::<export::Export, _, _>(door, export::export)
        .route::<verify::Verify, _, _>(door, verify::verify)
        .route::<verify::VerifyLog, _, _>(door, verify::verify_log)
        .route::<proofs::GetCheckpoint, _, _>(door, proofs::checkpoint)
        .route::<proofs::GetTile, _, _>(door, proofs::tile)
        .route::<proofs::ProveInclusion, _, _>(door, proofs::inclusion)
        .route::<proofs::ProveConsistency, _, _>(door, proofs::consistency)
}
