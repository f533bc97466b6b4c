//! Compact JWS against the RFCs' examples, and the known ways to forge one.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use crypto::jwk::Jwk;
use crypto::jws::{Algorithm, Compact, JwsError, KeyError, SigningKey, VerifyingKey};
use proptest::prelude::*;
use safeconduct_crypto as crypto;
use serde_json::json;

const MAX: usize = 8192;

fn verifying(key: &SigningKey) -> VerifyingKey {
    VerifyingKey::from_jwk(key.public(), key.algorithm()).unwrap()
}

fn check(token: &str, key: &VerifyingKey) -> Result<Vec<u8>, JwsError> {
    Compact::parse(token, MAX)?.verify_with(key).map(<[u8]>::to_vec)
}

fn refusal(token: &str) -> JwsError {
    Compact::parse(token, MAX).err().unwrap()
}

fn with_header(header: &str) -> String {
    format!("{}.e30.{}", URL_SAFE_NO_PAD.encode(header), "A".repeat(86))
}

/// Every token of `key` with its signature replaced.
fn resigned(token: &str, signature: &[u8]) -> String {
    let (input, _) = token.rsplit_once('.').unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn signature_of(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token.rsplit_once('.').unwrap().1).unwrap()
}

#[test]
fn verifies_the_examples_of_the_rfcs() {
    let claims =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let rfc_7515_a3 = format!(
        "eyJhbGciOiJFUzI1NiJ9.{claims}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    let rfc_7515_a2 = format!(
        "eyJhbGciOiJSUzI1NiJ9.{claims}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    );
    let rfc_8037_a4 = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    for (token, algorithm, jwk) in [
        (
            rfc_7515_a3.as_str(),
            Algorithm::ES256,
            json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                   "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}),
        ),
        (&rfc_7515_a2, Algorithm::RS256, json!({"kty": "RSA", "n": n, "e": "AQAB"})),
        (
            rfc_8037_a4,
            Algorithm::EdDSA,
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
        ),
    ] {
        let jwk: Jwk = serde_json::from_value(jwk).unwrap();
        let key = VerifyingKey::from_jwk(&jwk, algorithm).unwrap();
        assert!(check(token, &key).is_ok(), "{algorithm}");
        let mut changed = signature_of(token);
        changed[10] ^= 1;
        assert_eq!(check(&resigned(token, &changed), &key), Err(JwsError::Signature));
    }
}

#[test]
fn ed25519_signs_as_rfc_8032_section_7_1() {
    for (seed, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
    ] {
        let der = hex::decode(format!("302e020100300506032b657004220420{seed}")).unwrap();
        let key = SigningKey::from_pkcs8(Algorithm::EdDSA, &der).unwrap();
        assert_eq!(hex::encode(key.sign(&hex::decode(message).unwrap())), signature);
        assert_eq!(key.to_pkcs8().reveal(), &der);
    }
}

#[test]
fn signs_tokens_that_verify_and_keys_survive_storage() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let stored = SigningKey::from_pkcs8(algorithm, key.to_pkcs8().reveal()).unwrap();
        assert_eq!(stored.public(), key.public());
        let token = stored.compact("at+jwt", br#"{"sub":"agt_1"}"#);
        let parsed = Compact::parse(&token, MAX).unwrap();
        assert_eq!((parsed.header().alg, parsed.header().kid.as_deref()), (algorithm, Some(key.kid())));
        assert!(parsed.header().is_typ("application/AT+JWT") && !parsed.header().is_typ("JWT"));
        assert_eq!(parsed.verify_with(&verifying(&key)).unwrap(), br#"{"sub":"agt_1"}"#);

        let other = SigningKey::generate(algorithm).unwrap();
        assert_eq!(check(&token, &verifying(&other)), Err(JwsError::Signature));
        for foreign in Algorithm::ALL.into_iter().filter(|foreign| *foreign != algorithm) {
            let refused = SigningKey::from_pkcs8(foreign, key.to_pkcs8().reveal()).err();
            assert_eq!(refused, Some(KeyError::Private(foreign)));
            assert_eq!(VerifyingKey::from_jwk(key.public(), foreign).err(), Some(KeyError::Kind(foreign)));
        }
    }
    assert!(SigningKey::from_pkcs8(Algorithm::ES256, b"no key").is_err());
}

#[test]
fn a_typ_cannot_break_out_of_the_header() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let token = key.compact(r#"x","alg":"none"#, b"{}");
    assert_eq!(Compact::parse(&token, MAX).unwrap().header().typ.as_deref(), Some(r#"x","alg":"none"#));
}

#[test]
fn the_header_never_chooses_the_algorithm() {
    let es256 = SigningKey::generate(Algorithm::ES256).unwrap();
    let eddsa = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let token = eddsa.compact("JWT", b"{}");
    let mismatch = JwsError::AlgorithmMismatch { header: Algorithm::EdDSA, key: Algorithm::ES256 };
    assert_eq!(check(&token, &verifying(&es256)), Err(mismatch));
    // An HMAC under the public key, the classic confusion, does not even parse; nor does any form of none.
    for name in ["none", "None", "nOnE", "", "HS256", "ES256K", "ES384", "es256", "PS256", "Ed25519 "] {
        assert_eq!(refusal(&with_header(&json!({"alg": name}).to_string())), JwsError::Algorithm, "{name}");
    }
    assert_eq!(refusal(&with_header("{}")), JwsError::Algorithm);
    let unsigned = format!("{}.e30.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#));
    assert_eq!(refusal(&unsigned), JwsError::Algorithm);
}

#[test]
fn headers_that_name_keys_or_repeat_themselves_are_refused() {
    for member in ["crit", "b64", "jku", "jwk", "x5u", "x5c"] {
        let header = json!({"alg": "ES256", member: ["https://attacker.example/keys"]});
        assert_eq!(refusal(&with_header(&header.to_string())), JwsError::RefusedMember(member));
    }
    for header in [
        r#"{"alg":"ES256","alg":"EdDSA"}"#,
        r#"{"alg":"ES256","x":1,"x":2}"#,
        r#"{"alg":"ES256","\u0061lg":"EdDSA"}"#,
        r#"{"alg":["ES256"]}"#,
        r#"{"alg":"ES256","kid":7}"#,
        r#"{"alg":"ES256"} {}"#,
        r#"["ES256"]"#,
        "",
    ] {
        assert_eq!(refusal(&with_header(header)), JwsError::Header, "{header}");
    }
    assert!(Compact::parse(&with_header(r#"{"alg":"ES256","x5t":"a","cty":"JWT"}"#), MAX).is_ok());
}

#[test]
fn a_token_has_one_text() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let token = key.compact("JWT", b"{}");
    let (input, signature) = token.rsplit_once('.').unwrap();
    // 64 bytes leave four bits in the last character; setting them changes no byte.
    let last = signature.chars().last().unwrap();
    let loose = char::from(last as u8 + 1);
    let padded = URL_SAFE.encode(signature_of(&token));
    for other in [
        format!("{input}.{}{loose}", &signature[..85]),
        format!("{input}.{padded}"),
        format!("{token}."),
        format!("{token}.e30"),
        format!(" {token}"),
        format!("{token}\n"),
        token.replace('.', ".."),
        input.to_owned(),
        String::new(),
    ] {
        assert_eq!(refusal(&other), JwsError::Form, "{other}");
    }
    assert!(Compact::parse(&token, token.len()).is_ok());
    assert_eq!(Compact::parse(&token, token.len() - 1).err(), Some(JwsError::TooLong(token.len() - 1)));
}

#[test]
fn forged_and_damaged_signatures_are_refused() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let public = verifying(&key);
        let token = key.compact("JWT", br#"{"sub":"a"}"#);
        let good = signature_of(&token);
        let mut forged =
            vec![vec![], vec![0; good.len()], vec![0xff; good.len()], [&good[..], &[0]].concat()];
        forged.extend((1..good.len()).map(|end| good[..end].to_vec()));
        forged.extend((0..good.len() * 8).map(|bit| {
            let mut changed = good.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            changed
        }));
        for signature in forged {
            assert_eq!(check(&resigned(&token, &signature), &public), Err(JwsError::Signature));
        }
        let payload = URL_SAFE_NO_PAD.encode(br#"{"sub":"b"}"#);
        let header = token.split_once('.').unwrap().0;
        let moved = format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(&good));
        assert_eq!(check(&moved, &public), Err(JwsError::Signature));
    }
}

#[test]
fn ecdsa_refuses_the_edges_of_r_and_s() {
    let order = hex::decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").unwrap();
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let token = key.compact("JWT", b"{}");
    let good = signature_of(&token);
    let (r, s) = good.split_at(32);
    let (zero, one) = (vec![0; 32], [vec![0; 31], vec![1]].concat());
    for (r, s) in [
        (&zero[..], &zero[..]),
        (&zero, s),
        (r, &zero),
        (&zero, &one),
        (&one, &zero),
        (&order, &zero),
        (&zero, &order),
        (&order, &order),
        (r, &order),
        (&order, s),
        (&one, &one),
        (s, r),
    ] {
        assert_eq!(check(&resigned(&token, &[r, s].concat()), &verifying(&key)), Err(JwsError::Signature));
    }
}

/// RFC 8032 §5.1.7: S must be below the group order, else a second signature exists for the same message.
#[test]
fn ed25519_refuses_a_second_form_of_s() {
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let token = key.compact("JWT", b"{}");
    let mut signature = signature_of(&token);
    let mut carry = 0;
    for (byte, added) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(added) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(check(&resigned(&token, &signature), &verifying(&key)), Err(JwsError::Signature));
}

proptest! {
    #[test]
    fn parsing_foreign_text_is_total(text in "\\PC{0,120}", header in "\\PC{0,60}", tail in "[A-Za-z0-9_.-]{0,80}") {
        let _ = Compact::parse(&text, MAX);
        let _ = Compact::parse(&format!("{}.{tail}", URL_SAFE_NO_PAD.encode(header)), MAX);
    }

    #[test]
    fn any_changed_character_is_refused(at in 0_usize..200, other in "[A-Za-z0-9_.-]") {
        let der = hex::decode("302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let key = SigningKey::from_pkcs8(Algorithm::EdDSA, &der).unwrap();
        let token = key.compact("at+jwt", br#"{"sub":"agt_01h455vb4pex5vsknk084sn02q"}"#);
        let at = at % token.len();
        let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
        prop_assert_eq!(check(&changed, &verifying(&key)).is_ok(), changed == token);
    }
}
