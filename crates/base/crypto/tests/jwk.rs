//! Public keys and thumbprints against the RFCs, and what must not be taken for one.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::jwk::Jwk;
use crypto::jws::{Algorithm, SigningKey, VerifyingKey};
use proptest::prelude::*;
use safeconduct_crypto as crypto;
use serde_json::{Value, json};

const RFC_7638_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
const P256_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const P256_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const ED25519_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn refusal(value: &Value) -> String {
    serde_json::from_str::<Jwk>(&value.to_string()).unwrap_err().to_string()
}

#[test]
fn thumbprints_agree_with_rfc_7638_and_rfc_8037() {
    let rsa = json!({"kty": "RSA", "n": RFC_7638_N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
    let rsa: Jwk = serde_json::from_value(rsa).unwrap();
    assert_eq!(rsa.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    let okp: Jwk = serde_json::from_value(json!({"kty": "OKP", "crv": "Ed25519", "x": ED25519_X})).unwrap();
    assert_eq!(okp.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn keys_survive_json_and_ignore_unknown_members() {
    for key in [
        json!({"kty": "EC", "crv": "P-256", "x": P256_X, "y": P256_Y}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": ED25519_X, "kid": "mine", "use": "sig", "alg": "EdDSA"}),
        json!({"kty": "RSA", "n": RFC_7638_N, "e": "AQAB"}),
    ] {
        let mut padded = key.clone();
        padded["x5t"] = json!("ignored");
        padded["key_ops"] = json!(["verify", {"deep": [1]}]);
        let parsed: Jwk = serde_json::from_value(padded).unwrap();
        assert_eq!(serde_json::to_value(&parsed).unwrap(), key);
    }
}

#[test]
fn a_key_with_private_members_is_refused_by_name() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let mut key = json!({"kty": "EC", "crv": "P-256", "x": P256_X, "y": P256_Y});
        key[member] = json!([{"any": "form"}]);
        assert!(refusal(&key).contains(&format!("private member `{member}`")), "{member}");
    }
}

#[test]
fn refuses_what_is_no_usable_public_key() {
    let n = URL_SAFE_NO_PAD.decode(RFC_7638_N).unwrap();
    let padded = URL_SAFE_NO_PAD.encode([&[0], &n[..]].concat());
    for (key, reason) in [
        (json!({"crv": "P-256", "x": P256_X, "y": P256_Y}), "`kty` is missing"),
        (json!({"kty": "EC", "x": P256_X, "y": P256_Y}), "`crv` is missing"),
        (json!({"kty": "EC", "crv": "P-256", "x": P256_X}), "`y` is missing"),
        (json!({"kty": "EC", "crv": "secp256k1", "x": P256_X, "y": P256_Y}), "only EC P-256"),
        (json!({"kty": "oct", "alg": "HS256"}), "only EC P-256"),
        (json!({"kty": "EC", "crv": "P-256", "x": &P256_X[1..], "y": P256_Y}), "`x` is no canonical"),
        (json!({"kty": "EC", "crv": "P-256", "x": format!("{P256_X}="), "y": P256_Y}), "`x` is no canonical"),
        (json!({"kty": "OKP", "crv": "Ed25519", "x": ED25519_X.replace('o', "p")}), "`x` is no canonical"),
        (json!({"kty": "RSA", "n": &RFC_7638_N[..300], "e": "AQAB"}), "2048 to 8192 bits"),
        (json!({"kty": "RSA", "n": RFC_7638_N.repeat(5), "e": "AQAB"}), "2048 to 8192 bits"),
        (json!({"kty": "RSA", "n": padded, "e": "AQAB"}), "2048 to 8192 bits"),
        (json!({"kty": "RSA", "n": RFC_7638_N, "e": "AAEAAQ"}), "odd exponent"),
        (json!({"kty": "RSA", "n": RFC_7638_N, "e": "AQ"}), "odd exponent"),
        (json!({"kty": "RSA", "n": RFC_7638_N, "e": "AQAA"}), "odd exponent"),
        (json!({"kty": "RSA", "n": "", "e": ""}), "2048 to 8192 bits"),
        (json!(["EC"]), "a public JSON Web Key"),
    ] {
        let message = refusal(&key);
        assert!(message.contains(reason), "{key}: {message}");
    }
    let twice = format!(r#"{{"kty":"OKP","kty":"OKP","crv":"Ed25519","x":"{ED25519_X}"}}"#);
    assert!(serde_json::from_str::<Jwk>(&twice).unwrap_err().to_string().contains("`kty` appears twice"));
}

#[test]
fn weak_points_verify_nothing() {
    let off_curve: Jwk =
        serde_json::from_value(json!({"kty": "EC", "crv": "P-256", "x": P256_Y, "y": P256_X})).unwrap();
    assert!(VerifyingKey::from_jwk(&off_curve, Algorithm::ES256).is_err());
    // Orders 1, 2, 4 and 8, and the non-canonical form of the neutral element.
    for point in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        let x = hex::decode(point).unwrap().try_into().unwrap();
        let key = Jwk::new(crypto::jwk::PublicKey::Ed25519 { x });
        assert!(VerifyingKey::from_jwk(&key, Algorithm::EdDSA).is_err(), "{point}");
    }
}

#[test]
fn published_keys_carry_their_thumbprint_and_nothing_private() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        assert_eq!(key.kid(), key.public().thumbprint());
        let json = serde_json::to_value(key.public()).unwrap();
        assert_eq!(
            (&json["kid"], &json["alg"], &json["use"]),
            (&json!(key.kid()), &json!(algorithm.name()), &json!("sig"))
        );
        assert_eq!(&serde_json::from_value::<Jwk>(json).unwrap(), key.public());
    }
}

proptest! {
    #[test]
    fn parsing_foreign_text_is_total(text in "\\PC{0,200}", x in "[A-Za-z0-9_-]{0,50}", n in "[A-Za-z0-9_-]{0,400}") {
        let _ = serde_json::from_str::<Jwk>(&text);
        let _ = serde_json::from_value::<Jwk>(json!({"kty": "OKP", "crv": "Ed25519", "x": x}));
        if let Ok(jwk) = serde_json::from_value::<Jwk>(json!({"kty": "RSA", "n": n, "e": x})) {
            let _ = VerifyingKey::from_jwk(&jwk, Algorithm::RS256);
        }
    }
}
