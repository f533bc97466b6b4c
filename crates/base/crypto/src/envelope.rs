//! The key-encryption key: wraps data keys and derives the peppers and tag keys that live beside it.
//!
//! Form of a wrapped key: format `u8` = 1 · id of the wrapping key (8 bytes) · 24-byte nonce · 32 bytes · tag.
//! The key itself never meets a cipher: wrapping and each derivation use their own HMAC-derived key.

use types::{Id, OrgId, Secret, World};

use crate::hash::sha256_concat;
use crate::mac::MacKey;
use crate::seal::{DataKey, cipher, open, seal};
use crate::xaes::Xaes;

const FORMAT: u8 = 1;
const HEADER: usize = 9;

/// Which data key a wrapped key is; the version comes from the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLabel<'a> {
    /// None for keys of the instance.
    pub org: Option<OrgId>,
    pub purpose: &'a str,
}

pub struct KeyEncryptionKey {
    id: [u8; 8],
    root: MacKey,
    wrapping: Xaes,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    #[error("the wrapped key is cut or of an unknown format; restore it from a backup of the keys")]
    Malformed,
    #[error("wrapped under key-encryption key {found}, but {tried} is loaded; provide key {found}")]
    OtherKey { found: String, tried: String },
    #[error(
        "the wrapped key does not open for this organization, purpose and version; it was changed or swapped"
    )]
    Refused,
}

impl KeyEncryptionKey {
    pub fn generate(world: &World) -> (Self, Secret<[u8; 32]>) {
        let bytes = Secret::new(world.bytes());
        (Self::from_bytes(bytes.reveal()), bytes)
    }

    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut id = [0; 8];
        id.copy_from_slice(&sha256_concat(&[b"safeconduct/key-encryption-key/id\0", bytes])[..8]);
        let root = MacKey::new(bytes);
        let wrapping = Secret::new(root.tag(&[b"wrap\0"]));
        Self { id, root, wrapping: cipher(wrapping.reveal()) }
    }

    /// Names the key without telling anything of it; 16 hexadecimal characters.
    pub fn id(&self) -> String {
        hex::encode(self.id)
    }

    pub fn wrap(&self, world: &World, label: &KeyLabel<'_>, key: &DataKey) -> Vec<u8> {
        let mut header = [FORMAT; HEADER];
        header[1..].copy_from_slice(&self.id);
        seal(&self.wrapping, world, &header, &label.encode(&header, key.version()), key.bytes())
    }

    pub fn unwrap(&self, label: &KeyLabel<'_>, version: u32, wrapped: &[u8]) -> Result<DataKey, UnwrapError> {
        let (header, body) = wrapped.split_at_checked(HEADER).ok_or(UnwrapError::Malformed)?;
        let (FORMAT, id) = (header[0], &header[1..]) else { return Err(UnwrapError::Malformed) };
        if id != self.id {
            return Err(UnwrapError::OtherKey { found: hex::encode(id), tried: self.id() });
        }
        let opened =
            open(&self.wrapping, &label.encode(header, version), body).map_err(|_| UnwrapError::Refused)?;
        let opened = Secret::new(opened);
        let bytes = <[u8; 32]>::try_from(opened.reveal().as_slice()).map_err(|_| UnwrapError::Malformed)?;
        Ok(DataKey::from_bytes(version, bytes))
    }

    /// The key that machine secrets are tagged under; a new version lets secrets move over one by one.
    pub fn pepper(&self, version: u32) -> MacKey {
        self.derived(b"pepper\0", &version.to_be_bytes())
    }

    /// A tag key of its own for each label: cursors, index hashes.
    pub fn derive(&self, label: &str) -> MacKey {
        self.derived(b"label\0", label.as_bytes())
    }

    fn derived(&self, kind: &[u8], label: &[u8]) -> MacKey {
        let bytes = Secret::new(self.root.tag(&[kind, label]));
        MacKey::new(bytes.reveal())
    }
}

impl KeyLabel<'_> {
    fn encode(&self, header: &[u8], version: u32) -> Vec<u8> {
        let org = self.org.map(Id::uuid);
        let mut out = header.to_vec();
        out.extend_from_slice(&version.to_be_bytes());
        out.push(u8::from(org.is_some()));
        out.extend_from_slice(org.unwrap_or_default().as_bytes());
        out.extend_from_slice(self.purpose.as_bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Aad;

    const LABEL: KeyLabel<'_> = KeyLabel { org: None, purpose: "ledger" };

    #[test]
    fn a_wrapped_key_opens_only_as_what_it_was_wrapped_as() {
        let world = World::system();
        let (kek, _) = KeyEncryptionKey::generate(&world);
        let key = DataKey::generate(&world, 2);
        let wrapped = kek.wrap(&world, &LABEL, &key);

        let place = Aad { table: "t", column: "c", org: None, row: b"r" };
        let sealed = key.seal(&world, &place, b"text");
        let unwrapped = kek.unwrap(&LABEL, 2, &wrapped).unwrap();
        assert_eq!(unwrapped.open(&place, &sealed).unwrap(), b"text");

        let org = Some(OrgId::from_uuid(types::Uuid::nil()));
        for (label, version) in
            [(LABEL, 3), (KeyLabel { org, ..LABEL }, 2), (KeyLabel { purpose: "blobs", ..LABEL }, 2)]
        {
            assert!(matches!(kek.unwrap(&label, version, &wrapped), Err(UnwrapError::Refused)));
        }
        for end in 0..wrapped.len() {
            assert!(kek.unwrap(&LABEL, 2, &wrapped[..end]).is_err());
        }
        for bit in 0..wrapped.len() * 8 {
            let mut changed = wrapped.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(kek.unwrap(&LABEL, 2, &changed).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn another_key_is_named_by_both_ids() {
        let world = World::system();
        let (right, bytes) = KeyEncryptionKey::generate(&world);
        let (wrong, _) = KeyEncryptionKey::generate(&world);
        let wrapped = right.wrap(&world, &LABEL, &DataKey::generate(&world, 1));
        let Err(UnwrapError::OtherKey { found, tried }) = wrong.unwrap(&LABEL, 1, &wrapped) else {
            panic!("a foreign key opened it")
        };
        assert_eq!((found, tried), (right.id(), wrong.id()));
        assert_eq!(KeyEncryptionKey::from_bytes(bytes.reveal()).id(), right.id());
        assert_eq!(right.id().len(), 16);
    }

    #[test]
    fn derived_keys_are_stable_and_apart() {
        let kek = KeyEncryptionKey::from_bytes(&[5; 32]);
        let again = KeyEncryptionKey::from_bytes(&[5; 32]);
        let tag = |key: MacKey| key.tag(&[b"x"]);
        assert_eq!(tag(kek.pepper(1)), tag(again.pepper(1)));
        assert_eq!(tag(kek.derive("cursors")), tag(again.derive("cursors")));
        let all = [
            tag(kek.pepper(1)),
            tag(kek.pepper(2)),
            tag(kek.derive("cursors")),
            tag(kek.derive("index")),
            tag(MacKey::new([5; 32])),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
