//! Values that a change can also take away: an empty word, or `none` for a number.

use serde::Serialize;

pub(crate) fn unless_empty(word: String) -> Option<String> {
    Some(word).filter(|word| !word.is_empty())
}

/// A number of seconds, or no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Limit(Option<u32>);

impl Limit {
    pub(crate) fn parse(word: &str) -> Result<Self, String> {
        match word {
            "none" => Ok(Self(None)),
            seconds => match seconds.parse() {
                Ok(seconds) => Ok(Self(Some(seconds))),
                Err(_) => Err(format!("{seconds} is neither a number of seconds nor `none`")),
            },
        }
    }
}
