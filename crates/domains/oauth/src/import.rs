//! Signing keys of the operator's own (`keys.signing_key_file`, `safeconduct keys import`): PKCS#8 in PEM or DER, or a
//! private JWK.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use crypto::jws::{Algorithm, SigningKey};
use serde::Deserialize;
use types::Secret;

use crate::error::KeysError;

const LARGEST: u64 = 64 * 1024;

/// Reads the file; refuses one that others on this machine can read.
pub(crate) fn read(path: &Path) -> Result<SigningKey, KeysError> {
    let refused = |reason: String| KeysError::File { path: path.display().to_string(), reason };
    let file = std::fs::File::open(path).map_err(|error| refused(error.to_string()))?;
    let metadata = file.metadata().map_err(|error| refused(error.to_string()))?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(refused(format!("mode {mode:o} lets others read the signing key; chmod 600 it")));
    }
    let mut bytes = Vec::new();
    let outcome = file.take(LARGEST).read_to_end(&mut bytes);
    let bytes = Secret::new(bytes);
    outcome.map_err(|error| refused(error.to_string()))?;
    parse(bytes.reveal()).map_err(refused)
}

fn parse(bytes: &[u8]) -> Result<SigningKey, String> {
    let text = std::str::from_utf8(bytes).map(str::trim).unwrap_or_default();
    let jwk = text.starts_with('{').then(|| Private::parse(text)).transpose()?;
    let der = if let Some(jwk) = &jwk {
        jwk.to_pkcs8()?
    } else if text.starts_with("-----") {
        pem(text)?
    } else {
        Secret::new(bytes.to_vec())
    };
    let fits =
        Algorithm::ALL.into_iter().find_map(|algorithm| SigningKey::from_pkcs8(algorithm, der.reveal()).ok());
    let key = fits.ok_or("no private key of P-256, Ed25519 or RSA (2048 to 8192 bits) in PKCS#8 or JWK")?;
    match jwk {
        Some(jwk) if !jwk.is_of(&key) => Err("the public members of the JWK are another key's".to_owned()),
        _ => Ok(key),
    }
}

fn pem(text: &str) -> Result<Secret<Vec<u8>>, String> {
    let body = text
        .strip_prefix("-----BEGIN PRIVATE KEY-----")
        .and_then(|rest| rest.strip_suffix("-----END PRIVATE KEY-----"));
    let body = body.ok_or("expected one `PRIVATE KEY` (PKCS#8, not encrypted) and nothing else")?;
    let digits = Secret::new(body.split_ascii_whitespace().collect::<String>());
    STANDARD.decode(digits.reveal()).map(Secret::new).map_err(|_| "the PEM body is no base64".to_owned())
}

/// A private JWK (RFC 7518 §6, RFC 8037 §2).
#[derive(Deserialize)]
struct Private {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<Secret<String>>,
    n: Option<String>,
    e: Option<String>,
    p: Option<Secret<String>>,
    q: Option<Secret<String>>,
    dp: Option<Secret<String>>,
    dq: Option<Secret<String>>,
    qi: Option<Secret<String>>,
}

impl Private {
    fn parse(text: &str) -> Result<Self, String> {
        // The parser's own message could quote the key.
        serde_json::from_str(text).map_err(|_| "not a private JWK with `kty` and `d`".to_owned())
    }

    fn to_pkcs8(&self) -> Result<Secret<Vec<u8>>, String> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("EC", Some("P-256")) => self.p256(),
            ("OKP", Some("Ed25519")) => {
                let seed = der::octets(secret("d", &self.d)?.reveal());
                Ok(der::pkcs8(&der::ED25519, &seed))
            }
            ("RSA", None) => self.rsa(),
            _ => Err("only EC P-256, OKP Ed25519 and RSA keys sign here".to_owned()),
        }
    }

    /// Whether what it says of its public half is true; a JWK may leave that out.
    fn is_of(&self, key: &SigningKey) -> bool {
        let Ok(public) = serde_json::to_value(key.public()) else { return false };
        let said = [("x", &self.x), ("y", &self.y), ("n", &self.n), ("e", &self.e)];
        said.into_iter().all(|(name, said)| said.as_ref().is_none_or(|said| public[name] == **said))
    }

    fn p256(&self) -> Result<Secret<Vec<u8>>, String> {
        let point = [&[0, 4][..], &public("x", &self.x)?, &public("y", &self.y)?].concat();
        let scalar = secret("d", &self.d)?;
        let inner =
            [&der::VERSION_1[..], &der::octets(scalar.reveal()), &der::tagged(0xa1, &der::tagged(3, &point))];
        Ok(der::pkcs8(&der::P256, &der::tagged(0x30, &inner.concat())))
    }

    fn rsa(&self) -> Result<Secret<Vec<u8>>, String> {
        let mut inner = Secret::new(der::VERSION_0.to_vec());
        let mut add = |number: &[u8]| {
            let grown = [inner.reveal().as_slice(), &der::integer(number)].concat();
            inner = Secret::new(grown);
        };
        add(&public("n", &self.n)?);
        add(&public("e", &self.e)?);
        let rest = [
            ("d", &self.d),
            ("p", &self.p),
            ("q", &self.q),
            ("dp", &self.dp),
            ("dq", &self.dq),
            ("qi", &self.qi),
        ];
        for (name, text) in rest {
            add(secret(name, text)?.reveal());
        }
        Ok(der::pkcs8(&der::RSA, &der::tagged(0x30, inner.reveal())))
    }
}

fn public(name: &str, text: &Option<String>) -> Result<Vec<u8>, String> {
    decode(name, text.as_deref())
}

fn secret(name: &str, text: &Option<Secret<String>>) -> Result<Secret<Vec<u8>>, String> {
    decode(name, text.as_ref().map(|text| text.reveal().as_str())).map(Secret::new)
}

