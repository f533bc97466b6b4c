//! Signatures over bodies: GitHub (`X-Hub-Signature-256`), Stripe (`Stripe-Signature`), Slack (`X-Slack-Signature`),
//! Standard Webhooks 1.0.0, and whatever else is an HMAC in a header.

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use crypto::hash::sha256_concat;
use crypto::mac::{MacHash, tag_with};
use types::{Secret, Timestamp};

use super::{Doubt, Proof, Sent, only};
use crate::hooks::model::{Authentication, Encoding, Hash, Preset};

/// Signatures in one header that are looked at.
const MOST: usize = 10;

/// What is signed, and the signatures shown for it.
struct Shown<'a> {
    signatures: Vec<Vec<u8>>,
    /// Before the body.
    head: String,
    /// When, if it is said.
    at: Option<&'a str>,
    hash: MacHash,
}

pub(super) fn verify(
    by: &Authentication,
    secrets: &[Secret<String>],
    sent: &Sent<'_>,
) -> Result<Proof, Doubt> {
    let preset = by.preset.unwrap_or(Preset::Generic);
    let shown = match preset {
        Preset::Github => github(sent.headers),
        Preset::Stripe => stripe(sent.headers),
        Preset::Slack => slack(sent.headers),
        Preset::StandardWebhooks => standard(sent.headers),
        Preset::Generic => generic(by, sent.headers),
    }?;
    if shown.signatures.is_empty() {
        return Err(Doubt::Missing);
    }
    let message: [&[u8]; 2] = [shown.head.as_bytes(), sent.body];
    let mut found = false;
    for secret in secrets {
        let Some(key) = key_of(preset, secret) else { continue };
        let tag = tag_with(shown.hash, &key, &message);
        for signature in shown.signatures.iter().take(MOST) {
            found |= crypto::eq(&tag, signature);
        }
    }
    if !found {
        return Err(Doubt::Wrong);
    }
    // The time is believed only now.
    let Some(at) = shown.at else { return Ok(Proof::Plain) };
    let seconds: i64 = at.parse().map_err(|_| Doubt::Missing)?;
    let at = Timestamp::from_millis(seconds.saturating_mul(1000));
    let tolerance = i64::try_from(sent.tolerance.as_millis()).unwrap_or(i64::MAX);
    if sent.now.millis().abs_diff(at.millis()) > tolerance.unsigned_abs() {
        return Err(Doubt::Late);
    }
    // Once more, since a clock may go back as far as it was let.
    let until = at.plus(sent.tolerance).plus(sent.tolerance);
    Ok(Proof::Timed { message: sha256_concat(&message), until })
}

/// The bytes that sign. Standard Webhooks writes them in base64 behind `whsec_`; none if that is not so.
pub(crate) fn key_of(preset: Preset, secret: &Secret<String>) -> Option<Vec<u8>> {
    match preset {
        Preset::StandardWebhooks => {
            let text = secret.reveal();
            let key = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok()?;
            (key.len() >= 16).then_some(key)
        }
        _ => Some(secret.reveal().as_bytes().to_vec()),
    }
}

fn github(headers: &HeaderMap) -> Result<Shown<'_>, Doubt> {
    let value = only(headers, "x-hub-signature-256")?;
    let signature = value.strip_prefix("sha256=").and_then(|text| hex::decode(text).ok());
    Ok(Shown {
        signatures: vec![signature.ok_or(Doubt::Missing)?],
        head: String::new(),
        at: None,
        hash: MacHash::Sha256,
    })
}

/// `t=…,v1=…,v1=…`; schemes other than `v1` do not count.
fn stripe(headers: &HeaderMap) -> Result<Shown<'_>, Doubt> {
    let pairs: Vec<(&str, &str)> = only(headers, "stripe-signature")?
        .split(',')
        .filter_map(|pair| pair.trim().split_once('='))
        .collect();
    let mut times = pairs.iter().filter(|(name, _)| *name == "t").map(|(_, at)| *at);
    let (Some(at), None) = (times.next(), times.next()) else { return Err(Doubt::Missing) };
    let signatures = pairs.iter().filter(|(name, _)| *name == "v1");
    Ok(Shown {
        signatures: signatures.filter_map(|(_, text)| hex::decode(text).ok()).collect(),
        head: format!("{at}."),
        at: Some(at),
        hash: MacHash::Sha256,
    })
}

fn slack(headers: &HeaderMap) -> Result<Shown<'_>, Doubt> {
    let at = only(headers, "x-slack-request-timestamp")?;
    let value = only(headers, "x-slack-signature")?;
    let signature = value.strip_prefix("v0=").and_then(|text| hex::decode(text).ok());
    Ok(Shown {
        signatures: vec![signature.ok_or(Doubt::Missing)?],
        head: format!("v0:{at}:"),
        at: Some(at),
        hash: MacHash::Sha256,
    })
}

