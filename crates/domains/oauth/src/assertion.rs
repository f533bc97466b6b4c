//! Client assertions: `private_key_jwt` (RFC 7523 §2.2, §3). Pure; which keys an agent has and whether the `jti` was used
//! before is asked elsewhere.

use std::time::Duration;

use crypto::jwk::Jwk;
use crypto::jws::{Algorithm, Compact, VerifyingKey};
use crypto::jwt::{Audience, date, some_date};
use serde::Deserialize;
use types::{AgentId, Id, Timestamp};

/// `client_assertion_type`.
pub(crate) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const LONGEST: usize = 8 * 1024;
/// How far ahead an assertion may expire: for so long its `jti` is remembered.
const LONGEST_LIFETIME: Duration = Duration::from_secs(600);
const LONGEST_JTI: usize = 256;

/// What an assertion claims before its signature is checked.
pub(crate) struct Assertion<'a> {
    compact: Compact<'a>,
    claims: Claims,
    pub(crate) client: AgentId,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    #[serde(deserialize_with = "date")]
    exp: i64,
    #[serde(default, deserialize_with = "some_date")]
    nbf: Option<i64>,
    #[serde(default, deserialize_with = "some_date")]
    iat: Option<i64>,
    jti: String,
}

impl<'a> Assertion<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let compact =
            Compact::parse(text, LONGEST).map_err(|_| "the assertion is no signed JWT of ours to read")?;
        let header = compact.header();
        // An access token, or a JWT made for something else, is no assertion.
        let typed =
            header.typ.is_none() || header.is_typ("JWT") || header.is_typ("client-authentication+jwt");
        if !typed {
            return Err("the assertion has another typ");
        }
        let claims: Claims = serde_json::from_slice(compact.unverified_payload())
            .map_err(|_| "the assertion lacks a claim, or one has another type")?;
        if claims.iss != claims.sub {
            return Err("iss and sub of the assertion differ");
        }
        let client = claims.sub.parse().map_err(|_| "the assertion's sub is no agent")?;
        Ok(Self { compact, claims, client })
    }

    /// Whether a key goes by the name in the header; without a name every key may be tried.
    pub(crate) fn names(&self, jwk: &Jwk) -> bool {
        match &self.compact.header().kid {
            None => true,
            Some(kid) => jwk.kid.as_deref() == Some(kid) || jwk.thumbprint() == *kid,
        }
    }

    pub(crate) fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        self.compact.verify_with(key).is_ok()
    }

    /// Meant for this issuer alone, and in time.
    pub(crate) fn check(
        &self,
        audiences: [&str; 2],
        now: Timestamp,
        skew: Duration,
    ) -> Result<(), &'static str> {
        let audience = self.claims.aud.only().ok_or("the assertion has several audiences")?;
        if !audiences.contains(&audience) {
            return Err("the assertion is meant for another audience");
        }
        let (early, late) = (now.minus(skew).seconds(), now.plus(skew).seconds());
        if self.claims.exp <= early {
            return Err("the assertion has expired");
        }
        if self.claims.exp > now.plus(skew + LONGEST_LIFETIME).seconds() {
            return Err("the assertion lives for more than ten minutes");
        }
        if self.claims.nbf.is_some_and(|nbf| nbf > late) || self.claims.iat.is_some_and(|iat| iat > late) {
            return Err("the assertion is from the future");
        }
        if self.claims.jti.is_empty() || self.claims.jti.len() > LONGEST_JTI {
            return Err("the assertion's jti is empty or too long");
        }
        Ok(())
    }

    /// What stands for client and `jti` among the used ones, and until when it must.
    pub(crate) fn single_use(&self, skew: Duration) -> ([u8; 32], Timestamp) {
        let client = self.client.uuid();
        let name = crypto::hash::sha256_concat(&[client.as_bytes(), self.claims.jti.as_bytes()]);
        let end = Timestamp::from_millis(self.claims.exp.saturating_mul(1000));
        // A second more: exp was rounded down.
        (name, end.plus(skew + Duration::from_secs(1)))
    }
}

/// What assertions may be signed with.
pub(crate) fn algorithms() -> Vec<&'static str> {
    Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect()
}

#[cfg(test)]
mod tests {
    use crypto::jws::SigningKey;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use types::World;

    use super::*;

    const ISSUER: &str = "https://sc.example";
    const ENDPOINT: &str = "https://sc.example/oauth2/token";
    const SKEW: Duration = Duration::from_secs(30);

