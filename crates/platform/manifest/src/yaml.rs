//! YAML 1.2 (core schema) into trees. Foreign bytes: size, depth and the number of parts are bounded, and what an alias
//! repeats counts as if it were written out. Names stand once in a mapping; tags are not understood.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::Number;

use crate::{Kind, Member, Node, Place};

/// Bytes of a text.
const LARGEST: usize = 1024 * 1024;
const DEEPEST: usize = 32;
/// Parts of all documents together, aliases written out.
const MOST: usize = 50_000;
/// Documents in one text.
const DOCUMENTS: usize = 100;

/// Why a text is not read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}: {reason}", place.line)]
pub struct Fault {
    pub place: Place,
    pub reason: String,
}

/// The documents of a text; empty ones are left out.
pub fn read(text: &str) -> Result<Vec<Node>, Fault> {
    if text.len() > LARGEST {
        let reason = format!("the text has {} bytes; at most {LARGEST} are read", text.len());
        return Err(Fault { place: Place { line: 1, column: 1 }, reason });
    }
    Reader { parts: 0, anchors: HashMap::new() }.documents(text)
}

struct Reader {
    parts: usize,
    /// Each with the number of its parts.
    anchors: HashMap<usize, (Node, usize)>,
}

/// A list or mapping that is not closed yet.
struct Open {
    place: Place,
    anchor: usize,
    /// Parts read before it.
    before: usize,
    inside: Inside,
}

enum Inside {
    List(Vec<Node>),
    Map(Vec<Member>, Names),
}

#[derive(Default)]
struct Names {
    /// The lines in which names stand.
    seen: HashMap<String, usize>,
    /// The one whose value comes next.
    next: Option<(String, Place)>,
}

impl Reader {
    fn documents(&mut self, text: &str) -> Result<Vec<Node>, Fault> {
        let mut documents = Vec::new();
        let mut open: Vec<Open> = Vec::new();
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| {
                let mark = error.marker();
                let place = Place { line: mark.line().max(1), column: mark.col() + 1 };
                Fault { place, reason: error.info().to_owned() }
            })?;
            let place = place_of(span);
            let node = match event {
                Event::Scalar(text, style, anchor, tag) => {
                    no_tag(tag.is_some(), place)?;
                    self.count(1, place)?;
                    let node = Node { place, kind: scalar(&text, style, place)? };
                    self.keep(anchor, &node, 1);
                    node
                }
                Event::SequenceStart(anchor, tag) => {
                    no_tag(tag.is_some(), place)?;
                    self.begin(&mut open, place, anchor, Inside::List(Vec::new()))?;
                    continue;
                }
                Event::MappingStart(anchor, tag) => {
                    no_tag(tag.is_some(), place)?;
                    self.begin(&mut open, place, anchor, Inside::Map(Vec::new(), Names::default()))?;
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                    Some(closed) => self.close(closed),
                    None => continue,
                },
                Event::Alias(anchor) => self.repeated(anchor, place, open.len())?,
                Event::DocumentStart(_) => {
                    if documents.len() >= DOCUMENTS {
                        return Err(fault(place, format!("holds more than {DOCUMENTS} documents")));
                    }
                    self.anchors.clear();
                    continue;
                }
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => continue,
            };
            match open.last_mut() {
                Some(parent) => put(parent, node)?,
                None if matches!(node.kind, Kind::Null) => {}
                None => documents.push(node),
            }
        }
        Ok(documents)
    }

    fn begin(
        &mut self,
        open: &mut Vec<Open>,
        place: Place,
        anchor: usize,
        inside: Inside,
    ) -> Result<(), Fault> {
        if open.len() >= DEEPEST {
            return Err(fault(place, format!("is nested more than {DEEPEST} deep")));
        }
        let before = self.parts;
        self.count(1, place)?;
        open.push(Open { place, anchor, before, inside });
        Ok(())
    }

    fn close(&mut self, closed: Open) -> Node {
        let kind = match closed.inside {
            Inside::List(items) => Kind::List(items),
            Inside::Map(members, _) => Kind::Map(members),
        };
        let node = Node { place: closed.place, kind };
        self.keep(closed.anchor, &node, self.parts - closed.before);
        node
    }

    /// Only a node with an anchor is copied, and only while its parts fit.
    fn keep(&mut self, anchor: usize, node: &Node, parts: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), parts));
        }
    }

    fn repeated(&mut self, anchor: usize, place: Place, depth: usize) -> Result<Node, Fault> {
        let Some(parts) = self.anchors.get(&anchor).map(|(_, parts)| *parts) else {
            return Err(fault(place, "repeats what is not complete yet".into()));
        };
        self.count(parts, place)?;
        let (node, _) = &self.anchors[&anchor];
        if depth + depth_of(node) > DEEPEST {
            return Err(fault(place, format!("is nested more than {DEEPEST} deep")));
        }
        Ok(Node { place, kind: node.kind.clone() })
    }

    fn count(&mut self, parts: usize, place: Place) -> Result<(), Fault> {
        self.parts += parts;
        if self.parts > MOST {
            let reason = format!("holds more than {MOST} parts, with what its aliases repeat");
            return Err(fault(place, reason));
        }
        Ok(())
    }
}

