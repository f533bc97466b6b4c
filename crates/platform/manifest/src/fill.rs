//! `${NAME}` and `${file:path}` in a document's texts. Whoever sends the document sends what they stand for: the server reads
//! neither its own environment nor its own files for others. What is filled in is text, never structure.

use std::collections::{BTreeMap, BTreeSet};

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

    /// What the texts below `node` name, each once.
    pub fn wanted(node: &Node) -> (BTreeSet<String>, BTreeSet<String>) {
        let (mut variables, mut files) = (BTreeSet::new(), BTreeSet::new());
        each_text(node, &mut |text: &str| {
            for piece in pieces(text) {
                match piece {
                    Piece::Name(Name::Variable(name)) => {
                        variables.insert(name.to_owned());
                    }
                    Piece::Name(Name::File(path)) => {
                        files.insert(path.to_owned());
                    }
                    Piece::Text(_) => {}
                }
            }
        });
        (variables, files)
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
        let mut out = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Name(name) => match self.value(&name) {
                    Some(value) => out.push_str(value),
                    None => missing.push(Fault { place, reason: name.missing() }),
                },
            }
        }
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

enum Piece<'t> {
    Text(&'t str),
    Name(Name<'t>),
}

/// A text apart: what stands for itself – `$${` as `${` – and what stands for something else.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        if let Some(escaped) = before.strip_suffix('$') {
            pieces.extend([Piece::Text(escaped), Piece::Text(&from[..2])]);
            rest = &from[2..];
            continue;
        }
        pieces.push(Piece::Text(before));
        let end = from.find('}');
        match end.and_then(|end| name(&from[2..end])) {
            None => {
                pieces.push(Piece::Text(&from[..2]));
                rest = &from[2..];
            }
            Some(name) => {
                pieces.push(Piece::Name(name));
                rest = end.map_or("", |end| &from[end + 1..]);
            }
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

fn each_text(node: &Node, see: &mut impl FnMut(&str)) {
    match &node.kind {
        Kind::Text(text) => see(text),
        Kind::List(items) => items.iter().for_each(|item| each_text(item, see)),
        Kind::Map(members) => members.iter().for_each(|member| each_text(&member.value, see)),
        _ => {}
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

    #[test]
    fn what_a_document_names_is_known_before_it_is_filled() {
        let text = "a: ['${B} ${A} $${C}', {b: '${file:x/y.py} ${A}'}]\n${D}: 1\n";
        let node = crate::read(text).unwrap().remove(0);
        let (variables, files) = Given::wanted(&node);
        assert_eq!(variables.into_iter().collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(files.into_iter().collect::<Vec<_>>(), ["x/y.py"]);
    }

    proptest::proptest! {
        #[test]
        fn what_is_escaped_stands_for_itself(text in r"[$\{\}A-Z:a]{0,40}") {
            proptest::prop_assert_eq!(filled(&escaped(&text)), (text, Vec::new()));
        }
    }
}
