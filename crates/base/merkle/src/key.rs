//! Keys of signed notes: `<name>+<key id>+<base64 of type and public key>` (C2SP signed-note).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto::jwk::{Jwk, PublicKey};
use crypto::jws::{Algorithm, SigningKey, VerifyingKey};

use crate::note::NoteSignature;

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// The note's text: what a log does.
    Ed25519,
    /// The text behind the time of signing: what a witness does (C2SP tlog-cosignature).
    Cosignature,
}

/// A public key that signs notes under a name.
#[derive(Clone)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    id: [u8; 4],
    public: [u8; 32],
    verifying: VerifyingKey,
}

/// A private Ed25519 key that signs notes under a name.
pub struct NoteSigner {
    key: SigningKey,
    verifier: VerifierKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifierKeyError {
    #[error("not a verifier key: expected <name>+<8 hexadecimal digits>+<base64>")]
    Form,
    #[error("a key's name must not be empty or contain spaces, control characters or `+`")]
    Name,
    #[error("the key id does not belong to this name and key; copy the verifier key again in full")]
    Id,
    #[error("only Ed25519 keys sign notes: types 0x01 (log) and 0x04 (witness)")]
    Kind,
    #[error("the public key is no valid Ed25519 point, or a weak one")]
    Point,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::Cosignature => 4,
        }
    }
}

impl VerifierKey {
    pub fn new(name: &str, kind: KeyKind, public: [u8; 32]) -> Result<Self, VerifierKeyError> {
        if !is_name(name) {
            return Err(VerifierKeyError::Name);
        }
        let jwk = Jwk::new(PublicKey::Ed25519 { x: public });
        let verifying =
            VerifyingKey::from_jwk(&jwk, Algorithm::EdDSA).map_err(|_| VerifierKeyError::Point)?;
        let digest = crypto::hash::sha256_concat(&[name.as_bytes(), b"\n", &[kind.byte()], &public]);
        let id = [digest[0], digest[1], digest[2], digest[3]];
        Ok(Self { name: name.to_owned(), kind, id, public, verifying })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key).
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    pub(crate) fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifying.verify(message, signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[self.kind.byte()], &self.public[..]].concat());
        write!(out, "{}+{:08x}+{key}", self.name, u32::from_be_bytes(self.id))
    }
}

impl FromStr for VerifierKey {
    type Err = VerifierKeyError;
    fn from_str(text: &str) -> Result<Self, VerifierKeyError> {
        // The name holds no `+`; base64 may.
        let mut parts = text.splitn(3, '+');
        let mut part = || parts.next().ok_or(VerifierKeyError::Form);
        let (name, id, key) = (part()?, part()?, part()?);
        let key = STANDARD.decode(key).map_err(|_| VerifierKeyError::Form)?;
        let (kind, public) = match key.split_first() {
            Some((1, public)) => (KeyKind::Ed25519, public),
            Some((4, public)) => (KeyKind::Cosignature, public),
            _ => return Err(VerifierKeyError::Kind),
        };
        let parsed = Self::new(name, kind, public.try_into().map_err(|_| VerifierKeyError::Form)?)?;
        if format!("{:08x}", u32::from_be_bytes(parsed.id)) == id {
            Ok(parsed)
        } else {
            Err(VerifierKeyError::Id)
        }
    }
}

impl NoteSigner {
    /// The key must be an Ed25519 one.
    pub fn new(name: &str, key: SigningKey) -> Result<Self, VerifierKeyError> {
        let PublicKey::Ed25519 { x } = key.public().key else { return Err(VerifierKeyError::Kind) };
        let verifier = VerifierKey::new(name, KeyKind::Ed25519, x)?;
        Ok(Self { key, verifier })
    }

    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    pub(crate) fn sign(&self, text: &str) -> NoteSignature {
        NoteSignature {
            name: self.verifier.name.clone(),
            key_id: self.verifier.id,
            signature: self.key.sign(text.as_bytes()),
        }
    }
}

pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .chars()
            .any(|character| character.is_whitespace() || character.is_control() || character == '+')
}
