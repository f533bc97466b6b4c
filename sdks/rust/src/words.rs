//! Words and times as the server writes them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// RFC 3339 in UTC with milliseconds, kept as it was written; such texts sort as the times do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(String);

impl Time {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Time {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

/// Closed sets of words that a newer server may widen: what is not known is kept as text.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(from = "String", into = "String")]
        #[non_exhaustive]
        pub enum $name {
            $($variant,)+
            /// A word of a newer server.
            Other(String),
        }

        impl $name {
            /// The words that this version knows.
            pub const KNOWN: &[&str] = &[$($word,)+];

            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($word => Self::$variant,)+
                    _ => Self::Other(word),
                }
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.as_str().to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.pad(self.as_str())
            }
        }
    )+};
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    words! { Colour { Red = "red", Green = "green", } }

    #[test]
    fn unknown_words_survive_a_round_trip() {
        let read: Vec<Colour> = serde_json::from_str(r#"["red", "ultraviolet"]"#).unwrap();
        assert_eq!(read, [Colour::Red, Colour::Other("ultraviolet".into())]);
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"["red","ultraviolet"]"#);
        assert_eq!(Colour::KNOWN, ["red", "green"]);
    }
}