    fn now() -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000)
    }

    fn claims() -> Value {
        let agent = World::system().id::<AgentId>().to_string();
        let exp = now().seconds() + 60;
        json!({"iss": agent, "sub": agent, "aud": ISSUER, "exp": exp, "iat": exp - 60, "jti": "a"})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    fn token(typ: &str, claims: &Value) -> String {
        let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
        key.compact(typ, &serde_json::to_vec(claims).unwrap())
    }

    fn check(claims: &Value) -> Result<(), &'static str> {
        Assertion::parse(&token("JWT", claims))?.check([ISSUER, ENDPOINT], now(), SKEW)
    }

    #[test]
    fn accepts_the_issuer_or_its_token_endpoint_as_the_one_audience() {
        for aud in [json!(ISSUER), json!(ENDPOINT), json!([ISSUER])] {
            assert_eq!(check(&with("aud", aud.clone())), Ok(()), "{aud}");
        }
        for aud in [
            json!("https://sc.example/"),
            json!("https://sc.example/o/other"),
            json!("https://sc.example/api"),
            json!([]),
            json!([ISSUER, ENDPOINT]),
            json!([ISSUER, "https://evil.example"]),
            json!(null),
        ] {
            assert!(check(&with("aud", aud.clone())).is_err(), "{aud}");
        }
    }

    #[test]
    fn times_have_bounds_with_skew() {
        let at = |seconds: i64| json!(now().seconds() + seconds);
        for (name, value, fits) in [
            ("exp", at(-29), true),
            ("exp", at(-30), false),
            ("exp", at(630), true),
            ("exp", at(632), false),
            ("exp", json!(1e300), false),
            ("exp", json!(-1e300), false),
            ("exp", json!(now().seconds() as f64 + 10.5), true),
            ("exp", json!("1800000060"), false),
            ("nbf", at(30), true),
            ("nbf", at(32), false),
            ("iat", at(30), true),
            ("iat", at(32), false),
            ("iat", at(-100_000), true),
        ] {
            assert_eq!(check(&with(name, value.clone())).is_ok(), fits, "{name} {value}");
        }
    }

    #[test]
    fn every_claim_is_needed_and_the_client_speaks_for_itself() {
        for name in ["iss", "sub", "aud", "exp", "jti"] {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(name);
            assert!(check(&claims).is_err(), "{name}");
        }
        for (name, value) in [
            ("iss", json!(World::system().id::<AgentId>().to_string())),
            ("sub", json!("usr_01h455vb4pex5vsknk084sn02q")),
            ("jti", json!("")),
            ("jti", json!("x".repeat(257))),
            ("jti", json!(7)),
        ] {
            assert!(check(&with(name, value.clone())).is_err(), "{name} {value}");
        }
    }

    #[test]
    fn only_jwts_made_for_this_are_read() {
        for (typ, fits) in [
            ("JWT", true),
            ("jwt", true),
            ("client-authentication+jwt", true),
            ("at+jwt", false),
            ("dpop+jwt", false),
        ] {
            assert_eq!(Assertion::parse(&token(typ, &claims())).is_ok(), fits, "{typ}");
        }
    }

    #[test]
    fn a_key_is_found_by_its_name_and_keeps_its_algorithm() {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let text = key.compact("JWT", &serde_json::to_vec(&claims()).unwrap());
        let assertion = Assertion::parse(&text).unwrap();
        let other = SigningKey::generate(Algorithm::ES256).unwrap();
        assert!(assertion.names(key.public()) && !assertion.names(other.public()));
        assert!(assertion.is_signed_by(&VerifyingKey::of(key.public()).unwrap()));
        assert!(!assertion.is_signed_by(&VerifyingKey::of(other.public()).unwrap()));
        let named = Jwk { kid: Some("mine".into()), ..key.public().clone() };
        assert!(assertion.names(&named), "the thumbprint is always a name");
        for alg in ["RS256", "HS256", "none", "ES384"] {
            assert!(
                VerifyingKey::of(&Jwk { alg: Some(alg.into()), ..key.public().clone() }).is_err(),
                "{alg}"
            );
        }
    }

    #[test]
    fn the_name_of_a_use_is_of_client_and_jti_and_outlives_the_assertion() {
        let text = token("JWT", &claims());
        let assertion = Assertion::parse(&text).unwrap();
        let (name, until) = assertion.single_use(SKEW);
        assert!(until > now().plus(Duration::from_secs(60) + SKEW));
        let same = token(
            "JWT",
            &json!({"exp": 1, "aud": "x", "jti": "a", "iss": assertion.client, "sub": assertion.client}),
        );
        assert_eq!(Assertion::parse(&same).unwrap().single_use(SKEW).0, name);
        let text = token("JWT", &claims());
        assert_ne!(
            Assertion::parse(&text).unwrap().single_use(SKEW).0,
            name,
            "another client's jti is its own"
        );
    }

    proptest! {
        #[test]
        fn parsing_is_total(text in "\\PC{0,80}") {
            let _ = Assertion::parse(&text);
        }

        #[test]
        fn parsing_any_claims_is_total(payload in prop::collection::vec(any::<u8>(), 0..80)) {
            let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
            prop_assert!(Assertion::parse(&key.compact("JWT", &payload)).is_err());
        }
    }
}