fn decode(name: &str, text: Option<&str>) -> Result<Vec<u8>, String> {
    let text = text.ok_or_else(|| format!("the JWK lacks `{name}`"))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| format!("`{name}` of the JWK is no base64url"))
}

/// As much DER as a private key needs (RFC 5208, 5915, 8017, 8410).
mod der {
    use types::Secret;

    pub(super) const VERSION_0: [u8; 3] = [2, 1, 0];
    pub(super) const VERSION_1: [u8; 3] = [2, 1, 1];
    /// id-ecPublicKey with prime256v1.
    pub(super) const P256: [u8; 21] =
        [0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    pub(super) const ED25519: [u8; 7] = [0x30, 5, 6, 3, 0x2b, 0x65, 0x70];
    /// rsaEncryption with NULL.
    pub(super) const RSA: [u8; 15] = [0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

    pub(super) fn pkcs8(algorithm: &[u8], key: &[u8]) -> Secret<Vec<u8>> {
        let inner = Secret::new([&VERSION_0[..], algorithm, &octets(key)].concat());
        Secret::new(tagged(0x30, inner.reveal()))
    }

    pub(super) fn octets(bytes: &[u8]) -> Vec<u8> {
        tagged(4, bytes)
    }

    /// A positive INTEGER from big-endian bytes.
    pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
        let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
        let bytes = &bytes[start..];
        let pad = bytes.first().is_none_or(|byte| byte & 0x80 != 0);
        tagged(2, &[&[0][..usize::from(pad)], bytes].concat())
    }

    pub(super) fn tagged(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = body.len().to_be_bytes();
        let start = length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1);
        let length = &length[start..];
        let mut out = Vec::with_capacity(body.len() + 6);
        out.push(tag);
        if body.len() >= 0x80 {
            out.push(0x80 | u8::try_from(length.len()).unwrap_or(0x7f));
        }
        out.extend_from_slice(length);
        out.extend_from_slice(body);
        out
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// RFC 8037, appendix A.1 and A.3.
    const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519",
        "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// RFC 7515, appendix A.3.
    const P256: &str = r#"{"kty":"EC","crv":"P-256",
        "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        "d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

    fn pem_of(der: &[u8]) -> String {
        let digits = STANDARD.encode(der);
        let lines: Vec<&str> =
            digits.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
    }

    #[test]
    fn reads_the_private_keys_of_the_rfcs() {
        let key = parse(ED25519.as_bytes()).unwrap();
        assert_eq!(
            (key.algorithm(), key.kid()),
            (Algorithm::EdDSA, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
        );
        let key = parse(P256.as_bytes()).unwrap();
        assert_eq!(key.algorithm(), Algorithm::ES256);
        let public = serde_json::to_value(key.public()).unwrap();
        assert_eq!(public["x"], "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    }

    #[test]
    fn reads_pkcs8_in_pem_and_der_of_every_algorithm() {
        for algorithm in Algorithm::ALL {
            let key = SigningKey::generate(algorithm).unwrap();
            let der = key.to_pkcs8();
            for bytes in [der.reveal().clone(), pem_of(der.reveal()).into_bytes()] {
                let read = parse(&bytes).unwrap();
                assert_eq!((read.algorithm(), read.kid()), (algorithm, key.kid()));
            }
        }
    }

    #[test]
    fn an_rsa_jwk_becomes_the_same_key() {
        let key = SigningKey::generate(Algorithm::RS256).unwrap();
        let numbers = integers(key.to_pkcs8().reveal());
        let names = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];
        let mut jwk = serde_json::json!({"kty": "RSA"});
        for (name, number) in names.iter().zip(&numbers[2..]) {
            jwk[*name] = URL_SAFE_NO_PAD.encode(number).into();
        }
        let read = parse(jwk.to_string().as_bytes()).unwrap();
        assert_eq!((read.algorithm(), read.kid()), (Algorithm::RS256, key.kid()));
    }

    /// Every INTEGER of a DER text, in order, without leading zeros.
    fn integers(mut der: &[u8]) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        while let [tag, length, rest @ ..] = der {
            let octets = usize::from(length & 0x7f);
            let (length, rest) = match length {
                0..0x80 => (octets, rest),
                _ => (
                    rest[..octets].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
                    &rest[octets..],
                ),
            };
            der = match tag {
                2 => {
                    let start = usize::from(length > 1 && rest[0] == 0);
                    found.push(rest[start..length].to_vec());
                    &rest[length..]
                }
                // Into sequences and the octet string that wraps the key.
                0x30 | 4 => rest,
                _ => &rest[length..],
            };
        }
        found
    }

    #[test]
    fn refuses_other_texts_without_quoting_them() {
        let weak = r#"{"kty":"EC","crv":"P-384","d":"c2VjcmV0"}"#;
        let public = P256.replace("\"d\"", "\"k\"");
        let wrong_point = P256.replace("x_FEz", "x_FEy");
        let anothers = ED25519.replace("11qY", "21qY");
        let encrypted = pem_of(b"x").replace("PRIVATE", "ENCRYPTED PRIVATE");
        for text in
            ["", "{}", weak, &public, &wrong_point, &anothers, &encrypted, &pem_of(b"c2VjcmV0"), "c2VjcmV0"]
        {
            let refusal = parse(text.as_bytes()).err().unwrap();
            assert!(!refusal.contains("c2VjcmV0") && !refusal.contains("jpsQ"), "{refusal}");
        }
    }

    #[test]
    fn refuses_a_file_that_others_can_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        std::fs::write(&path, ED25519).unwrap();
        for (mode, fits) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(&path).is_ok(), fits, "{mode:o}");
        }
        assert!(read(&directory.path().join("none")).is_err());
    }
}