fn depth_of(node: &Node) -> usize {
    match &node.kind {
        Kind::List(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
        Kind::Map(members) => 1 + members.iter().map(|member| depth_of(&member.value)).max().unwrap_or(0),
        _ => 0,
    }
}

fn put(parent: &mut Open, node: Node) -> Result<(), Fault> {
    match &mut parent.inside {
        Inside::List(items) => items.push(node),
        Inside::Map(members, names) => match names.next.take() {
            Some((name, place)) => members.push(Member { name, place, value: node }),
            None => {
                let Kind::Text(name) = node.kind else {
                    return Err(fault(node.place, "the name of a member must be text".into()));
                };
                if let Some(first) = names.seen.insert(name.clone(), node.place.line) {
                    let shown: String = name.chars().take(64).collect();
                    let reason = format!("`{shown}` stands here twice; first in line {first}");
                    return Err(fault(node.place, reason));
                }
                names.next = Some((name, node.place));
            }
        },
    }
    Ok(())
}

fn scalar(text: &str, style: ScalarStyle, place: Place) -> Result<Kind, Fault> {
    if text.contains('\0') {
        return Err(fault(place, "text may not hold the character NUL".into()));
    }
    if style != ScalarStyle::Plain {
        return Ok(Kind::Text(text.to_owned()));
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        text => match number(text) {
            Some(number) => Kind::Number(number),
            None => Kind::Text(text.to_owned()),
        },
    })
}

