//! Names of attributes: `userName`, `name.givenName`, `urn:…:User:userName` (RFC 7644 §3.10), whatever their case.

use crate::schema::{Attribute, ResourceType};

/// An attribute, and perhaps one part of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttributePath {
    pub(crate) attribute: &'static Attribute,
    pub(crate) sub: Option<&'static Attribute>,
}

impl AttributePath {
    /// `None` where the resource has no such attribute.
    pub(crate) fn resolve(of: &ResourceType, text: &str) -> Option<Self> {
        let name = local(of, text)?;
        let (head, sub) = match name.split_once('.') {
            Some((head, sub)) => (head, Some(sub)),
            None => (name, None),
        };
        let attribute = of.attribute(head)?;
        let sub = match sub {
            Some(sub) => Some(attribute.sub(sub)?),
            None => None,
        };
        Some(Self { attribute, sub })
    }

    /// The attribute or part that is meant in the end.
    pub(crate) fn target(self) -> &'static Attribute {
        self.sub.unwrap_or(self.attribute)
    }
}

impl PartialEq for AttributePath {
    fn eq(&self, other: &Self) -> bool {
        let name = |path: &Self| (path.attribute.name, path.sub.map(|sub| sub.name));
        name(self) == name(other)
    }
}

/// The name behind the resource's own schema, if one stands before it.
fn local<'a>(of: &ResourceType, text: &'a str) -> Option<&'a str> {
    if !is_urn(text) {
        return Some(text);
    }
    let (schema, rest) = text.split_at_checked(of.schema.len())?;
    schema.eq_ignore_ascii_case(of.schema).then(|| rest.strip_prefix(':')).flatten()
}

pub(crate) fn is_urn(text: &str) -> bool {
    text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("urn:"))
}

/// Does the text name something that the standard schemas have and this server does not keep?
pub(crate) fn is_not_kept(of: &ResourceType, text: &str) -> bool {
    let name = match local(of, text) {
        None => return true,
        Some(name) => name,
    };
    let head = name.split(['.', '[']).next().unwrap_or_default();
    of.not_kept.iter().any(|known| known.eq_ignore_ascii_case(head) || known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::USER;

    #[test]
    fn names_are_found_whatever_their_case_and_prefix() {
        for text in
            ["name.givenName", "NAME.GIVENNAME", "urn:ietf:params:scim:schemas:core:2.0:user:name.givenname"]
        {
            let path = AttributePath::resolve(&USER, text).unwrap();
            assert_eq!((path.attribute.name, path.target().name), ("name", "givenName"), "{text}");
        }
        for text in ["", ".", "name.", "nothing", "name.nothing", "urn:", "urn:x:userName", "userName.value"]
        {
            assert!(AttributePath::resolve(&USER, text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_directories_send_by_habit_is_told_from_mistakes() {
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
        for text in ["title", "phoneNumbers[type eq \"work\"].value", "name.formatted", enterprise] {
            assert!(is_not_kept(&USER, text), "{text}");
        }
        assert!(!is_not_kept(&USER, "usrName") && !is_not_kept(&USER, "name.nothing"));
    }
}
