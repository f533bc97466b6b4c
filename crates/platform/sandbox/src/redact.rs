//! Takes secrets out of what others get to read: log lines, errors, answers.
//!
//! Against carelessness, not against code that wants a secret out: such code can write it backwards. A value is found as it is,
//! and as JSON, addresses and Base64 write it.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::Value;
use types::Secret;

/// A shorter value stands in too many texts by chance.
const SHORTEST: usize = 6;

/// The secrets to look for, in every spelling; longest first, so that one inside of another hides nothing of it.
#[derive(Default)]
pub struct Redactor {
    spellings: Vec<(Secret<String>, String)>,
}

impl Redactor {
    pub fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a Secret<String>)>) -> Self {
        let mut redactor = Self::default();
        for (name, value) in secrets {
            redactor.add(name, value);
        }
        redactor
    }

    pub fn add(&mut self, name: &str, value: &Secret<String>) {
        let plain = value.reveal();
        if plain.len() < SHORTEST {
            return;
        }
        let json = json(plain);
        // JSON in a text of JSON, as when an answer tells what it was asked.
        let twice = self::json(&json);
        let percent = percent(plain);
        let form = percent.replace("%20", "+").replace('~', "%7E");
        let base64 = base64(plain.as_bytes());
        let unpadded = base64.trim_end_matches('=').to_owned();
        for spelling in [plain.clone(), json, twice, percent, form, base64, unpadded] {
            let known = self.spellings.iter().any(|(known, _)| *known.reveal() == spelling);
            if spelling.len() >= SHORTEST && !known {
                self.spellings.push((Secret::new(spelling), format!("[secret {name}]")));
            }
        }
        self.spellings.sort_by_key(|(spelling, _)| std::cmp::Reverse(spelling.reveal().len()));
    }

    pub fn text(&self, text: String) -> String {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => text,
            // A spelling is text, so what stands around one is, too.
            Cow::Owned(clean) => String::from_utf8_lossy(&clean).into_owned(),
        }
    }

    /// JSON that stays JSON, also where a number is a secret.
    pub fn json(&self, json: Vec<u8>) -> Vec<u8> {
        let clean = match self.bytes(&json) {
            Cow::Borrowed(_) => return json,
            Cow::Owned(clean) => clean,
        };
        if serde_json::from_slice::<serde::de::IgnoredAny>(&clean).is_ok() {
            return clean;
        }
        let value = serde_json::from_slice(&json).map(|value| self.value(value));
        value.and_then(|value| serde_json::to_vec(&value)).unwrap_or_else(|_| b"null".to_vec())
    }

    /// Every text in a value, names of members included.
    pub fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                members.into_iter().map(|(name, member)| (self.text(name), self.value(member))).collect()
            }
            Value::Number(number) => match self.text(number.to_string()) {
                text if text == number.to_string() => Value::Number(number),
                text => Value::String(text),
            },
            other => other,
        }
    }

    /// From front to back, the longest spelling first: what was put instead is not looked through again.
    pub fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut next: Vec<Option<usize>> =
            self.spellings.iter().map(|(part, _)| find(bytes, part, 0)).collect();
        let (mut clean, mut from) = (Vec::new(), 0);
        while let Some((at, place)) =
            next.iter().enumerate().filter_map(|(place, at)| Some(((*at)?, place))).min()
        {
            let Some((part, instead)) = self.spellings.get(place) else { break };
            clean.extend_from_slice(bytes.get(from..at).unwrap_or_default());
            clean.extend_from_slice(instead.as_bytes());
            from = at + part.reveal().len();
            for ((part, _), at) in self.spellings.iter().zip(&mut next) {
                if at.is_some_and(|at| at < from) {
                    *at = find(bytes, part, from);
                }
            }
        }
        if from == 0 {
            return Cow::Borrowed(bytes);
        }
        clean.extend_from_slice(bytes.get(from..).unwrap_or_default());
        Cow::Owned(clean)
    }
}

fn find(bytes: &[u8], part: &Secret<String>, from: usize) -> Option<usize> {
    Some(from + memchr::memmem::find(bytes.get(from..)?, part.reveal().as_bytes())?)
}

/// As a text of JSON, without its quotes.
fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    })
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for piece in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|place| u32::from(piece.get(place).copied().unwrap_or(0)));
        let bits = a << 16 | b << 8 | c;
        for place in 0..4 {
            let letter = LETTERS.get((bits >> (18 - 6 * place) & 63) as usize).copied().unwrap_or(b'=');
            out.push(if place <= piece.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redactor() -> Redactor {
        let secrets = [("LONG", "top \"secret\"\nvalue"), ("INNER", "secret"), ("SHORT", "ab1")];
        let secrets = secrets.map(|(name, value)| (name, Secret::new(value.to_owned())));
        Redactor::new(secrets.iter().map(|(name, value)| (*name, value)))
    }

    #[test]
    fn every_spelling_goes_and_nothing_else() {
        let text = |text: &str| redactor().text(text.to_owned());
        assert_eq!(text("a top \"secret\"\nvalue b"), "a [secret LONG] b");
        assert_eq!(text(r#"{"a":"top \"secret\"\nvalue"}"#), r#"{"a":"[secret LONG]"}"#);
        assert_eq!(text(r#""{\"a\":\"top \\\"secret\\\"\\nvalue\"}""#), r#""{\"a\":\"[secret LONG]\"}""#);
        assert_eq!(text("?q=top%20%22secret%22%0Avalue&"), "?q=[secret LONG]&");
        assert_eq!(text("q=top+%22secret%22%0Avalue"), "q=[secret LONG]");
        assert_eq!(text("Basic dG9wICJzZWNyZXQiCnZhbHVl"), "Basic [secret LONG]");
        assert_eq!(text("secret and ab1"), "[secret INNER] and ab1", "what is short stands by chance");
        assert_eq!(text("nothing here"), "nothing here");
    }

    #[test]
    fn values_and_bytes_lose_them_too() {
        let value = redactor().value(json!({"secret": ["a secret", 1], "b": null}));
        assert_eq!(value, json!({"[secret INNER]": ["a [secret INNER]", 1], "b": null}));
        assert_eq!(&*redactor().bytes(b"\xffsecretsecret\x00"), b"\xff[secret INNER][secret INNER]\x00");
        assert!(matches!(redactor().bytes(b"clean"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_stays_json() {
        let secret = Secret::new("123456".to_owned());
        let redactor = Redactor::new([("PIN", &secret)]);
        let json = |text: &str| String::from_utf8(redactor.json(text.into())).unwrap();
        assert_eq!(json(r#"{"pin":"123456","n":1}"#), r#"{"pin":"[secret PIN]","n":1}"#);
        assert_eq!(json(r#"{"pin":123456,"n":1}"#), r#"{"n":1,"pin":"[secret PIN]"}"#);
        assert_eq!(json("9123456"), r#""9[secret PIN]""#);
        assert_eq!(json("[12345]"), "[12345]");
    }

    #[test]
    fn base64_is_the_usual_one() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
