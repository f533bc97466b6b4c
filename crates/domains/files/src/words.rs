//! Names and content types, as paths and bodies write them.

use std::fmt;
use std::str::FromStr;

use types::CollectionId;

/// Why a text is not what it should be; shown to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(&'static str);

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident as $schema:literal: $check:ident, $most:literal, $pattern:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            pub(crate) fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Unfit;
            fn from_str(text: &str) -> Result<Self, Unfit> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .min_length(Some(1))
                    .max_length(Some($most))
                    .pattern($pattern)
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                $schema.into()
            }
        }
    )+};
}

texts! {
    /// Name of a collection; one segment of a path.
    CollectionName as "CollectionName": check_collection, 63, Some("^[a-z0-9_.-]+$");
    /// Name of a file in its collection: segments between slashes, at most 512 bytes.
    FileName as "FileName": check_name, 512, None::<&str>;
    /// What a content is said to be (RFC 9110 §8.3.1).
    ContentType as "FileContentType": check_type, 255, None::<&str>;
    /// A content type, or all of one kind: `image/*`.
    TypePattern as "FileTypePattern": check_pattern, 255, None::<&str>;
}

const LONGEST_COLLECTION: usize = 63;
/// Bytes of UTF-8.
const LONGEST_NAME: usize = 512;
const LONGEST_TYPE: usize = 255;

fn check_collection(text: &str) -> Result<(), Unfit> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
    if text.is_empty() || text.len() > LONGEST_COLLECTION || !text.bytes().all(fits) {
        return Err(Unfit("must be 1 to 63 of a-z, 0-9, `_`, `.` and `-`"));
    }
    if text.bytes().all(|byte| byte == b'.') || text.parse::<CollectionId>().is_ok() {
        return Err(Unfit("must be a name: neither dots alone nor an id"));
    }
    Ok(())
}

fn check_name(text: &str) -> Result<(), Unfit> {
    if text.is_empty() || text.len() > LONGEST_NAME {
        return Err(Unfit("must have 1 to 512 bytes"));
    }
    if text.chars().any(char::is_control) {
        return Err(Unfit("must not hold control characters"));
    }
    if text.chars().any(misleads) {
        return Err(Unfit("must not hold characters that turn the direction of text or break lines"));
    }
    if text.contains('\\') {
        return Err(Unfit("must not hold `\\`: some systems take it for `/`"));
    }
    // Clients resolve `.` and `..` before they send a path: such a name would mean another file.
    if text.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Err(Unfit("must not have an empty segment, nor `.` or `..` as one"));
    }
    Ok(())
}

/// What makes a name look like another one: `annual\u{202e}fdp.exe`.
fn misleads(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn is_token(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

fn check_type(text: &str) -> Result<(), Unfit> {
    let (essence, parameters) = text.split_once(';').map_or((text, ""), |(essence, rest)| (essence, rest));
    let is_type = essence.trim_end().split_once('/').is_some_and(|(kind, sub)| {
        // A star names many types, which one content has not.
        is_token(kind) && is_token(sub) && !essence.contains('*')
    });
    let visible = |byte: u8| (0x20..0x7f).contains(&byte);
    if !is_type || text.len() > LONGEST_TYPE || !parameters.bytes().all(visible) {
        return Err(Unfit("must be a content type such as `text/plain; charset=utf-8`"));
    }
    Ok(())
}

fn check_pattern(text: &str) -> Result<(), Unfit> {
    let fits = text.split_once('/').is_some_and(|(kind, sub)| {
        is_token(kind) && !kind.contains('*') && is_token(sub) && (sub == "*" || !sub.contains('*'))
    });
    match fits && text.len() <= LONGEST_TYPE {
        true => Ok(()),
        false => Err(Unfit("must be a content type without parameters, or all of a kind: `image/*`")),
    }
}

impl TypePattern {
    pub(crate) fn covers(&self, content: &ContentType) -> bool {
        let essence = content.0.split(';').next().unwrap_or_default().trim();
        match self.as_str().strip_suffix('*') {
            Some(kind) => essence.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind)),
            None => essence.eq_ignore_ascii_case(&self.0),
        }
    }
}

/// How a path names a collection: its id or its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CollectionRef {
    Id(CollectionId),
    Name(CollectionName),
}

impl FromStr for CollectionRef {
    type Err = Unfit;
    fn from_str(text: &str) -> Result<Self, Unfit> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_paths_that_nobody_reads_otherwise() {
        let long = "é".repeat(256);
        for good in ["a", "a/b/c.txt", "файл/鍵", "a%2Fb", "a b", "…", "a/.b/..c", "👩‍💻.png", long.as_str()]
        {
            assert!(good.parse::<FileName>().is_ok(), "{good}");
        }
        let long = "x".repeat(513);
        let bad =
            ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\nb", "a\0b", "a\u{85}b", "a\\b"];
        for bad in bad.into_iter().chain(["annual\u{202e}fdp.exe", "a\u{2028}b", "\u{feff}a", &long]) {
            assert!(bad.parse::<FileName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn collections_are_named_in_lower_case() {
        for (name, good) in [("a", true), ("a.b_c-9", true), ("...", false), ("A", false), ("a/b", false)] {
            assert_eq!(name.parse::<CollectionName>().is_ok(), good, "{name}");
        }
        let id = "col_01h455vb4pex5vsknk084sn02q".parse();
        assert!(matches!(id, Ok(CollectionRef::Id(_))));
    }

    #[test]
    fn types_have_a_form_and_patterns_cover_them() {
        for good in ["text/plain", "text/html; charset=utf-8", "application/vnd.a+json", "a/b;c=\"d e\""] {
            assert!(good.parse::<ContentType>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "text",
            "text/",
            "/plain",
            "text/*",
            "text/pl ain",
            "text/plain; a=\u{7f}",
            "text/plain\r\nx",
        ] {
            assert!(bad.parse::<ContentType>().is_err(), "{bad:?}");
        }
        let covers = |pattern: &str, kind: &str| {
            pattern.parse::<TypePattern>().unwrap().covers(&kind.parse().unwrap())
        };
        assert!(covers("image/*", "Image/png") && covers("text/plain", "TEXT/plain; charset=utf-8"));
        assert!(!covers("image/*", "imagery/png") && !covers("text/plain", "text/plainer"));
        for bad in ["*/*", "image", "im*/png", "image/p*"] {
            assert!(bad.parse::<TypePattern>().is_err(), "{bad}");
        }
    }
}