/// As the core schema of YAML 1.2 has it, without infinities.
pub(crate) fn number(text: &str) -> Option<Number> {
    let radix = |digits: &str, radix| i64::from_str_radix(digits, radix).ok().map(Number::from);
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        || !digits.contains(|one: char| one.is_ascii_digit())
    {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let is_float = |one: char| one.is_ascii_digit() || matches!(one, '.' | 'e' | 'E' | '+' | '-');
    if !digits.chars().all(is_float) {
        return None;
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}

fn no_tag(is_tagged: bool, place: Place) -> Result<(), Fault> {
    if is_tagged { Err(fault(place, "tags (`!…`) are not understood here".into())) } else { Ok(()) }
}

fn fault(place: Place, reason: String) -> Fault {
    Fault { place, reason }
}

fn place_of(span: Span) -> Place {
    Place { line: span.start.line().max(1), column: span.start.col() + 1 }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use serde_json::json;

    use super::*;

    fn one(text: &str) -> Node {
        let mut documents = read(text).unwrap();
        assert_eq!(documents.len(), 1, "{text}");
        documents.remove(0)
    }

    fn refused(text: &str) -> (usize, String) {
        let fault = read(text).unwrap_err();
        (fault.place.line, fault.reason)
    }

    #[test]
    fn values_are_those_of_the_core_schema() {
        let text = "a: 1\nb: -2.5\nc: true\nd: ~\ne: 'true'\nf: yes\ng: 0x10\nh: 1.2.3\ni: |\n  two\n  lines\nj: [x, {y: z}]\nk: .5\nl: 12e03\nm: '-'\nn: 1_000\n";
        let expected = json!({
            "a": 1, "b": -2.5, "c": true, "d": null, "e": "true", "f": "yes", "g": 16, "h": "1.2.3",
            "i": "two\nlines\n", "j": ["x", { "y": "z" }], "k": 0.5, "l": 12000.0, "m": "-", "n": "1_000",
        });
        assert_eq!(one(text).to_value(), expected);
    }

    #[test]
    fn every_part_knows_its_line() {
        let node =
            one("# comment\nspec:\n  roles:\n    - name: a\n      permissions:\n        - x\n        - y\n");
        for (pointer, line, column) in [
            ("/spec", 2, 1),
            ("/spec/roles/0", 4, 7),
            ("/spec/roles/0/permissions/1", 7, 11),
            // What is not there is looked for where it would stand.
            ("/spec/roles/0/missing", 4, 7),
            ("/spec/roles/7/x", 3, 3),
        ] {
            assert_eq!(node.place_of(pointer), Place { line, column }, "{pointer}");
        }
    }

    #[test]
    fn names_stand_once() {
        assert_eq!(refused("a: 1\nb: 2\na: 3\n"), (3, "`a` stands here twice; first in line 1".into()));
        assert_eq!(refused("- {x: 1, x: 2}").0, 1);
        assert!(refused("? [a]\n: 1\n").1.contains("must be text"));
        assert!(refused("1: a\n").1.contains("must be text"));
    }

    #[test]
    fn aliases_repeat_within_bounds() {
        let node = one("base: &base {a: 1}\nmore: [*base, *base]\n");
        assert_eq!(node.to_value()["more"], json!([{ "a": 1 }, { "a": 1 }]));
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let below = level - 1;
            let _ = writeln!(bomb, "a{level}: &a{level} [{}]", vec![format!("*a{below}"); 9].join(", "));
        }
        let (line, reason) = refused(&bomb);
        assert!(line < 7 && reason.contains("aliases"), "line {line}: {reason}");
        assert!(refused("a: &a [*a]\n").1.contains("not complete"));
        assert!(read("a: *nowhere\n").is_err());
    }

    #[test]
    fn depth_size_and_number_are_bounded() {
        assert!(refused(&format!("{}{}", "[".repeat(40), "]".repeat(40))).1.contains("nested"));
        // The scanner looks ahead, and has a bound of its own.
        assert_eq!(refused(&"[".repeat(100_000)).0, 1);
        assert!(refused(&format!("{}a", "- ".repeat(200))).1.contains("nested"));
        assert!(refused(&"x".repeat(LARGEST + 1)).1.contains("bytes"));
        assert!(refused(&"- a\n".repeat(MOST + 1)).1.contains("parts"));
        assert!(refused(&"--- a\n".repeat(DOCUMENTS + 1)).1.contains("documents"));
    }

    fn parts(node: &Node) -> usize {
        1 + match &node.kind {
            Kind::List(items) => items.iter().map(parts).sum::<usize>(),
            Kind::Map(members) => members.iter().map(|member| 1 + parts(&member.value)).sum(),
            _ => 0,
        }
    }

    proptest::proptest! {
        /// Whatever comes: an answer or a line, never a panic, and never more than was counted.
        #[test]
        fn anything_is_read_or_refused(text in "(a|b|&a |\\*a|- |: |\n|  |\\[|\\]|\\{|\\}|, |'|\"|\\||>|#|!|%|\\?|---\n|é|\t|\\\\){0,60}") {
            match read(&text) {
                Ok(documents) => proptest::prop_assert!(documents.iter().map(parts).sum::<usize>() <= MOST),
                Err(fault) => proptest::prop_assert!(fault.place.line >= 1 && !fault.reason.is_empty()),
            }
        }
    }

    #[test]
    fn tags_and_broken_text_are_refused_with_their_line() {
        assert_eq!(refused("a: 1\nb: !ruby/object {}\n").0, 2);
        assert_eq!(refused("a: 1\nb: [1, 2\n").0, 3);
        assert_eq!(refused("a: \"\\0\"\n").1, "text may not hold the character NUL");
        assert_eq!(read("# nothing\n---\n...\n").unwrap().len(), 0);
    }
}
