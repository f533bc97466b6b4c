//! JSON as I-JSON wants it (RFC 7493): a name stands once in an object (§2.3), a number is one that we hold exactly (§2.2).
//! What two readers could take for two different values – the first of both names for a proxy, the last for us; all digits
//! of an integer for Python, 17 of them for a browser – is refused, not guessed.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The document, unless it is malformed, names something twice, or holds an integer of more than 64 bits.
pub fn strict(bytes: &[u8]) -> serde_json::Result<Value> {
    let Strict(value) = serde_json::from_slice(bytes)?;
    match inexact_integer(bytes) {
        None => Ok(value),
        Some(number) => {
            Err(Error::custom(format!("the integer {number} has more than 64 bits; send it as text")))
        }
    }
}

/// How many arrays and objects stand in each other: 0 for `7`, 2 for `[{}]`.
pub fn depth(value: &Value) -> usize {
    let inside = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    inside.unwrap_or_default() + 1
}

/// The first integer of well-formed JSON that neither `i64` nor `u64` holds; the parser would make a rounded one of it.
fn inexact_integer(json: &[u8]) -> Option<String> {
    let mut rest = json;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'"' => behind_text(after),
            b'-' | b'0'..=b'9' => {
                let end = rest
                    .iter()
                    .position(|byte| !matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'));
                let (number, after) = rest.split_at(end.unwrap_or(rest.len()));
                if is_inexact(number) {
                    return Some(shortened(number));
                }
                after
            }
            _ => after,
        };
    }
    None
}

fn is_inexact(number: &[u8]) -> bool {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    let text = std::str::from_utf8(number).unwrap_or_default();
    digits.iter().all(u8::is_ascii_digit) && text.parse::<i64>().is_err() && text.parse::<u64>().is_err()
}

fn shortened(number: &[u8]) -> String {
    let shown: String = number.iter().take(24).copied().map(char::from).collect();
    if number.len() > 24 { format!("{shown}…") } else { shown }
}

/// What follows the closing quote.
fn behind_text(mut text: &[u8]) -> &[u8] {
    while let Some((&byte, after)) = text.split_first() {
        text = match byte {
            b'"' => return after,
            b'\\' => after.get(1..).unwrap_or_default(),
            _ => after,
        };
    }
    text
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom(format!("\"{name}\" is named twice")));
            }
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_usual_reader_reads() {
        for text in [
            "null",
            "true",
            "-7",
            "18446744073709551615",
            "1.5e3",
            "\"\\u00e9\"",
            "[1,[],{}]",
            r#"{"a":{"b":[0]}}"#,
        ] {
            assert_eq!(
                strict(text.as_bytes()).unwrap(),
                serde_json::from_str::<Value>(text).unwrap(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_name_stands_once_wherever_it_stands() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"c":2,"a":3}}]"#, r#"{"a":1,"\u0061":2}"#] {
            let error = strict(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("\"a\" is named twice"), "{error}");
        }
    }

    #[test]
    fn an_integer_keeps_all_its_digits_or_is_refused() {
        for exact in [
            "18446744073709551615",
            "-9223372036854775808",
            "1e40",
            "1.5",
            r#"["\"99999999999999999999",{"99999999999999999999":-0}]"#,
        ] {
            strict(exact.as_bytes()).unwrap();
        }
        for rounded in
            ["18446744073709551616", "-9223372036854775809", r#"{"a":["\\",99999999999999999999]}"#]
        {
            let error = strict(rounded.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("more than 64 bits"), "{error}");
        }
        let long = strict("7".repeat(60_000).as_bytes()).unwrap_err().to_string();
        assert!(long.len() < 120, "{long}");
    }

    #[test]
    fn a_fraction_comes_back_as_it_was() {
        for text in
            ["0.1", "4.35", "1.1125369292536007e-308", "123456789.12345679", "2.2250738585072011e-308"]
        {
            let value = strict(text.as_bytes()).unwrap();
            assert_eq!(value.as_f64().unwrap().to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
        }
    }

    #[test]
    fn depth_counts_what_stands_in_each_other() {
        for (text, expected) in [("7", 0), ("[]", 1), (r#"[{},{"a":[1]},2]"#, 3)] {
            assert_eq!(depth(&strict(text.as_bytes()).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn neither_rubbish_nor_depth_gets_through() {
        for text in ["", "{", "1 2", "{'a':1}", "1e999", &"[".repeat(100_000)] {
            assert!(strict(text.as_bytes()).is_err());
        }
    }
}
