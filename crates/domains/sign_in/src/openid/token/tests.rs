//! Each rule with the forgery that it stops.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::jws::{Algorithm, SigningKey};
use serde_json::json;

use super::*;

const ISSUER: &str = "https://id.example";
const US: &str = "safeconduct";

fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}

fn expected() -> Expected<'static> {
    Expected {
        issuer: ISSUER,
        audience: US,
        nonce: Some("n"),
        is_to_us: true,
        now: now(),
        skew: Duration::from_secs(30),
    }
}

fn claims() -> Value {
    let at = now().seconds();
    json!({ "iss": ISSUER, "sub": "42", "aud": US, "nonce": "n", "exp": at + 60, "iat": at })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn key(algorithm: Algorithm) -> (SigningKey, Jwk) {
    let key = SigningKey::generate(algorithm).unwrap();
    let public = Jwk { kid: Some(key.kid().to_owned()), ..key.public().clone() };
    (key, public)
}

fn check(claims: &Value) -> Result<Map<String, Value>, Trouble> {
    let (key, public) = key(Algorithm::ES256);
    let token = key.compact("JWT", &serde_json::to_vec(claims).unwrap());
    verify(&Compact::parse(&token, LONGEST)?, &[public], &expected())
}

#[test]
fn a_token_of_each_algorithm_is_read() {
    for algorithm in Algorithm::ALL {
        let (key, public) = key(algorithm);
        let token = key.compact("JWT", &serde_json::to_vec(&claims()).unwrap());
        let found = verify(&Compact::parse(&token, LONGEST).unwrap(), &[public], &expected()).unwrap();
        assert_eq!(found["sub"], "42");
    }
}

#[test]
fn what_is_not_for_us_now_is_refused() {
    let at = |seconds: i64| json!(now().seconds() + seconds);
    for (name, value, fits) in [
        ("iss", json!("https://id.example/"), false),
        ("iss", json!("https://evil.example"), false),
        ("aud", json!("other"), false),
        ("aud", json!([US]), true),
        ("aud", json!([US, "other"]), false),
        ("aud", json!([]), false),
        ("azp", json!("other"), false),
        ("azp", json!(US), true),
        ("nonce", json!("m"), false),
        ("nonce", json!(null), false),
        ("sub", json!(""), false),
        ("sub", json!("x".repeat(256)), false),
        ("sub", json!(42), false),
        ("exp", at(-29), true),
        ("exp", at(-30), false),
        ("exp", json!("later"), false),
        ("iat", at(30), true),
        ("iat", at(31), false),
        ("nbf", at(31), false),
    ] {
        assert_eq!(check(&with(name, value.clone())).is_ok(), fits, "{name} {value}");
    }
    let mut to_us = with("aud", json!([US, "other"]));
    to_us["azp"] = json!(US);
    assert!(check(&to_us).is_ok());
    for name in ["iss", "sub", "aud", "exp", "nonce"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        assert!(check(&claims).is_err(), "{name}");
    }
}

#[test]
fn only_the_issuers_keys_count_and_only_for_what_they_are_for() {
    let (ours, public) = key(Algorithm::ES256);
    let (theirs, other) = key(Algorithm::ES256);
    let body = serde_json::to_vec(&claims()).unwrap();
    let token = theirs.compact("JWT", &body);
    let token = Compact::parse(&token, LONGEST).unwrap();
    assert!(verify(&token, std::slice::from_ref(&public), &expected()).is_err(), "a stranger's key");
    // Under the name of ours.
    let renamed = Jwk { kid: Some(theirs.kid().to_owned()), ..public.clone() };
    assert!(verify(&token, &[renamed], &expected()).is_err());
    let other_use = Jwk { alg: Some("ES384".into()), ..other.clone() };
    assert!(verify(&token, &[other_use], &expected()).is_err());
    assert!(verify(&token, &[public, other], &expected()).is_ok());
    for typ in ["at+jwt", "logout+jwt", "dpop+jwt"] {
        let token = ours.compact(typ, &body);
        let public = Jwk { kid: Some(ours.kid().to_owned()), ..ours.public().clone() };
        assert!(verify(&Compact::parse(&token, LONGEST).unwrap(), &[public], &expected()).is_err(), "{typ}");
    }
}

#[test]
fn a_token_without_a_signature_or_with_a_symmetric_one_is_not_even_read() {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    for alg in ["none", "None", "HS256", "PS256", "RS1", ""] {
        let token = format!("{}.{}.", encode(&json!({ "alg": alg, "typ": "JWT" })), encode(&claims()));
        assert!(Compact::parse(&token, LONGEST).is_err(), "{alg}");
    }
}

#[test]
fn claims_inside_of_others_are_found_by_a_pointer() {
    let claims = json!({ "groups": ["a"], "realm_access": { "roles": ["b"] }, "https://x.example/y": ["c"] });
    let claims = claims.as_object().unwrap();
    assert_eq!(claim(claims, "groups"), Some(&json!(["a"])));
    assert_eq!(claim(claims, "/realm_access/roles"), Some(&json!(["b"])));
    assert_eq!(claim(claims, "https://x.example/y"), Some(&json!(["c"])));
    assert_eq!(claim(claims, "/realm_access/none"), None);
    assert_eq!(claim(claims, "/"), None);
}
