//! The offline index: wheels of a directory of the operator's.

use std::io;
use std::path::Path;

use crypto::hash::Sha256;
use serde_json::Value;
use tokio::io::AsyncReadExt;

use super::page::{Wheel, is_wheel};
use super::{Place, Shown};
use crate::Name;

pub(super) async fn wheels(directory: &Path, name: &Name) -> io::Result<Option<Vec<Shown>>> {
    let mut found = Vec::new();
    let mut entries = tokio::fs::read_dir(directory).await?;
    while let Some(entry) = entries.next_entry().await? {
        let Ok(filename) = entry.file_name().into_string() else { continue };
        let project = filename.split('-').next().and_then(|project| project.parse::<Name>().ok());
        if !is_wheel(&filename) || project.as_ref() != Some(name) {
            continue;
        }
        let (sha256, size) = digest(&entry.path()).await?;
        let wheel = Wheel {
            filename,
            sha256,
            size: Some(size),
            requires_python: None,
            metadata: None,
            yanked: Value::Bool(false),
        };
        found.push(Shown { wheel, place: Place::Disk(entry.path()) });
    }
    Ok((!found.is_empty()).then_some(found))
}

async fn digest(path: &Path) -> io::Result<(String, u64)> {
    let mut file = tokio::fs::File::open(path).await?;
    let (mut hash, mut size, mut piece) = (Sha256::new(), 0, vec![0; 256 << 10]);
    loop {
        let count = file.read(&mut piece).await?;
        if count == 0 {
            return Ok((hex::encode(hash.finish()), size));
        }
        hash.update(piece.get(..count).unwrap_or_default());
        size += count as u64;
    }
}
