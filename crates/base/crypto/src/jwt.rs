//! Claims that every JWT shares (RFC 7519 §4.1), in the forms that others write them.

use serde::{Deserialize, Deserializer};

/// `aud`: one, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }

    /// The one audience, where there is one.
    pub fn only(&self) -> Option<&str> {
        match self.all() {
            [one] => Some(one),
            _ => None,
        }
    }
}

/// RFC 7519 §2: a NumericDate may have a fraction.
pub fn date<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let number = f64::deserialize(from)?;
    // Floats saturate; a date that far off is refused by its bounds.
    Ok(number.floor() as i64)
}

/// As [`date`], for a claim that may be left out.
pub fn some_date<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    date(from).map(Some)
}
