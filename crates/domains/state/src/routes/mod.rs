//! HTTP of state.

mod acts;
mod entries;
mod history;
pub(crate) mod namespaces;
mod views;
mod watch;

use std::sync::Arc;

use web::{Door, Routes};

use crate::StateStore;

pub fn routes(door: &Arc<Door>) -> Routes<StateStore> {
    Routes::new()
        .route::<namespaces::CreateNamespace, _, _>(door, namespaces::create)
        .route::<namespaces::ListNamespaces, _, _>(door, namespaces::list)
        .route::<namespaces::GetNamespace, _, _>(door, namespaces::get)
        .route::<namespaces::UpdateNamespace, _, _>(door, namespaces::update)
        .route::<namespaces::DeleteNamespace, _, _>(door, namespaces::delete)
        .route::<entries::ListEntries, _, _>(door, entries::list)
        .route::<entries::GetEntry, _, _>(door, entries::get)
        .route::<entries::PutEntry, _, _>(door, entries::put)
        .route::<entries::PatchEntry, _, _>(door, entries::patch)
        .route::<entries::DeleteEntry, _, _>(door, entries::delete)
        .route::<acts::IncrementEntry, _, _>(door, acts::increment)
        .route::<acts::AppendToEntry, _, _>(door, acts::append)
        .route::<acts::WriteBatch, _, _>(door, acts::batch)
        .route::<history::EntryHistory, _, _>(door, history::list)
        .route::<watch::WatchEntries, _, _>(door, watch::watch)
}
