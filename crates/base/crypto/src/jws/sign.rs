//! Signing keys and the tokens that they make.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use types::Secret;

use super::{Algorithm, KeyError};
use crate::jwk::{Jwk, PublicKey};

/// A private key with its public half; `kid` is the RFC 7638 thumbprint.
pub struct SigningKey {
    algorithm: Algorithm,
    private: Private,
    public: Jwk,
    kid: String,
    /// The header up to the value of `typ`, its last member.
    header_start: String,
}

enum Private {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl SigningKey {
    /// A new key from AWS-LC's generator (P-256, Ed25519, or RSA 2048, which takes some 100 ms).
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let failed = |_| KeyError::Generate;
        let private = match algorithm {
            Algorithm::ES256 => {
                Private::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?)
            }
            Algorithm::EdDSA => Private::Ed25519(Ed25519KeyPair::generate().map_err(failed)?),
            Algorithm::RS256 => Private::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?),
        };
        Self::new(algorithm, private)
    }

    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        let refused = |_| KeyError::Private(algorithm);
        let private = match algorithm {
            Algorithm::ES256 => Private::P256(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map_err(refused)?,
            ),
            Algorithm::EdDSA => Private::Ed25519(Ed25519KeyPair::from_pkcs8(der).map_err(refused)?),
            Algorithm::RS256 => Private::Rsa(RsaKeyPair::from_pkcs8(der).map_err(refused)?),
        };
        Self::new(algorithm, private)
    }

    /// PKCS#8 version 1, DER.
    #[expect(
        clippy::expect_used,
        reason = "encoding a key that was made or parsed fails only without memory"
    )]
    pub fn to_pkcs8(&self) -> Secret<Vec<u8>> {
        let der = match &self.private {
            Private::P256(pair) => pair.to_pkcs8v1().map(|document| document.as_ref().to_vec()),
            Private::Ed25519(pair) => pair.to_pkcs8v1().map(|document| document.as_ref().to_vec()),
            Private::Rsa(pair) => AsDer::as_der(pair).map(|der| der.as_ref().to_vec()),
        };
        Secret::new(der.expect("a valid key has an encoding"))
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// With `kid`, `alg` and `use`, as it stands in the JWKS.
    pub fn public(&self) -> &Jwk {
        &self.public
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The signature in JWS form (ECDSA: r ‖ s).
    #[expect(clippy::expect_used, reason = "signing with a valid key fails only when memory is exhausted")]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.private {
            Private::P256(pair) => {
                pair.sign(&SystemRandom::new(), message).expect("a valid P-256 key signs").as_ref().to_vec()
            }
            Private::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Private::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .expect("a valid RSA key signs");
                signature
            }
        }
    }

    /// A compact JWS with the header {alg, kid, typ}; the claims are signed as they are.
    pub fn compact(&self, typ: &str, claims_json: &[u8]) -> String {
        let header = format!("{}{}}}", self.header_start, serde_json::Value::from(typ));
        let mut token = String::with_capacity(header.len() * 4 / 3 + claims_json.len() * 4 / 3 + 360);
        URL_SAFE_NO_PAD.encode_string(header, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims_json, &mut token);
        let signature = self.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }

    fn new(algorithm: Algorithm, private: Private) -> Result<Self, KeyError> {
        let mut public = Jwk::new(private.public()?);
        let kid = public.thumbprint();
        public.kid = Some(kid.clone());
        public.alg = Some(algorithm.name().to_owned());
        public.usage = Some("sig".to_owned());
        let header_start = format!(r#"{{"alg":"{algorithm}","kid":"{kid}","typ":"#);
        Ok(Self { algorithm, private, public, kid, header_start })
    }
}

impl Private {
    fn public(&self) -> Result<PublicKey, KeyError> {
        match self {
            Self::P256(pair) => match pair.public_key().as_ref() {
                [4, point @ ..] => {
                    let (x, y) = point.split_first_chunk().ok_or(KeyError::Weak)?;
                    Ok(PublicKey::P256 { x: *x, y: y.try_into().map_err(|_| KeyError::Weak)? })
                }
                _ => Err(KeyError::Weak),
            },
            Self::Ed25519(pair) => {
                let x = pair.public_key().as_ref().try_into().map_err(|_| KeyError::Weak)?;
                Ok(PublicKey::Ed25519 { x })
            }
            Self::Rsa(pair) => {
                let key = pair.public_key();
                let (n, e) = (key.modulus(), key.exponent());
                let bytes =
                    |number: aws_lc_rs::io::Positive<'_>| number.big_endian_without_leading_zero().to_vec();
                PublicKey::rsa(bytes(n), bytes(e)).map_err(|_| KeyError::RsaSize)
            }
        }
    }
}
