//! Public keys of authenticators (RFC 9052 §7, RFC 9053, RFC 8230) and signatures made with them: ES256, EdDSA, RS256. Keys
//! come as CBOR (RFC 8949) from outside, so reading them is strict and bounded.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

/// What a key may be nested in; an attestation object needs three levels.
const DEEPEST: usize = 8;
/// Members of one map or list.
const MOST: u64 = 64;

/// One CBOR item of the kinds that authenticators send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cbor {
    Int(i64),
    Bytes(Vec<u8>),
    Text(String),
    List(Vec<Self>),
    Map(Vec<(Self, Self)>),
    Bool(bool),
    Null,
}

impl Cbor {
    /// Reads one item; what stands behind it is given back.
    pub fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        Self::read_at(bytes, 0)
    }

    fn read_at(bytes: &[u8], depth: usize) -> Option<(Self, &[u8])> {
        if depth > DEEPEST {
            return None;
        }
        let (first, rest) = bytes.split_first()?;
        let (major, minor) = (first >> 5, first & 0x1f);
        if major == 7 {
            return match minor {
                20 => Some((Self::Bool(false), rest)),
                21 => Some((Self::Bool(true), rest)),
                22 => Some((Self::Null, rest)),
                _ => None,
            };
        }
        let (number, rest) = argument(minor, rest)?;
        match major {
            0 => Some((Self::Int(i64::try_from(number).ok()?), rest)),
            1 => Some((Self::Int(-1 - i64::try_from(number).ok()?), rest)),
            2 | 3 => {
                let (taken, rest) = rest.split_at_checked(usize::try_from(number).ok()?)?;
                let item = match major {
                    2 => Self::Bytes(taken.to_vec()),
                    _ => Self::Text(String::from_utf8(taken.to_vec()).ok()?),
                };
                Some((item, rest))
            }
            4 | 5 if number <= MOST => {
                let mut rest = rest;
                let (mut list, mut map) = (Vec::new(), Vec::new());
                for _ in 0..number {
                    let (item, after) = Self::read_at(rest, depth + 1)?;
                    rest = after;
                    if major == 4 {
                        list.push(item);
                        continue;
                    }
                    let (value, after) = Self::read_at(rest, depth + 1)?;
                    rest = after;
                    // Of two members with one name nobody knows which is meant.
                    if map.iter().any(|(known, _)| *known == item) {
                        return None;
                    }
                    map.push((item, value));
                }
                Some((if major == 4 { Self::List(list) } else { Self::Map(map) }, rest))
            }
            _ => None,
        }
    }

    fn member(&self, name: &Self) -> Option<&Self> {
        match self {
            Self::Map(members) => members.iter().find(|(known, _)| known == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// A member named by text.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.member(&Self::Text(name.to_owned()))
    }

    /// A member named by number.
    pub fn at(&self, label: i64) -> Option<&Self> {
        self.member(&Self::Int(label))
    }

    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }
}

/// Only shortest forms of definite length, as CTAP2 prescribes.
fn argument(minor: u8, rest: &[u8]) -> Option<(u64, &[u8])> {
    let width = match minor {
        0..=23 => return Some((minor.into(), rest)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let (taken, rest) = rest.split_at_checked(width)?;
    let number = taken.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    let least = match width {
        1 => 24,
        2 => 1 << 8,
        4 => 1 << 16,
        _ => 1 << 32,
    };
    (number >= least).then_some((number, rest))
}

/// A public key that signatures are checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CoseKey {
    /// ES256: a point of P-256, uncompressed.
    P256([u8; 65]),
    /// EdDSA.
    Ed25519([u8; 32]),
    /// RS256: modulus and exponent.
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

/// COSE's names for the algorithms that are accepted, best first.
pub const ALGORITHMS: [i64; 3] = [-7, -8, -257];

impl CoseKey {
    pub fn of(key: &Cbor) -> Option<Self> {
        let number = |label| key.at(label).and_then(Cbor::int);
        let bytes = |label| key.at(label).and_then(Cbor::bytes);
        match (number(1)?, number(3)?) {
            (2, -7) if number(-1)? == 1 => {
                let mut point = [4; 65];
                point[1..33].copy_from_slice(bytes(-2).filter(|x| x.len() == 32)?);
                point[33..].copy_from_slice(bytes(-3).filter(|y| y.len() == 32)?);
                Some(Self::P256(point))
            }
            (1, -8) if number(-1)? == 6 => Some(Self::Ed25519(bytes(-2)?.try_into().ok()?)),
            (3, -257) => {
                let (n, e) = (bytes(-1)?, bytes(-2)?);
                let sane = (256..=1024).contains(&n.len()) && (1..=8).contains(&e.len());
                sane.then(|| Self::Rsa { n: n.to_vec(), e: e.to_vec() })
            }
            _ => None,
        }
    }

    /// Whether the key signed the message; ES256 in the DER form of X.509.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature).is_ok()
            }
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok(),
            Self::Rsa { n, e } => {
                let key = RsaPublicKeyComponents { n, e };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
    use proptest::prelude::*;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        hex::decode(text).unwrap()
    }

    /// RFC 8949, appendix A, of the kinds that are read; and such as are not.
    #[test]
    fn reads_what_the_rfc_shows() {
        for (bytes, item) in [
            ("00", Cbor::Int(0)),
            ("17", Cbor::Int(23)),
            ("1818", Cbor::Int(24)),
            ("1a000f4240", Cbor::Int(1_000_000)),
            ("20", Cbor::Int(-1)),
            ("3863", Cbor::Int(-100)),
            ("f4", Cbor::Bool(false)),
            ("f6", Cbor::Null),
            ("4401020304", Cbor::Bytes(vec![1, 2, 3, 4])),
            ("6449455446", Cbor::Text("IETF".into())),
            ("83010203", Cbor::List(vec![Cbor::Int(1), Cbor::Int(2), Cbor::Int(3)])),
            ("a201020304", Cbor::Map(vec![(Cbor::Int(1), Cbor::Int(2)), (Cbor::Int(3), Cbor::Int(4))])),
        ] {
            assert_eq!(Cbor::read(&hex(bytes)), Some((item, &[][..])), "{bytes}");
        }
        for refused in [
            "",
            "18",
            "1817",
            "190001",
            "5f",
            "9f01ff",
            "a101",
            "a2010203",
            "a201020103",
            "fb3ff199999999999a",
            "c074",
            "ff",
            "62ff00",
        ] {
            assert_eq!(Cbor::read(&hex(refused)), None, "{refused}");
        }
        assert_eq!(Cbor::read(&[0x81; 64]), None, "nested too deep");
    }

    #[test]
    fn only_the_keys_own_signature_counts() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let key = CoseKey::P256(pair.public_key().as_ref().try_into().unwrap());
        let signature = pair.sign(&SystemRandom::new(), b"message").unwrap();
        assert!(key.verify(b"message", signature.as_ref()));
        assert!(!key.verify(b"massage", signature.as_ref()));
        let other = Ed25519KeyPair::generate().unwrap();
        let other_key = CoseKey::Ed25519(other.public_key().as_ref().try_into().unwrap());
        assert!(other_key.verify(b"message", other.sign(b"message").as_ref()));
        assert!(!other_key.verify(b"message", signature.as_ref()));
    }

    proptest! {
        #[test]
        fn reading_is_total(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Some((item, rest)) = Cbor::read(&bytes) {
                prop_assert!(rest.len() < bytes.len());
                let _ = CoseKey::of(&item);
            }
        }
    }
}
