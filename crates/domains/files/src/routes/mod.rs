//! HTTP of files.

pub(crate) mod collections;
mod content;
mod files;
mod links;
mod uploads;
mod views;

use std::sync::Arc;

use web::{Door, Routes};

use crate::Files;

pub fn routes(door: &Arc<Door>) -> Routes<Files> {
    Routes::new()
        .route::<collections::CreateCollection, _, _>(door, collections::create)
        .route::<collections::ListCollections, _, _>(door, collections::list)
        .route::<collections::GetCollection, _, _>(door, collections::get)
        .route::<collections::UpdateCollection, _, _>(door, collections::update)
        .route::<collections::DeleteCollection, _, _>(door, collections::delete)
        .route::<files::ListFiles, _, _>(door, files::list)
        .route::<files::GetFile, _, _>(door, files::get)
        .route::<content::PutFile, _, _>(door, content::put)
        .route::<files::UpdateFile, _, _>(door, files::update)
        .route::<files::DeleteFile, _, _>(door, files::delete)
        .route::<content::DownloadFile, _, _>(door, content::download)
        .route::<files::FileVersions, _, _>(door, files::versions)
        .route::<files::RestoreFile, _, _>(door, files::restore)
        .route::<uploads::BeginUpload, _, _>(door, uploads::begin)
        .route::<uploads::GetUpload, _, _>(door, uploads::get)
        .route::<uploads::AppendToUpload, _, _>(door, uploads::append)
        .route::<uploads::CancelUpload, _, _>(door, uploads::cancel)
        .route::<links::MakeLink, _, _>(door, links::make)
        .route::<links::ListLinks, _, _>(door, links::list)
        .route::<links::RevokeLink, _, _>(door, links::revoke)
        .route::<links::OpenLink, _, _>(door, links::open)
}
