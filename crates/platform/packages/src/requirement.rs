//! What a function asks for: a name, extras and version specifiers (PEP 508, PEP 440), and nothing that names a place.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A package's name in its normal form (PEP 503): small letters, digits, single hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// One entry of `requirements`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Requirement {
    pub name: Name,
    extras: Vec<Name>,
    specifiers: Vec<String>,
}

/// Why a text is no requirement; says what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("is longer than 200 characters")]
    TooLong,
    #[error("must begin with a package's name, such as `requests`: letters, digits, `.`, `-` and `_`")]
    Name,
    #[error("names a place or an option; only names and versions are taken, such as `requests==2.32.3`")]
    Place,
    #[error("has a marker (`;`); functions run on one interpreter, so leave it out")]
    Marker,
    #[error("has extras that are no names, as in `name[extra]`")]
    Extras,
    #[error("has a version that is none: use ==, !=, ~=, <, <=, > or >= with a version, parted by commas")]
    Specifier,
}

const LONGEST: usize = 200;
const LONGEST_NAME: usize = 100;
const OPERATORS: [&str; 7] = ["==", "!=", "~=", "<=", ">=", "<", ">"];

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = text.as_bytes();
        let fits = bytes.len() <= LONGEST_NAME && bytes.iter().all(|byte| is_inner(*byte));
        if !fits || !ends(bytes.first()) || !ends(bytes.last()) {
            return Err(Refusal::Name);
        }
        let parts = text.split(['.', '_', '-']).filter(|part| !part.is_empty());
        Ok(Self(parts.collect::<Vec<_>>().join("-").to_ascii_lowercase()))
    }
}

impl FromStr for Requirement {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(Refusal::TooLong);
        }
        if text.contains(';') {
            return Err(Refusal::Marker);
        }
        if text.starts_with('-') || text.contains(['@', '/', '\\', ':', '#', '\n', '\r']) {
            return Err(Refusal::Place);
        }
        let end = text.find(['[', '=', '!', '~', '<', '>', ' ']).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let (extras, rest) = extras(rest.trim_start())?;
        Ok(Self { name: name.parse()?, extras, specifiers: specifiers(rest.trim())? })
    }
}

fn extras(text: &str) -> Result<(Vec<Name>, &str), Refusal> {
    let Some(inner) = text.strip_prefix('[') else { return Ok((Vec::new(), text)) };
    let (list, rest) = inner.split_once(']').ok_or(Refusal::Extras)?;
    let mut names: Vec<Name> = list
        .split(',')
        .map(|name| name.trim().parse().map_err(|_| Refusal::Extras))
        .collect::<Result<_, _>>()?;
    names.sort();
    names.dedup();
    Ok((names, rest))
}

fn specifiers(text: &str) -> Result<Vec<String>, Refusal> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut all: Vec<String> = text
        .split(',')
        .map(|one| specifier(one.trim()).ok_or(Refusal::Specifier))
        .collect::<Result<_, _>>()?;
    all.sort();
    all.dedup();
    Ok(all)
}

fn specifier(text: &str) -> Option<String> {
    let operator = OPERATORS.iter().find(|operator| text.starts_with(**operator))?;
    let version = text.strip_prefix(operator)?.trim();
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b".*!+-_".contains(&byte);
    let fits = !version.is_empty() && version.len() <= 64 && version.bytes().all(is_one);
    (fits && version.starts_with(|first: char| first.is_ascii_alphanumeric()))
        .then(|| format!("{operator}{version}"))
}

impl fmt::Display for Requirement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(out)?;
        if !self.extras.is_empty() {
            let names: Vec<&str> = self.extras.iter().map(Name::as_str).collect();
            write!(out, "[{}]", names.join(","))?;
        }
        out.write_str(&self.specifiers.join(","))
    }
}

impl TryFrom<String> for Requirement {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self, Refusal> {
        text.parse()
    }
}

impl From<Requirement> for String {
    fn from(requirement: Requirement) -> Self {
        requirement.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_extras_and_versions_are_taken_in_one_form() {
        for (written, normal) in [
            ("requests", "requests"),
            (" Flask_SQLAlchemy ", "flask-sqlalchemy"),
            ("requests==2.32.3", "requests==2.32.3"),
            ("pandas >= 2, < 3", "pandas<3,>=2"),
            ("uvicorn[Standard, http]~=0.30", "uvicorn[http,standard]~=0.30"),
            ("a.b__c==1!2.0.post1+local.1", "a-b-c==1!2.0.post1+local.1"),
            ("x==1.*", "x==1.*"),
        ] {
            assert_eq!(written.parse::<Requirement>().unwrap().to_string(), normal, "{written}");
        }
    }

    #[test]
    fn what_names_a_place_or_an_option_is_refused() {
        use Refusal as R;
        for (written, reason) in [
            ("-r other.txt", R::Place),
            ("--index-url https://evil.example", R::Place),
            ("evil @ https://evil.example/evil.whl", R::Place),
            ("git+https://example.org/x.git", R::Place),
            ("./wheel.whl", R::Place),
            ("../../etc/passwd", R::Place),
            ("file:///etc/passwd", R::Place),
            ("a\n--extra-index-url=x", R::Place),
            ("x; python_version < '3'", R::Marker),
            ("", R::Name),
            ("==1", R::Name),
            ("ünicode", R::Name),
            ("x[", R::Extras),
            ("x[a b]", R::Extras),
            ("x 1", R::Specifier),
            ("x=1", R::Specifier),
            ("x==", R::Specifier),
            ("x===1", R::Specifier),
            ("x>=1,", R::Specifier),
            ("x==1 --hash=sha256", R::Specifier),
        ] {
            assert_eq!(written.parse::<Requirement>().unwrap_err(), reason, "{written}");
        }
        assert_eq!("x".repeat(201).parse::<Requirement>().unwrap_err(), R::TooLong);
    }

    proptest! {
        #[test]
        fn what_is_taken_reads_the_same_again_and_holds_nothing_that_a_tool_would_act_on(text in "\\PC{0,40}") {
            if let Ok(requirement) = text.parse::<Requirement>() {
                let said = requirement.to_string();
                prop_assert_eq!(&said.parse::<Requirement>().unwrap(), &requirement);
                prop_assert!(!said.starts_with('-') && !said.contains([' ', '@', '/', ':', ';', '#', '\n']));
            }
        }
    }
}
