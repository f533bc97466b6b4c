//! Names and keys, as paths and bodies write them.

use std::fmt;
use std::str::FromStr;

use types::NamespaceId;

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
    /// Name of a namespace; one segment of a path.
    NamespaceName as "StateNamespaceName": check_name, 63, Some("^[a-z0-9_.-]+$");
    /// Key of an entry: segments between slashes, at most 1024 bytes.
    Key as "StateKey": check_key, 1024, None::<&str>;
}

const LONGEST_NAME: usize = 63;
/// Bytes of UTF-8.
const LONGEST_KEY: usize = 1024;

fn check_name(text: &str) -> Result<(), Unfit> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
    if text.is_empty() || text.len() > LONGEST_NAME || !text.bytes().all(fits) {
        return Err(Unfit("must be 1 to 63 of a-z, 0-9, `_`, `.` and `-`"));
    }
    if text.bytes().all(|byte| byte == b'.') || text.parse::<NamespaceId>().is_ok() {
        return Err(Unfit("must be a name: neither dots alone nor an id"));
    }
    Ok(())
}

fn check_key(text: &str) -> Result<(), Unfit> {
    if text.is_empty() || text.len() > LONGEST_KEY {
        return Err(Unfit("must have 1 to 1024 bytes"));
    }
    if text.chars().any(char::is_control) {
        return Err(Unfit("must not hold control characters"));
    }
    // Clients resolve `.` and `..` before they send a path: such a key would name another one.
    if text.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Err(Unfit("must not have an empty segment, nor `.` or `..` as one"));
    }
    Ok(())
}

/// How a path names a namespace: its id or its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamespaceRef {
    Id(NamespaceId),
    Name(NamespaceName),
}

impl FromStr for NamespaceRef {
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
    fn keys_are_paths_that_no_client_rewrites() {
        let long = "é".repeat(512);
        for good in ["a", "a/b/c", "ключ/鍵", "a%2Fb", "a b", "…", "a/.b/..c", long.as_str()] {
            assert!(good.parse::<Key>().is_ok(), "{good}");
        }
        let long = "x".repeat(1025);
        for bad in ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\nb", "a\0b", &long] {
            assert!(bad.parse::<Key>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn namespaces_are_named_in_lower_case() {
        for good in ["a", "notes", "a.b_c-9", "..."] {
            assert_eq!(good.parse::<NamespaceName>().is_ok(), good != "...", "{good}");
        }
        let long = "x".repeat(64);
        for bad in ["", "A", "a/b", "a b", "é", ".", "..", "stn_01h455vb4pex5vsknk084sn02q", &long] {
            assert!(bad.parse::<NamespaceName>().is_err(), "{bad:?}");
        }
        let id = "stn_01h455vb4pex5vsknk084sn02q".parse();
        assert!(matches!(id, Ok(NamespaceRef::Id(_))));
    }
}
