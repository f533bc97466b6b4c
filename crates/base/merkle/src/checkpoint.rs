//! Checkpoints (C2SP tlog-checkpoint): a log's origin, size and root as the text of a signed note.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{Hash, Note, NoteError, NoteSigner, Verified, VerifierKey};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub origin: String,
    pub size: u64,
    pub root: Hash,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    #[error("not a checkpoint: expected the origin, the size and the root in base64, one per line")]
    Form,
    #[error("the checkpoint is of {found}, not of {expected}; compare the origin with the one you trust")]
    Origin { found: String, expected: String },
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl Checkpoint {
    /// The three lines, each with its newline.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// Extension lines are allowed and ignored, as nobody can audit them.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let lines: Vec<_> = text.strip_suffix('\n').ok_or(CheckpointError::Form)?.split('\n').collect();
        let [origin, size, root, ..] = lines[..] else { return Err(CheckpointError::Form) };
        let number: u64 = size.parse().map_err(|_| CheckpointError::Form)?;
        let hash = STANDARD.decode(root).ok().and_then(|bytes| bytes.try_into().ok());
        if lines.contains(&"") || number.to_string() != size {
            return Err(CheckpointError::Form);
        }
        Ok(Self { origin: origin.to_owned(), size: number, root: hash.ok_or(CheckpointError::Form)? })
    }

    pub fn sign(&self, signer: &NoteSigner) -> Result<Note, NoteError> {
        let mut note = Note::new(&self.text())?;
        note.sign(signer);
        Ok(note)
    }

    /// The checkpoint of a note that `key` signed, the log's own or a witness's, if it is about this log.
    pub fn open(note: &Note, origin: &str, key: &VerifierKey) -> Result<(Self, Verified), CheckpointError> {
        let verified = note.verify(key)?;
        let checkpoint = Self::parse(note.text())?;
        if checkpoint.origin != origin {
            return Err(CheckpointError::Origin { found: checkpoint.origin, expected: origin.to_owned() });
        }
        Ok((checkpoint, verified))
    }
}
