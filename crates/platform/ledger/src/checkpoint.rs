//! Checkpoints: the log's size and root, signed, kept, and exported to a file outside the database.
//!
//! Before a sequencer goes on it holds the tree against the newest checkpoint it knows – the stored one and the exported
//! one. If the tree is no continuation of it, history was rewritten: facts are still sequenced, but nothing is signed and
//! the exported file stays as the witness that it is.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use merkle::{Checkpoint, Hash, Note, tiles_for_root};

use crate::sequencer::{LEASE, Sequencer, fenced};
use crate::store::{self, StoredCheckpoint};
use crate::tiles::Fetched;
use crate::{Inner, LedgerError};

impl Inner {
    /// Size of a known checkpoint that the tree of `size` leaves does not continue.
    pub(crate) async fn misfit(&self, size: u64) -> Result<Option<u64>, LedgerError> {
        for (known, root) in self.known_checkpoints().await? {
            if known > size || self.root_from_tiles(known).await? != Some(root) {
                return Ok(Some(known));
            }
        }
        Ok(None)
    }

    /// Size and root of the stored and of the exported one. One that we have not signed fits nothing.
    async fn known_checkpoints(&self) -> Result<Vec<(u64, Hash)>, LedgerError> {
        let mut known = Vec::new();
        if let Some((size, root, note)) = store::newest_checkpoint(&self.db).await? {
            let opened =
                self.open_note(&note).await?.filter(|opened| (opened.size, opened.root) == (size, root));
            known.push(opened.map_or((u64::MAX, root), |opened| (opened.size, opened.root)));
        }
        if let Some(exported) = self.exported().await? {
            known.push((exported.size, exported.root));
        }
        Ok(known)
    }

    /// The exported checkpoint, if there is one that we signed.
    pub(crate) async fn exported(&self) -> Result<Option<Checkpoint>, LedgerError> {
        let Some(path) = &self.settings.export else { return Ok(None) };
        match std::fs::read_to_string(path) {
            Ok(text) => match self.open_note(&text).await? {
                Some(checkpoint) => Ok(Some(checkpoint)),
                None => Err(LedgerError::Broken(format!(
                    "{} is no checkpoint of this log; move it away if it belongs to another one",
                    path.display()
                ))),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LedgerError::Export { path: path.clone(), error }),
        }
    }

    /// None if it is not signed by this log's key.
    pub(crate) async fn open_note(&self, note: &str) -> Result<Option<Checkpoint>, LedgerError> {
        let signer = self.signer().await?;
        let key = signer.verifier();
        let opened =
            Note::parse(note).map_err(Into::into).and_then(|note| Checkpoint::open(&note, key.name(), key));
        Ok(opened.ok().map(|(checkpoint, _)| checkpoint))
    }

    /// None where tiles are missing.
    async fn root_from_tiles(&self, size: u64) -> Result<Option<Hash>, LedgerError> {
        let tiles = Fetched::new(&self.db, &tiles_for_root(size)).await?;
        Ok(merkle::root(&tiles, size).ok())
    }

    /// Signs, keeps and exports where the log stands now.
    pub(crate) async fn sign(&self, sequencer: &Sequencer) -> Result<(), LedgerError> {
        let signer = self.signer().await?;
        let origin = signer.verifier().name().to_owned();
        let checkpoint = Checkpoint { origin, size: sequencer.size(), root: sequencer.root() };
        let note = checkpoint.sign(&signer).map_err(|error| LedgerError::Key(error.to_string()))?.to_string();
        let stored: StoredCheckpoint = (checkpoint.size, checkpoint.root, note);
        let now = self.world.now();
        let kept = store::keep_checkpoint(&self.db, sequencer.term(), &stored, now, now.plus(LEASE));
        kept.await.map_err(fenced)?;
        if let Some(path) = &self.settings.export {
            export(path, &stored.2).map_err(|error| LedgerError::Export { path: path.clone(), error })?;
        }
        Ok(())
    }
}

/// Readers find the old text or the new one, whole, also after a crash.
fn export(path: &Path, note: &str) -> std::io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let mut file = File::create(&draft)?;
    file.write_all(note.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}
