//! The private key that an agent proves itself with.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::Error;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// A P-256 key (ES256). Never printed; written only by [`SigningKey::to_pem`].
pub struct SigningKey {
    pair: EcdsaKeyPair,
    jwk: Value,
    kid: String,
}

impl SigningKey {
    pub fn generate() -> Result<Self, Error> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Self::of(pair.map_err(|_| invalid("no key could be made; the system gives no randomness"))?)
    }

    /// Reads a PKCS#8 private key in PEM.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let body = pem.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END));
        let (digits, _) =
            body.ok_or_else(|| invalid("expected a PKCS#8 key: a file with BEGIN PRIVATE KEY"))?;
        let digits: Zeroizing<String> = Zeroizing::new(digits.split_whitespace().collect());
        let der = STANDARD.decode(digits.as_bytes()).map_err(|_| invalid("the key's base64 is damaged"))?;
        let der = Zeroizing::new(der);
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der);
        Self::of(pair.map_err(|_| invalid("the key is no P-256 key in PKCS#8"))?)
    }

    /// PKCS#8 in PEM. Keep it where only the agent reads it.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        let der = self.pair.to_pkcs8v1().map_err(|_| invalid("the key cannot be written"))?;
        let digits = Zeroizing::new(STANDARD.encode(der.as_ref()));
        let mut pem = Zeroizing::new(String::with_capacity(300));
        pem.push_str(BEGIN);
        for (index, digit) in digits.chars().enumerate() {
            if index % 64 == 0 {
                pem.push('\n');
            }
            pem.push(digit);
        }
        pem.push('\n');
        pem.push_str(END);
        pem.push('\n');
        Ok(pem)
    }

    /// The public half as a JWK, which is what the server is given.
    pub fn public_jwk(&self) -> &Value {
        &self.jwk
    }

    /// RFC 7638 thumbprint of the public half.
    pub fn thumbprint(&self) -> &str {
        &self.kid
    }

    /// A compact JWS over the claims.
    pub(crate) fn sign(&self, typ: &str, claims: &Value) -> Result<String, Error> {
        let header = json!({ "alg": "ES256", "kid": self.kid, "typ": typ });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut token = format!("{}.{}", part(&header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), token.as_bytes());
        let signature = signature.map_err(|_| invalid("the key cannot sign"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
        Ok(token)
    }

    fn of(pair: EcdsaKeyPair) -> Result<Self, Error> {
        let point = pair.public_key().as_ref();
        let (x, y) = match point {
            [4, point @ ..] if point.len() == 64 => point.split_at(32),
            _ => return Err(invalid("the public half has an unknown form")),
        };
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (x, y) = (text(x), text(y));
        // RFC 7638 §3.2: the required members in this order, without spaces.
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, canonical.as_bytes());
        let kid = text(digest.as_ref());
        let jwk =
            json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": kid, "alg": "ES256", "use": "sig" });
        Ok(Self { pair, jwk, kid })
    }
}

fn invalid(detail: &str) -> Error {
    Error::new("invalid_key", "The key cannot be used", format!("{detail}."))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    #[test]
    fn a_written_key_is_read_back_and_signs() {
        let key = SigningKey::generate().unwrap();
        let pem = key.to_pem().unwrap();
        assert!(pem.lines().all(|line| line.len() <= 64) && pem.ends_with('\n'));
        let again = SigningKey::from_pem(&format!("a comment\n{}", *pem)).unwrap();
        assert_eq!(again.public_jwk(), key.public_jwk());

        let token = again.sign("JWT", &json!({ "sub": "agt_1" })).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.pair.public_key().as_ref());
        public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        assert!(public.verify(b"something else", &URL_SAFE_NO_PAD.decode(signature).unwrap()).is_err());
    }

    #[test]
    fn the_public_half_holds_nothing_private() {
        let key = SigningKey::generate().unwrap();
        let members: Vec<&str> = key.public_jwk().as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    }

    #[test]
    fn what_is_no_key_is_refused_with_a_reason() {
        let rsa = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----";
        let broken = "-----BEGIN PRIVATE KEY-----\n???\n-----END PRIVATE KEY-----";
        let short = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
        for (pem, reason) in [("", "BEGIN"), (rsa, "BEGIN"), (broken, "base64"), (short, "P-256")] {
            let error = SigningKey::from_pem(pem).err().unwrap();
            assert_eq!(error.code(), "invalid_key");
            assert!(error.detail().contains(reason), "{}", error.detail());
        }
    }
}
