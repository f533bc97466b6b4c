//! Names that people choose and machines compare.

use std::fmt;
use std::str::FromStr;

/// Why a name was refused; the text is shown to the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidName(pub &'static str);

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $check:ident, $pattern:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                $check(text).map(Self)
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
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some($pattern))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}

names! {
    /// Namespace or name of an agent: `^[a-z][a-z0-9_-]{0,62}$`.
    Name: check_name, "^[a-z][a-z0-9_-]{0,62}$";
    /// Slug of an organization, used in paths and host-like handles: `^[a-z][a-z0-9-]{1,38}[a-z0-9]$`.
    Slug: check_slug, "^[a-z][a-z0-9-]{1,38}[a-z0-9]$";
    /// E-mail address, folded to lower case; one person has one spelling.
    Email: check_email, r"^[^@\s]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$";
    /// DNS name of an e-mail domain, in its ASCII form and lower case.
    DomainName: check_domain, r"^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$";
}

impl Email {
    /// What stands behind the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit('@').next().unwrap_or_default()
    }

    /// What stands before it.
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }
}

fn check_email(text: &str) -> Result<String, InvalidName> {
    const WRONG: InvalidName = InvalidName("must be an e-mail address such as `ada@example.com`");
    let (local, domain) = text.split_once('@').ok_or(WRONG)?;
    let readable = |character: char| !character.is_whitespace() && !character.is_control();
    if local.is_empty() || local.len() > 64 || !local.chars().all(readable) || !is_host(domain) {
        return Err(WRONG);
    }
    Ok(text.to_lowercase())
}

fn check_domain(text: &str) -> Result<String, InvalidName> {
    if is_host(text) && text.contains('.') {
        return Ok(text.to_ascii_lowercase());
    }
    Err(InvalidName("must be a DNS name such as `example.com`, in its ASCII form"))
}

/// Labels of letters, digits and inner hyphens (RFC 1123 §2.1).
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        inner && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 189 && text.split('.').all(is_label)
}

fn check_name(text: &str) -> Result<String, InvalidName> {
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
    let rest =
        bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'));
    if first && rest && text.len() <= 63 {
        return Ok(text.to_owned());
    }
    Err(InvalidName("must start with a lower-case letter and hold at most 63 of a-z, 0-9, `_` and `-`"))
}

fn check_slug(text: &str) -> Result<String, InvalidName> {
    let bytes = text.as_bytes();
    let edge =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let inner = bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-');
    let first = bytes.first().is_some_and(u8::is_ascii_lowercase);
    if first && edge(bytes.last()) && inner && (3..=40).contains(&bytes.len()) {
        return Ok(text.to_owned());
    }
    Err(InvalidName("must be 3 to 40 of a-z, 0-9 and `-`, start with a letter and not end with `-`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_the_pattern() {
        for good in ["a", "reporter", "a_b-c9", &"a".repeat(63)] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in ["", "A", "9a", "-a", "a b", "a.b", "ä", "a\n", &"a".repeat(64)] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn addresses_are_folded_and_held_to_their_form() {
        let email: Email = "Ada.Lovelace@Mail.Example.COM".parse().unwrap();
        assert_eq!(email.as_str(), "ada.lovelace@mail.example.com");
        assert_eq!((email.local(), email.domain()), ("ada.lovelace", "mail.example.com"));
        for bad in
            ["", "ada", "@example.com", "ada@", "a da@example.com", "ada@-x.com", "ada@x..com", "a@b@c.com"]
        {
            assert!(bad.parse::<Email>().is_err(), "{bad:?}");
        }
        assert_eq!("Example.COM".parse::<DomainName>().unwrap().as_str(), "example.com");
        for bad in ["com", "exa mple.com", "example.com.", ".example.com", "bücher.example"] {
            assert!(bad.parse::<DomainName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn slugs_keep_to_the_pattern() {
        for good in ["abc", "acme-corp", "a1b"] {
            assert!(good.parse::<Slug>().is_ok(), "{good}");
        }
        for bad in ["", "ab", "acme-", "-acme", "Acme", "a_b", &"a".repeat(41)] {
            assert!(bad.parse::<Slug>().is_err(), "{bad:?}");
        }
    }
}
