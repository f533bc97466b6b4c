//! Tiles out of the database, for proofs and for whoever mirrors the log.

use std::collections::HashMap;

use db::{Db, DbError};
use futures::{StreamExt, TryStreamExt};
use merkle::{Hash, TileId, TileReader};

use crate::store;

const AT_ONCE: usize = 8;

/// The tiles that a computation will need, fetched beforehand.
pub(crate) struct Fetched(HashMap<(u8, u64), Vec<Hash>>);

impl Fetched {
    /// A tile that is missing is missed by the computation, which names it.
    pub(crate) async fn new(db: &Db, tiles: &[TileId]) -> Result<Self, DbError> {
        let fetches: Vec<_> = tiles.iter().map(|id| fetch(db, *id)).collect();
        let tiles: Vec<_> = futures::stream::iter(fetches).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(Self(tiles.into_iter().flatten().collect()))
    }
}

async fn fetch(db: &Db, id: TileId) -> Result<Option<((u8, u64), Vec<Hash>)>, DbError> {
    Ok(store::tile(db, id).await?.map(|hashes| ((id.level(), id.index()), hashes)))
}

impl TileReader for Fetched {
    fn read(&self, tile: TileId) -> Option<Vec<Hash>> {
        self.0.get(&(tile.level(), tile.index())).cloned()
    }
}
