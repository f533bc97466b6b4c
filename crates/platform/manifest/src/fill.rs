//! `${NAME}` and `${file:path}` in a document's texts. Whoever sends the document sends what they stand for: the server reads
//! neither its own environment nor its own files for others. What is filled in is text, never structure.

use std::collections::BTreeMap;

use crate::{Fault, Kind, Node, Place};

/// What names stand for.
#[derive(Clone, Debug, Default)]
pub struct Given {
    pub variables: BTreeMap<String, String>,
    pub files: BTreeMap<String, String>,
}

impl Given {
    /// Fills in every text below `node`; answers what is missing.
    pub fn fill(&self, node: &mut Node) -> Vec<Fault> {
        let mut missing = Vec::new();
        self.walk(node, &mut missing);
        missing
    }

    fn walk(&self, node: &mut Node, missing: &mut Vec<Fault>) {
        match &mut node.kind {
            Kind::Text(text) if text.contains("${") => *text = self.filled(text, node.place, missing),
            Kind::List(items) => items.iter_mut().for_each(|item| self.walk(item, missing)),
            Kind::Map(members) => members.iter_mut().for_each(|member| self.walk(&mut member.value, missing)),
            _ => {}
        }
    }

    fn filled(&self, text: &str, place: Place, missing: &mut Vec<Fault>) -> String {
        let (mut out, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(at) = rest.find("${") {
            let (before, from) = rest.split_at(at);
            if let Some(escaped) = before.strip_suffix('$') {
                out.push_str(escaped);
                out.push_str("${");
                rest = &from[2..];
                continue;
            }
            out.push_str(before);
            let end = from.find('}');
            match end.and_then(|end| name(&from[2..end])) {
                None => {
                    out.push_str("${");
                    rest = &from[2..];
                }
                Some(name) => {
                    match self.value(&name) {
                        Some(value) => out.push_str(value),
                        None => missing.push(Fault { place, reason: name.missing() }),
                    }
                    rest = end.map_or("", |end| &from[end + 1..]);
                }
            }
        }
        out.push_str(rest);
        out
    }

    fn value(&self, name: &Name<'_>) -> Option<&str> {
        match name {
            Name::Variable(name) => self.variables.get(*name),
            Name::File(path) => self.files.get(*path),
        }
        .map(String::as_str)
    }
}

enum Name<'t> {
    Variable(&'t str),
    File(&'t str),
}

impl Name<'_> {
    fn missing(&self) -> String {
        match self {
            Self::Variable(name) => {
                format!("`${{{name}}}` has no value; set it, or write `$${{{name}}}` for the text itself")
            }
            Self::File(path) => format!("the file {path:?} was not sent along"),
        }
    }
}

/// Variables are written in capitals, as in an environment; anything else in `${…}` is text.
fn name(inside: &str) -> Option<Name<'_>> {
    if let Some(path) = inside.strip_prefix("file:") {
        return Some(Name::File(path));
    }
    let first = inside.starts_with(|first: char| first.is_ascii_uppercase() || first == '_');
    let rest = inside.bytes().all(|one| one.is_ascii_uppercase() || one.is_ascii_digit() || one == b'_');
    (first && rest).then_some(Name::Variable(inside))
}

/// A text that stands for itself when it is filled.
pub fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given() -> Given {
        let variables = [("TOKEN".to_owned(), "a: b\n- ${TOKEN}".to_owned())].into();
        Given { variables, files: [("code/a.py".to_owned(), "x = 1\n".to_owned())].into() }
    }

    fn filled(text: &str) -> (String, Vec<String>) {
        let mut missing = Vec::new();
        let text = given().filled(text, Place::default(), &mut missing);
        (text, missing.into_iter().map(|fault| fault.reason).collect())
    }

    #[test]
    fn names_are_filled_in_once_and_as_text() {
        for (text, expected) in [
            ("${file:code/a.py}", "x = 1\n"),
            ("<${TOKEN}>", "<a: b\n- ${TOKEN}>"),
            ("$${TOKEN}", "${TOKEN}"),
            ("$$${TOKEN}", "$${TOKEN}"),
            ("${lower} ${} ${A-B} $x {y}", "${lower} ${} ${A-B} $x {y}"),
            ("${TOKEN", "${TOKEN"),
        ] {
            assert_eq!(filled(text), (expected.to_owned(), Vec::new()), "{text}");
        }
        let (_, missing) = filled("${NOBODY} ${file:b}");
        assert!(missing[0].contains("NOBODY") && missing[1].contains("\"b\""), "{missing:?}");
    }

    proptest::proptest! {
        #[test]
        fn what_is_escaped_stands_for_itself(text in r"[$\{\}A-Z:a]{0,40}") {
            proptest::prop_assert_eq!(filled(&escaped(&text)), (text, Vec::new()));
        }
    }
}
