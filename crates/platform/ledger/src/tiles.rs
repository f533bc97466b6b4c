//! Tiles out of the database, for proofs and for whoever mirrors the log.

use std::collections::HashMap;

use db::{Db, DbError};
use merkle::{Hash, TileId, TileReader};

use crate::store;

/// The tiles that a computation will need, fetched beforehand.
pub(crate) struct Fetched(HashMap<(u8, u64), Vec<Hash>>);

impl Fetched {
    /// A tile that is missing is missed by the computation, which names it.
    pub(crate) async fn new(db: &Db, tiles: &[TileId]) -> Result<Self, DbError> {
        Ok(Self(store::tiles(db, tiles).await?.into_iter().collect()))
    }
}

impl TileReader for Fetched {
    fn read(&self, tile: TileId) -> Option<Vec<Hash>> {
        self.0.get(&(tile.level(), tile.index())).cloned()
    }
}
