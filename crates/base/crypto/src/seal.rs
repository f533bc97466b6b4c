//! Values at rest: sealed under a versioned data key, bound to the place where they are stored.
//!
//! Form: format `u8` = 1 · key version `u32` big-endian · 24-byte nonce · ciphertext · 16-byte tag. The cipher is
//! XAES-256-GCM (see `xaes`), safe for far more than 2^32 values per key. Header and place are authenticated, so a
//! value moved to another row, column, table or organization does not open.

use types::{Id, OrgId, Secret, World};

use crate::xaes::{NONCE, TAG, Xaes};

const FORMAT: u8 = 1;
const HEADER: usize = 5;

/// How many bytes sealing adds.
pub const OVERHEAD: usize = HEADER + NONCE + TAG;

/// Where a sealed value is stored.
#[derive(Clone, Copy, Debug)]
pub struct Aad<'a> {
    pub table: &'a str,
    pub column: &'a str,
    /// None for what belongs to the instance.
    pub org: Option<OrgId>,
    /// The row's primary key, in one fixed encoding per table.
    pub row: &'a [u8],
}

/// One version of a key that seals values.
pub struct DataKey {
    version: u32,
    bytes: Secret<[u8; 32]>,
    cipher: Xaes,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("the sealed value is shorter than its header and tag; restore it from a backup")]
    Truncated,
    #[error("sealed in format {0}, which this version does not know; run the version that wrote it")]
    UnknownFormat(u8),
    #[error(
        "sealed under key version {found}, opened with version {tried}; load the version that the header names"
    )]
    OtherVersion { found: u32, tried: u32 },
    #[error("the sealed value does not open: another key, another place, or changed bytes")]
    Refused,
}

impl DataKey {
    pub fn generate(world: &World, version: u32) -> Self {
        Self::from_bytes(version, world.bytes())
    }

    pub fn from_bytes(version: u32, bytes: [u8; 32]) -> Self {
        let cipher = cipher(&bytes);
        Self { version, bytes: Secret::new(bytes), cipher }
    }

    pub fn version(&self) -> u32 {
        self.version
    }

    /// The key itself, for wrapping only.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        self.bytes.reveal()
    }

    pub fn seal(&self, world: &World, aad: &Aad<'_>, plaintext: &[u8]) -> Vec<u8> {
        let mut header = [FORMAT; HEADER];
        header[1..].copy_from_slice(&self.version.to_be_bytes());
        seal(&self.cipher, world, &header, &aad.encode(&header), plaintext)
    }

    pub fn open(&self, aad: &Aad<'_>, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let found = header_version(sealed)?;
        if found != self.version {
            return Err(SealError::OtherVersion { found, tried: self.version });
        }
        let (header, body) = sealed.split_at_checked(HEADER).ok_or(SealError::Truncated)?;
        open(&self.cipher, &aad.encode(header), body)
    }
}

/// The key version that a sealed value names: which key to fetch before opening.
pub fn header_version(sealed: &[u8]) -> Result<u32, SealError> {
    if sealed.len() < OVERHEAD {
        return Err(SealError::Truncated);
    }
    match sealed {
        [FORMAT, a, b, c, d, ..] => Ok(u32::from_be_bytes([*a, *b, *c, *d])),
        [format, ..] => Err(SealError::UnknownFormat(*format)),
        [] => Err(SealError::Truncated),
    }
}

impl Aad<'_> {
    /// The header, then every part behind its length: no two places share an encoding.
    fn encode(&self, header: &[u8]) -> Vec<u8> {
        let org = self.org.map(Id::uuid);
        let org = org.as_ref().map_or(&[][..], |uuid| uuid.as_bytes());
        let mut out = Vec::with_capacity(128);
        out.extend_from_slice(header);
        for part in [self.table.as_bytes(), self.column.as_bytes(), org, self.row] {
            out.extend_from_slice(&(part.len() as u64).to_be_bytes());
            out.extend_from_slice(part);
        }
        out
    }
}