/// `v1,… v1,…`; asymmetric `v1a` does not count.
fn standard(headers: &HeaderMap) -> Result<Shown<'_>, Doubt> {
    let id = only(headers, "webhook-id")?;
    let at = only(headers, "webhook-timestamp")?;
    // The signed text would have two readings.
    if id.is_empty() || id.contains('.') {
        return Err(Doubt::Missing);
    }
    let listed = only(headers, "webhook-signature")?.split(' ').filter_map(|one| one.strip_prefix("v1,"));
    Ok(Shown {
        signatures: listed.filter_map(|text| STANDARD.decode(text).ok()).collect(),
        head: format!("{id}.{at}."),
        at: Some(at),
        hash: MacHash::Sha256,
    })
}

fn generic<'a>(by: &Authentication, headers: &'a HeaderMap) -> Result<Shown<'a>, Doubt> {
    let value = only(headers, by.header.as_deref().unwrap_or_default())?;
    let text = value.strip_prefix(by.prefix.as_deref().unwrap_or_default()).ok_or(Doubt::Missing)?;
    let signature = match by.encoding.unwrap_or(Encoding::Hex) {
        Encoding::Hex => hex::decode(text).ok(),
        Encoding::Base64 => STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok(),
    };
    let at = by.timestamp_header.as_deref().map(|name| only(headers, name)).transpose()?;
    Ok(Shown {
        signatures: vec![signature.ok_or(Doubt::Missing)?],
        head: at.map(|at| format!("{at}.")).unwrap_or_default(),
        at,
        hash: match by.algorithm.unwrap_or(Hash::Sha256) {
            Hash::Sha256 => MacHash::Sha256,
            Hash::Sha512 => MacHash::Sha512,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(300);

    struct Case<'a> {
        by: &'a str,
        secret: &'a str,
        headers: Vec<(&'a str, String)>,
        body: &'a [u8],
        now: i64,
    }

    impl Case<'_> {
        fn verify(&self) -> Result<Proof, Doubt> {
            let mut headers = HeaderMap::new();
            for (name, value) in &self.headers {
                headers.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(value).unwrap());
            }
            let by: Authentication = serde_json::from_str(self.by).unwrap();
            let secrets =
                ["not this one, but it is tried".to_owned(), self.secret.to_owned()].map(Secret::new);
            let now = Timestamp::from_millis(self.now * 1000);
            verify(&by, &secrets, &Sent { headers: &headers, body: self.body, now, tolerance: WINDOW })
        }
    }

    const GITHUB: &str = r#"{"kind": "hmac", "preset": "github"}"#;
    const SLACK: &str = r#"{"kind": "hmac", "preset": "slack"}"#;
    const STANDARD_WEBHOOKS: &str = r#"{"kind": "hmac", "preset": "standard_webhooks"}"#;
    const STRIPE: &str = r#"{"kind": "hmac", "preset": "stripe"}"#;

    /// The example of GitHub's page "Validating webhook deliveries".
    fn github_example() -> Case<'static> {
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        Case {
            by: GITHUB,
            secret: "It's a Secret to Everybody",
            headers: vec![("x-hub-signature-256", signature.to_owned())],
            body: b"Hello, World!",
            now: 0,
        }
    }

    /// The example of Slack's page "Verifying requests from Slack".
    fn slack_example() -> Case<'static> {
        let signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
        Case {
            by: SLACK,
            secret: "8f742231b10e8888abcd99yyyzzz85a5",
            headers: vec![
                ("x-slack-signature", signature.to_owned()),
                ("x-slack-request-timestamp", "1531420618".to_owned()),
            ],
            body: b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&\
channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&\
response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&\
trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
            now: 1_531_420_618,
        }
    }

    /// The vector that the reference libraries of Standard Webhooks test with.
    fn standard_example() -> Case<'static> {
        Case {
            by: STANDARD_WEBHOOKS,
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            headers: vec![
                ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned()),
                ("webhook-timestamp", "1614265330".to_owned()),
                ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned()),
            ],
            body: br#"{"test": 2432232314}"#,
            now: 1_614_265_330,
        }
    }

    #[test]
    fn the_vendors_own_examples_are_believed() {
        assert_eq!(github_example().verify(), Ok(Proof::Plain));
        for timed in [slack_example(), standard_example()] {
            assert!(matches!(timed.verify(), Ok(Proof::Timed { .. })));
        }
    }

    #[test]
    fn a_changed_body_secret_or_signature_is_not() {
        for example in [github_example, slack_example, standard_example] {
            assert_eq!(Case { body: b"Hello, world!", ..example() }.verify(), Err(Doubt::Wrong));
            let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
            assert_eq!(Case { secret: other, ..example() }.verify(), Err(Doubt::Wrong));
            assert_eq!(Case { headers: Vec::new(), ..example() }.verify(), Err(Doubt::Missing));
            let mut twice = example();
            let first = twice.headers[0].clone();
            twice.headers.push(first);
            assert_eq!(twice.verify(), Err(Doubt::Missing), "which of two headers is meant?");
        }
    }

    #[test]
    fn times_far_from_ours_are_late_whichever_way() {
        for example in [slack_example, standard_example] {
            let now = example().now;
            for (off, good) in [(0, true), (300, true), (301, false), (-300, true), (-301, false)] {
                let verdict = Case { now: now + off, ..example() }.verify();
                assert_eq!(verdict.is_ok(), good, "{off}");
                assert!(good || verdict == Err(Doubt::Late));
            }
        }
    }

    #[test]
    fn one_message_is_known_again_however_its_signature_is_written() {
        let mut again = slack_example();
        again.headers[0].1 = again.headers[0].1.to_uppercase().replace("V0=", "v0=");
        assert_eq!(again.verify(), slack_example().verify());
        let mut again = standard_example();
        again.headers[2].1.push_str(" v1,AAAA v1a,AAAA");
        assert_eq!(again.verify(), standard_example().verify());
    }

    fn hexed(hash: MacHash, key: &str, message: &str) -> String {
        hex::encode(tag_with(hash, key.as_bytes(), &[message.as_bytes()]))
    }

    #[test]
    fn stripes_header_may_hold_several_signatures_and_one_time() {
        let right = hexed(MacHash::Sha256, "whsec_test_secret", "1492774577.{}");
        let tried = |value: String| {
            let headers = vec![("stripe-signature", value)];
            Case { by: STRIPE, secret: "whsec_test_secret", headers, body: b"{}", now: 1_492_774_577 }
                .verify()
        };
        for good in [
            format!("t=1492774577,v1={right}"),
            format!("t=1492774577,v1={},v1={right},v0=00", "00".repeat(32)),
        ] {
            assert!(tried(good.clone()).is_ok(), "{good}");
        }
        for (bad, doubt) in [
            (format!("t=1492774577,v0={right}"), Doubt::Missing),
            (format!("v1={right}"), Doubt::Missing),
            (format!("t=1492774577,t=1492774578,v1={right}"), Doubt::Missing),
            (format!("t=1492774578,v1={right}"), Doubt::Wrong),
            (String::new(), Doubt::Missing),
        ] {
            assert_eq!(tried(bad.clone()), Err(doubt), "{bad}");
        }
    }

    #[test]
    fn a_generic_signature_is_as_it_is_said_to_be() {
        let by = r#"{"kind": "hmac", "preset": "generic", "header": "X-Sig", "algorithm": "sha512", "encoding": "base64",
            "prefix": "s:", "timestamp_header": "X-At"}"#;
        let tag = tag_with(MacHash::Sha512, b"0123456789abcdef", &[b"100.body"]);
        let tried = |value: String, at: &str| {
            let headers = vec![("x-sig", value), ("x-at", at.to_owned())];
            Case { by, secret: "0123456789abcdef", headers, body: b"body", now: 100 }.verify()
        };
        assert!(tried(format!("s:{}", STANDARD.encode(&tag)), "100").is_ok());
        assert!(tried(format!("s:{}", STANDARD_NO_PAD.encode(&tag)), "100").is_ok());
        assert_eq!(tried(STANDARD.encode(&tag), "100"), Err(Doubt::Missing));
        assert_eq!(tried(format!("s:{}", STANDARD.encode(&tag[..32])), "100"), Err(Doubt::Wrong));
        assert_eq!(tried(format!("s:{}", STANDARD.encode(&tag)), "101"), Err(Doubt::Wrong));
        let plain = r#"{"kind": "hmac", "preset": "generic", "header": "X-Sig"}"#;
        let headers = vec![("x-sig", hexed(MacHash::Sha256, "0123456789abcdef", "body"))];
        let case = Case { by: plain, secret: "0123456789abcdef", headers, body: b"body", now: 0 };
        assert_eq!(case.verify(), Ok(Proof::Plain));
    }

    proptest! {
        #[test]
        fn nothing_that_is_made_up_is_believed(value in "[ -~]{0,120}", at in "[ -~]{0,20}", preset in 0..4_usize) {
            let names = [
                ("x-hub-signature-256", "x-unused", GITHUB),
                ("stripe-signature", "x-unused", STRIPE),
                ("x-slack-signature", "x-slack-request-timestamp", SLACK),
                ("webhook-signature", "webhook-timestamp", STANDARD_WEBHOOKS),
            ];
            let (name, time, by) = names[preset];
            let headers = vec![(name, value), (time, at), ("webhook-id", "msg".to_owned())];
            let case = Case { by, secret: "0123456789abcdef", headers, body: b"x", now: 0 };
            prop_assert!(case.verify().is_err());
        }
    }
}
