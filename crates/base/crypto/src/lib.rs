//! Keys, seals, tags and tokens: every cryptographic act of the house, on aws-lc-rs.
//!
//! Owns the formats that outlive a process: sealed values, wrapped keys, machine secrets, compact JWS, JWK.
//! Knows no database, no HTTP and no clock; randomness comes in as [`types::World`] (key pairs alone are drawn
//! from AWS-LC's own generator). Nothing here decides who may do what, and no secret implements `Debug`.

pub mod base62;
pub mod cose;
mod crc32;
pub mod envelope;
pub mod hash;
pub mod jcs;
pub mod jwk;
pub mod jws;
pub mod jwt;
pub mod mac;
pub mod machine_secret;
pub mod seal;
pub mod totp;
mod xaes;

pub use crc32::crc32;
pub use mac::eq;