#[expect(clippy::expect_used, reason = "AES key set-up of 32 bytes fails only when memory is exhausted")]
pub(crate) fn cipher(key: &[u8; 32]) -> Xaes {
    Xaes::new(key).expect("AES-256 takes every 32-byte key")
}

/// Header, fresh nonce, ciphertext, tag.
#[expect(clippy::expect_used, reason = "GCM refuses only messages past 64 GB, which no value here can be")]
pub(crate) fn seal(cipher: &Xaes, world: &World, header: &[u8], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE] = world.bytes();
    let start = header.len() + NONCE;
    let mut out = Vec::with_capacity(start + plaintext.len() + TAG);
    out.extend_from_slice(header);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(plaintext);
    let tag = cipher.seal(&nonce, aad, &mut out[start..]).expect("GCM seals every message up to 64 GB");
    out.extend_from_slice(tag.as_ref());
    out
}

/// Opens nonce, ciphertext and tag.
pub(crate) fn open(cipher: &Xaes, aad: &[u8], body: &[u8]) -> Result<Vec<u8>, SealError> {
    let (nonce, sealed) = body.split_first_chunk::<NONCE>().ok_or(SealError::Truncated)?;
    cipher.open(nonce, aad, sealed).map_err(|_| SealError::Refused)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place() -> Aad<'static> {
        let org = OrgId::from_uuid(types::Uuid::from_u128(7));
        Aad { table: "facts", column: "private", org: Some(org), row: b"1" }
    }

    #[test]
    fn opens_only_in_its_place_and_under_its_key() {
        let world = World::system();
        let key = DataKey::generate(&world, 3);
        let sealed = key.seal(&world, &place(), b"who, from where");
        assert_eq!(sealed.len(), b"who, from where".len() + OVERHEAD);
        assert_eq!(header_version(&sealed), Ok(3));
        assert_eq!(key.open(&place(), &sealed).unwrap(), b"who, from where");
        for elsewhere in [
            Aad { table: "leaves", ..place() },
            Aad { column: "public", ..place() },
            Aad { org: None, ..place() },
            Aad { org: Some(OrgId::from_uuid(types::Uuid::from_u128(8))), ..place() },
            Aad { row: b"2", ..place() },
            Aad { table: "factsp", column: "rivate", ..place() },
        ] {
            assert_eq!(key.open(&elsewhere, &sealed), Err(SealError::Refused));
        }
        assert_eq!(DataKey::generate(&world, 3).open(&place(), &sealed), Err(SealError::Refused));
        let newer = DataKey::from_bytes(4, *key.bytes());
        assert_eq!(newer.open(&place(), &sealed), Err(SealError::OtherVersion { found: 3, tried: 4 }));
    }

    #[test]
    fn equal_values_never_look_equal() {
        let world = World::system();
        let key = DataKey::generate(&world, 1);
        assert_ne!(key.seal(&world, &place(), b"same"), key.seal(&world, &place(), b"same"));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let world = World::system();
        let key = DataKey::generate(&world, 1);
        let sealed = key.seal(&world, &place(), b"conduct");
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(key.open(&place(), &changed).is_err(), "bit {bit}");
        }
        for end in 0..sealed.len() {
            assert!(key.open(&place(), &sealed[..end]).is_err(), "cut at {end}");
        }
        assert_eq!(key.open(&place(), &[9; 60]), Err(SealError::UnknownFormat(9)));
    }

    proptest! {
        #[test]
        fn round_trips(text in prop::collection::vec(any::<u8>(), 0..2_000), version: u32, key: [u8; 32]) {
            let world = World::system();
            let key = DataKey::from_bytes(version, key);
            let sealed = key.seal(&world, &place(), &text);
            prop_assert_eq!(key.open(&place(), &sealed), Ok(text));
        }

        #[test]
        fn opening_foreign_bytes_is_total(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            let key = DataKey::from_bytes(0x0101_0101, [1; 32]);
            prop_assert!(key.open(&place(), &bytes).is_err());
        }
    }
}
