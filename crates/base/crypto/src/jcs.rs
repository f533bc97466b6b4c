//! Canonical JSON (RFC 8785) of values that have one reading everywhere: no fractions, no integer beyond ±(2^53-1).
//!
//! What is hashed must not depend on how a number was parsed on the way, so facts carry fractions as integers of a
//! named unit or as decimal strings, and this is where that is enforced.

use serde::Serialize;
use serde_json::{Number, Value};

const LARGEST: u64 = (1 << 53) - 1;

#[derive(Debug, thiserror::Error)]
pub enum JcsError {
    #[error("{0} has a fraction; write an integer of a named unit or a decimal string")]
    Float(Number),
    #[error("{0} is beyond ±(2^53-1); write it as a string")]
    Integer(Number),
    #[error("the value has no JSON form: {0}")]
    Json(#[from] serde_json::Error),
}

pub fn to_vec(value: &impl Serialize) -> Result<Vec<u8>, JcsError> {
    check(&serde_json::to_value(value)?)?;
    // Of the value itself: `to_value` turns NaN into null, the canonicalizer refuses it.
    Ok(serde_json_canonicalizer::to_vec(value)?)
}

fn check(value: &Value) -> Result<(), JcsError> {
    match value {
        Value::Number(number) if number.is_f64() => Err(JcsError::Float(number.clone())),
        Value::Number(number) => match number.as_u64().or(number.as_i64().map(i64::unsigned_abs)) {
            Some(0..=LARGEST) => Ok(()),
            _ => Err(JcsError::Integer(number.clone())),
        },
        Value::Array(items) => items.iter().try_for_each(check),
        Value::Object(members) => members.values().try_for_each(check),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn text(value: &Value) -> String {
        String::from_utf8(to_vec(value).unwrap()).unwrap()
    }

    #[test]
    fn writes_strings_and_literals_as_rfc_8785_section_3_2_2() {
        let value =
            json!({"string": "\u{20ac}$\u{f}\nA'\u{42}\u{22}\u{5c}\\\"/", "literals": [null, true, false]});
        let expected = r#"{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
        assert_eq!(text(&value), expected);
    }

    #[test]
    fn sorts_by_utf_16_as_rfc_8785_section_3_2_3() {
        let value = json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control", "\u{f6}": "Latin Small Letter O",
        });
        let parsed = text(&value);
        let order = ["Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"];
        let places: Vec<_> = order.iter().map(|word| parsed.find(word).unwrap()).collect();
        assert!(places.is_sorted(), "{parsed}");
    }

    #[test]
    fn refuses_numbers_with_more_than_one_reading() {
        assert_eq!(
            text(&json!([9_007_199_254_740_991_u64, -9_007_199_254_740_991_i64, 0])),
            "[9007199254740991,-9007199254740991,0]"
        );
        for value in [json!(0.5), json!({"a": [1.0]}), json!(-0.0)] {
            assert!(matches!(to_vec(&value), Err(JcsError::Float(_))), "{value}");
        }
        for value in [json!(1_u64 << 53), json!([-(1_i64 << 53)]), json!(u64::MAX), json!(i64::MIN)] {
            assert!(matches!(to_vec(&value), Err(JcsError::Integer(_))), "{value}");
        }
        assert!(to_vec(&f64::NAN).is_err());
        assert!(to_vec(&u128::MAX).is_err());
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reads_back_as_the_same_value_and_is_stable(value in values()) {
            let bytes = to_vec(&value).unwrap();
            let read: Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(&read, &value);
            prop_assert_eq!(to_vec(&read).unwrap(), bytes);
        }
    }
}
