//! Verifying keys: a public key bound to the one algorithm that it may be used with.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};

use super::{Algorithm, JwsError, KeyError};
use crate::jwk::{Jwk, PublicKey};

/// Parsed once; verifying takes the algorithm from here.
#[derive(Clone)]
pub struct VerifyingKey {
    algorithm: Algorithm,
    key: ParsedPublicKey,
}

impl VerifyingKey {
    /// Refuses keys of another kind, points off the curve, Ed25519 points of small order and unfit RSA sizes.
    pub fn from_jwk(jwk: &Jwk, algorithm: Algorithm) -> Result<Self, KeyError> {
        let parsed = match (&jwk.key, algorithm) {
            (PublicKey::P256 { x, y }, Algorithm::ES256) => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [&[4], &x[..], &y[..]].concat())
            }
            (PublicKey::Ed25519 { x }, Algorithm::EdDSA) => {
                if has_small_order(x) {
                    return Err(KeyError::Weak);
                }
                ParsedPublicKey::new(&ED25519, x)
            }
            (PublicKey::Rsa { n, e }, Algorithm::RS256) => {
                // Members are public, so the sizes may not have come through a parser.
                PublicKey::rsa(n.clone(), e.clone()).map_err(|_| KeyError::RsaSize)?;
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            }
            _ => return Err(KeyError::Kind(algorithm)),
        };
        Ok(Self { algorithm, key: parsed.map_err(|_| KeyError::Weak)? })
    }

    /// With the one algorithm that keys of its kind are used with here; a key that names another is refused.
    pub fn of(jwk: &Jwk) -> Result<Self, KeyError> {
        let algorithm = match jwk.key {
            PublicKey::P256 { .. } => Algorithm::ES256,
            PublicKey::Ed25519 { .. } => Algorithm::EdDSA,
            PublicKey::Rsa { .. } => Algorithm::RS256,
        };
        match &jwk.alg {
            Some(other) if *other != algorithm.name() => Err(KeyError::Kind(algorithm)),
            _ => Self::from_jwk(jwk, algorithm),
        }
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), JwsError> {
        self.key.verify_sig(message, signature).map_err(|_| JwsError::Signature)
    }
}

/// The y coordinates, little-endian, of the points whose order divides 8, and their non-canonical forms (p, p+1).
/// Under such a key one signature fits many messages, so it proves possession of nothing.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    ends(1, 0, 0),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    ends(0xec, 0xff, 0x7f),
    ends(0xed, 0xff, 0x7f),
    ends(0xee, 0xff, 0x7f),
];

const fn ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

fn has_small_order(point: &[u8; 32]) -> bool {
    let mut y = *point;
    y[31] &= 0x7f;
    SMALL_ORDER.contains(&y)
}
