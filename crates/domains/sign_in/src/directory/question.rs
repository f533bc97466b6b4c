//! How one directory is asked about one person. What somebody entered goes into filters and names only escaped
//! (RFC 4515 §3, RFC 4514 §2.4), so that it is never more than a value.

use ldap3::{dn_escape, ldap_escape};

pub(crate) struct Question {
    pub(crate) first: First,
    pub(crate) base: String,
    pub(crate) look: Look,
    pub(crate) attributes: Attributes,
    pub(crate) groups: Groups,
}

/// As whom the entry is looked for.
pub(crate) enum First {
    Service {
        name: String,
        password: String,
    },
    /// As the person, by this name; that proves the password, too.
    Person(String),
}

pub(crate) enum Look {
    Filter(String),
    Entry(String),
}

pub(crate) struct Attributes {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: String,
}

/// Where somebody's groups stand.
pub(crate) enum Groups {
    None,
    /// In their own entry, as distinguished names.
    Attribute(String),
    /// In the groups' entries; `{dn}` in the filter is the person's.
    Search {
        base: String,
        filter: String,
        name: String,
    },
}

/// A filter with a value in place of its mark.
pub(crate) fn filter_with(template: &str, mark: &str, value: &str) -> String {
    template.replace(mark, &ldap_escape(value))
}

/// A distinguished name with a value in place of its mark.
pub(crate) fn dn_with(template: &str, mark: &str, value: &str) -> String {
    template.replace(mark, &dn_escape(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_entered_is_a_value_and_nothing_else() {
        for (entered, filter) in [
            ("ada", "(uid=ada)"),
            ("*", r"(uid=\2a)"),
            ("ada)(uid=*", r"(uid=ada\29\28uid=\2a)"),
            (r"a\2a", r"(uid=a\5c2a)"),
            ("a\0b", r"(uid=a\00b)"),
        ] {
            assert_eq!(filter_with("(uid={login})", "{login}", entered), filter);
        }
        for (entered, name) in [
            ("ada", "uid=ada,ou=people"),
            ("ada,ou=admins", r"uid=ada\2cou\3dadmins,ou=people"),
            ("a+cn=b", r"uid=a\2bcn\3db,ou=people"),
            ("#ada", r"uid=\23ada,ou=people"),
        ] {
            assert_eq!(dn_with("uid={login},ou=people", "{login}", entered), name);
        }
    }

    proptest! {
        #[test]
        fn no_entered_text_leaves_its_place_in_a_filter(entered in "\\PC{0,40}") {
            let filter = filter_with("(uid={login})", "{login}", &entered);
            let inside = &filter[5..filter.len() - 1];
            prop_assert!(!inside.contains(['(', ')', '*', '\0']));
            prop_assert!(ldap3::parse_filter(&filter).is_ok());
        }
    }
}
