//! User name and password (RFC 7617).

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto::hash::sha256;
use types::Secret;

use super::{Doubt, only};
use crate::hooks::model::Authentication;

pub(super) fn verify(
    by: &Authentication,
    secrets: &[Secret<String>],
    headers: &HeaderMap,
) -> Result<(), Doubt> {
    let value = only(headers, header::AUTHORIZATION.as_str())?;
    let (scheme, text) = value.split_once(' ').ok_or(Doubt::Missing)?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Err(Doubt::Missing);
    }
    let shown = STANDARD.decode(text.trim()).map_err(|_| Doubt::Missing)?;
    let username = by.username.as_deref().unwrap_or_default();
    // Hashes have one length: how long the comparison takes tells nothing.
    let shown = sha256(&shown);
    let same = |secret: &Secret<String>| {
        crypto::eq(&shown, &sha256(format!("{username}:{}", secret.reveal()).as_bytes()))
    };
    // Each is looked at, whichever it is.
    let found = secrets.iter().map(same).fold(false, |found, same| found | same);
    if found { Ok(()) } else { Err(Doubt::Wrong) }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn tried(value: &str) -> Result<(), Doubt> {
        let by: Authentication = serde_json::from_str(r#"{"kind": "basic", "username": "Aladdin"}"#).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        let secrets = ["another password".to_owned(), "open sesame".to_owned()].map(Secret::new);
        verify(&by, &secrets, &headers)
    }

    /// The example of RFC 7617 §2.
    #[test]
    fn names_and_passwords_are_held_against_each_secret() {
        assert_eq!(tried("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), Ok(()));
        assert_eq!(tried("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), Ok(()));
        for (wrong, doubt) in [
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZSE=", Doubt::Wrong),
            ("Basic YWxhZGRpbjpvcGVuIHNlc2FtZQ==", Doubt::Wrong),
            ("Basic !", Doubt::Missing),
            ("Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", Doubt::Missing),
            ("Basic", Doubt::Missing),
        ] {
            assert_eq!(tried(wrong), Err(doubt), "{wrong}");
        }
    }
}
