//! Signed notes (C2SP signed-note): a text and the lines of those who signed it.
//!
//! Lines of unknown signers, a witness's cosignature for one, are kept as they are and never trusted.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use types::Timestamp;

use crate::key::{KeyKind, NoteSigner, VerifierKey, is_name};

/// What is read of a note at most; room for far more than the 16 signatures that every verifier must take.
const MAX_BYTES: usize = 256 * 1024;
const MAX_SIGNATURES: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One line `— <name> <base64 of key id and signature>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    pub name: String,
    pub key_id: [u8; 4],
    pub signature: Vec<u8>,
}

/// A signature that was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// When a witness signed; a log's signature carries no time.
    pub at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    #[error("not a signed note: expected text, a blank line, and lines that start with an em dash")]
    Form,
    #[error("the note carries no signature of {0}; ask for one that does, or check with another key")]
    Unsigned(String),
    #[error("the signature of {0} does not fit the note; it was changed")]
    Forged(String),
}

impl Note {
    /// A note that nobody has signed yet; the text ends in a newline and has no other control characters.
    pub fn new(text: &str) -> Result<Self, NoteError> {
        let plain = !text.chars().any(|character| character < ' ' && character != '\n');
        if text.ends_with('\n') && plain && text.len() <= MAX_BYTES {
            Ok(Self { text: text.to_owned(), signatures: Vec::new() })
        } else {
            Err(NoteError::Form)
        }
    }

    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_BYTES {
            return Err(NoteError::Form);
        }
        let at = note.rfind("\n\n").ok_or(NoteError::Form)?;
        let (text, lines) = (&note[..=at], &note[at + 2..]);
        let mut parsed = Self::new(text)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Form)?;
        for line in lines.split('\n') {
            parsed.signatures.push(line.parse()?);
        }
        if parsed.signatures.len() > MAX_SIGNATURES { Err(NoteError::Form) } else { Ok(parsed) }
    }

    /// Ends in a newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    pub fn sign(&mut self, signer: &NoteSigner) {
        self.add(signer.sign(&self.text));
    }

    /// Adds a line, such as a witness's, instead of an earlier one under the same name and key id.
    pub fn add(&mut self, signature: NoteSignature) {
        self.signatures.retain(|old| (&old.name, old.key_id) != (&signature.name, signature.key_id));
        self.signatures.push(signature);
    }

    /// Checks every line that claims to be of this key; at least one must be there, and none may fail.
    pub fn verify(&self, key: &VerifierKey) -> Result<Verified, NoteError> {
        let mut verified = Err(NoteError::Unsigned(key.name().to_owned()));
        for line in self.signatures.iter().filter(|line| line.name == key.name() && line.key_id == key.id()) {
            verified = Ok(self.check(line, key).ok_or_else(|| NoteError::Forged(key.name().to_owned()))?);
        }
        verified
    }

    fn check(&self, line: &NoteSignature, key: &VerifierKey) -> Option<Verified> {
        match key.kind() {
            KeyKind::Ed25519 => {
                key.accepts(self.text.as_bytes(), &line.signature).then_some(Verified { at: None })
            }
            KeyKind::Cosignature => {
                let (seconds, signature) = line.signature.split_first_chunk()?;
                let seconds = u64::from_be_bytes(*seconds);
                let message = format!("cosignature/v1\ntime {seconds}\n{}", self.text);
                let at = Timestamp::from_millis(i64::try_from(seconds).ok()?.checked_mul(1000)?);
                key.accepts(message.as_bytes(), signature).then_some(Verified { at: Some(at) })
            }
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(out, "{line}"))
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "— {} {}", self.name, STANDARD.encode([&self.key_id, &self.signature[..]].concat()))
    }
}

impl FromStr for NoteSignature {
    type Err = NoteError;
    fn from_str(line: &str) -> Result<Self, NoteError> {
        let (name, signature) =
            line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')).ok_or(NoteError::Form)?;
        let bytes = STANDARD.decode(signature).map_err(|_| NoteError::Form)?;
        match bytes.split_first_chunk() {
            Some((key_id, signature)) if is_name(name) && !signature.is_empty() => {
                Ok(Self { name: name.to_owned(), key_id: *key_id, signature: signature.to_vec() })
            }
            _ => Err(NoteError::Form),
        }
    }
}
