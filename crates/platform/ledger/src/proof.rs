//! Proofs: that a fact stands in the log, and that the log only grew.

use db::OrgScope;
use evidence::entry;
use merkle::{
    Hash, TileId, consistency, encode_entries, inclusion, leaf_hash, tiles_for_consistency,
    tiles_for_inclusion,
};
use serde::Serialize;
use types::FactId;

use crate::store::{self, LoggedFact};
use crate::tiles::Fetched;
use crate::{Inner, Ledger, LedgerError};

/// Everything that a verifier needs for one fact: SHA-256(clear) is the leaf's entry, its RFC 9162 leaf hash and `path` lead
/// to the root in the checkpoint, whose signature the log's key verifies.
#[derive(Clone, Debug, Serialize)]
pub struct FactProof {
    /// Index of the leaf.
    pub seq: u64,
    /// Canonical clear part; none where the fact was purged.
    pub clear: Option<String>,
    /// Canonical private part; its SHA-256 stands in the clear part as `private_hash`.
    pub private: Option<String>,
    #[serde(with = "hex::serde")]
    pub entry: Hash,
    #[serde(with = "hex::serde")]
    pub leaf_hash: Hash,
    pub tree_size: u64,
    #[serde(serialize_with = "hexes")]
    pub path: Vec<Hash>,
    /// Signed note of the checkpoint of this size.
    pub checkpoint: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct LogProof {
    pub first: u64,
    pub second: u64,
    #[serde(serialize_with = "hexes")]
    pub path: Vec<Hash>,
}

impl Ledger {
    /// The proof of one fact under the first checkpoint that covers it.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] here or elsewhere, [`LedgerError::NotYet`] within the second before a checkpoint.
    pub async fn prove(&self, scope: &OrgScope, fact: FactId) -> Result<FactProof, LedgerError> {
        let Inner { db, .. } = &*self.0;
        let LoggedFact { leaf, fact } =
            store::logged_fact(db, scope, fact).await?.ok_or(LedgerError::Unknown)?;
        let covering = store::checkpoint_covering(db, leaf.seq + 1).await?;
        let (tree_size, _, checkpoint) = covering.ok_or(LedgerError::NotYet)?;
        let tiles = self.0.proof_tiles(leaf.seq, tree_size).await?;
        let path = inclusion(&tiles, leaf.seq, tree_size).map_err(broken)?;
        let (clear, private) = match fact {
            None => (None, None),
            Some((fact, sealed)) => {
                let private = self.0.open_private(&fact, &sealed).await.map_err(broken)?;
                (Some(fact.clear().canonical(leaf.org_seq)), Some(private))
            }
        };
        // A changed clear part must not come with a proof that seems its own.
        if clear.as_deref().is_some_and(|clear| entry(clear) != leaf.entry) {
            return Err(LedgerError::Broken(format!(
                "the fact at leaf {} is not the one that was recorded",
                leaf.seq
            )));
        }
        Ok(FactProof {
            seq: leaf.seq,
            clear: clear.map(text).transpose()?,
            private: private.map(text).transpose()?,
            entry: leaf.entry,
            leaf_hash: leaf_hash(&leaf.entry),
            tree_size,
            path,
            checkpoint,
        })
    }

    /// That the log of `second` leaves continues the one of `first`.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] for sizes that the log has not, or in the wrong order.
    pub async fn prove_growth(&self, first: u64, second: u64) -> Result<LogProof, LedgerError> {
        let tiles = tiles_for_consistency(first, second).map_err(|_| LedgerError::Unknown)?;
        if second > store::head(&self.0.db).await?.size {
            return Err(LedgerError::Unknown);
        }
        let tiles = Fetched::new(&self.0.db, &tiles).await?;
        Ok(LogProof { first, second, path: consistency(&tiles, first, second).map_err(broken)? })
    }

    /// Signed note of the newest checkpoint.
    pub async fn checkpoint(&self) -> Result<Option<String>, LedgerError> {
        Ok(store::newest_checkpoint(&self.0.db).await?.map(|(_, _, note)| note))
    }

    /// The body of a tile as C2SP tlog-tiles serves it; none if the log is not that large.
    pub async fn tile(&self, id: TileId) -> Result<Option<Vec<u8>>, LedgerError> {
        let hashes = store::tile(&self.0.db, id).await?;
        Ok(hashes.filter(|hashes| hashes.len() >= id.width()).map(|hashes| hashes[..id.width()].concat()))
    }

    /// The entry bundle beside a level-0 tile.
    pub async fn entries(&self, id: TileId) -> Result<Option<Vec<u8>>, LedgerError> {
        let from = id.index() * merkle::TILE_WIDTH as u64;
        let entries = store::entries(&self.0.db, from, store::int(id.width() as u64)).await?;
        Ok(if entries.len() == id.width() { Some(encode_entries(&entries)) } else { None })
    }

    /// The key that checkpoints are signed with, as `<name>+<key id>+<base64>`: what a verifier pins.
    pub async fn verifier_key(&self) -> Result<merkle::VerifierKey, LedgerError> {
        Ok(self.0.signer().await?.verifier().clone())
    }
}

impl Inner {
    pub(crate) async fn proof_tiles(&self, seq: u64, size: u64) -> Result<Fetched, LedgerError> {
        let tiles = tiles_for_inclusion(seq, size).map_err(|_| LedgerError::Unknown)?;
        Ok(Fetched::new(&self.db, &tiles).await?)
    }
}

fn broken(error: impl std::fmt::Display) -> LedgerError {
    LedgerError::Broken(error.to_string())
}

fn text(bytes: Vec<u8>) -> Result<String, LedgerError> {
    String::from_utf8(bytes).map_err(broken)
}

fn hexes<S: serde::Serializer>(hashes: &[Hash], out: S) -> Result<S::Ok, S::Error> {
    out.collect_seq(hashes.iter().map(hex::encode))
}
