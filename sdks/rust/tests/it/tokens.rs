//! Tokens on the wire.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use safeconduct_client::{RoleFilter, SigningKey};
use serde_json::Value;

use crate::scripted::{Answer, Request, Scripted, ok, problem};

const ROLES: &str = r#"{"items": [], "next_cursor": null}"#;

/// Issues `t1`, `t2`, …; `accepts` says which of them open the door.
fn server(accepts: fn(&str) -> bool) -> Scripted {
    let issued = std::sync::atomic::AtomicU32::new(0);
    Scripted::new(move |_, request| answer(request, &issued, accepts))
}

fn answer(request: &Request, issued: &std::sync::atomic::AtomicU32, accepts: fn(&str) -> bool) -> Answer {
    match request.line.split(' ').nth(1).unwrap() {
        "/.well-known/oauth-authorization-server" => {
            ok(r#"{"issuer": "https://known.example", "token_endpoint": "", "jwks_uri": ""}"#)
        }
        "/oauth2/token" => {
            let number = issued.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
            let token = r#"{"access_token": "tN", "token_type": "Bearer", "expires_in": 600, "scope": ""}"#;
            ok(&token.replace('N', &number.to_string()))
        }
        _ if request.header("authorization").is_some_and(accepts) => ok(ROLES),
        _ => problem(401, "", "invalid_token"),
    }
}

#[tokio::test]
async fn a_secret_goes_by_basic_and_the_token_is_kept() {
    let server = server(|bearer| bearer == "Bearer t1");
    let client = server.builder().client_secret("agt_1", "sfc:+% é").build().unwrap();
    for _ in 0..3 {
        client.roles().list(&RoleFilter::default()).await.unwrap();
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 4, "one token for three calls");
    let basic = seen[0].header("authorization").unwrap().strip_prefix("Basic ").unwrap().to_owned();
    // RFC 6749 §2.3.1: both halves are form-encoded first.
    assert_eq!(STANDARD.decode(basic).unwrap(), b"agt_1:sfc%3A%2B%25+%C3%A9");
    assert_eq!(seen[0].body, "grant_type=client_credentials");
}

#[tokio::test]
async fn a_key_signs_for_the_issuer_as_it_calls_itself() {
    let server = server(|_| true);
    let key = SigningKey::generate().unwrap();
    let client = server.builder().private_key("agt_1", key).build().unwrap();
    client.roles().list(&RoleFilter::default()).await.unwrap();
    let body = server.seen()[1].body.clone();
    let assertion = body.rsplit_once("client_assertion=").unwrap().1.split('&').next().unwrap();
    let claims = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["iss"], &claims["sub"]), (&"agt_1".into(), &"agt_1".into()));
    assert_eq!(claims["aud"], "https://known.example");
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 60);
    assert!(claims["jti"].as_str().is_some_and(|jti| jti.len() == 24));
}

#[tokio::test]
async fn a_token_that_died_early_is_replaced_once() {
    let server = server(|bearer| bearer == "Bearer t2");
    let client = server.builder().client_secret("agt_1", "s").build().unwrap();
    client.roles().list(&RoleFilter::default()).await.unwrap();
    assert_eq!(server.seen().len(), 4, "token, refused, token, accepted");

    let server = self::server(|_| false);
    let client = server.builder().client_secret("agt_1", "s").build().unwrap();
    assert_eq!(client.roles().list(&RoleFilter::default()).await.unwrap_err().code(), "invalid_token");
    assert_eq!(server.seen().len(), 4, "no third token");
}

#[tokio::test]
async fn a_given_token_is_all_there_is() {
    let server = server(|_| false);
    let client = server.builder().token("dead").build().unwrap();
    assert_eq!(client.roles().list(&RoleFilter::default()).await.unwrap_err().code(), "invalid_token");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_token_never_follows_to_another_place() {
    let thief = Scripted::new(|_, _| ok(ROLES));
    let to: &'static str = Box::leak(format!("Location: {}/\r\n", thief.url).into_boxed_str());
    let server = Scripted::new(move |_, _| Answer::Http(307, to, String::new()));
    let error = server
        .builder()
        .token("secret")
        .build()
        .unwrap()
        .roles()
        .list(&RoleFilter::default())
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(307));
    assert!(thief.seen().is_empty());
}
