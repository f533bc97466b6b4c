//! Reads a filter by recursive descent; its bounds are checked on the way, so that what is too long, too deep or too much
//! costs nothing.

use serde_json::Value;
use types::Timestamp;

use super::{DEEPEST, Filter, LONGEST, Literal, MOST_TERMS, Op};
use crate::error::ScimError;
use crate::path::AttributePath;
use crate::schema::{Attribute, Column, Kind, ResourceType};

/// The filter of a list of resources.
pub(crate) fn parse(of: &ResourceType, text: &str) -> Result<Filter, ScimError> {
    whole(text, Names::Of(of))
}

/// What stands in brackets behind an attribute.
pub(crate) fn parse_value_filter(attribute: &'static Attribute, text: &str) -> Result<Filter, ScimError> {
    whole(text, Names::Parts(attribute))
}

fn whole(text: &str, names: Names<'_>) -> Result<Filter, ScimError> {
    if text.len() > LONGEST {
        return Err(wrong(format!("it is longer than {LONGEST} bytes")));
    }
    let mut reader = Reader { rest: text, names, depth: 0, terms: 0 };
    let filter = reader.any()?;
    reader.space();
    if reader.rest.is_empty() { Ok(filter) } else { Err(reader.unexpected()) }
}

fn wrong(reason: impl Into<String>) -> ScimError {
    ScimError::Filter(reason.into())
}

/// What names mean here.
#[derive(Clone, Copy)]
enum Names<'a> {
    Of(&'a ResourceType),
    Parts(&'static Attribute),
}

struct Reader<'a> {
    rest: &'a str,
    names: Names<'a>,
    depth: usize,
    terms: usize,
}

impl<'a> Reader<'a> {
    /// Terms with `or` between.
    fn any(&mut self) -> Result<Filter, ScimError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(wrong(format!("it is deeper than {DEEPEST} levels")));
        }
        let mut alternatives = vec![self.all()?];
        while self.word("or") {
            alternatives.push(self.all()?);
        }
        self.depth -= 1;
        Ok(one_or(alternatives, Filter::Or))
    }

    /// Terms with `and` between, which binds closer.
    fn all(&mut self) -> Result<Filter, ScimError> {
        let mut terms = vec![self.term()?];
        while self.word("and") {
            terms.push(self.term()?);
        }
        Ok(one_or(terms, Filter::And))
    }

    fn term(&mut self) -> Result<Filter, ScimError> {
        self.space();
        let before = self.rest;
        if self.word("not") {
            self.space();
            if self.rest.starts_with('(') {
                return Ok(Filter::Not(Box::new(self.parenthesis()?)));
            }
            self.rest = before;
        }
        if self.rest.starts_with('(') {
            return self.parenthesis();
        }
        self.terms += 1;
        if self.terms > MOST_TERMS {
            return Err(wrong(format!("it has more than {MOST_TERMS} terms")));
        }
        let path = self.path()?;
        if self.rest.starts_with('[') {
            return self.within(path);
        }
        self.comparison(path)
    }

    fn parenthesis(&mut self) -> Result<Filter, ScimError> {
        self.rest = &self.rest[1..];
        let inside = self.any()?;
        self.closed(')')?;
        Ok(inside)
    }

    /// `emails[type eq "work"]`, and `emails[type eq "work"].value eq "…"` as some directories write it.
    fn within(&mut self, path: AttributePath) -> Result<Filter, ScimError> {
        if path.sub.is_some() || path.attribute.kind != Kind::Complex {
            return Err(wrong(format!("{} has no parts", path.target().name)));
        }
        let Names::Of(_) = self.names else { return Err(self.unexpected()) };
        self.rest = &self.rest[1..];
        let outside = std::mem::replace(&mut self.names, Names::Parts(path.attribute));
        let mut inside = self.any()?;
        self.closed(']')?;
        if let Some(rest) = self.rest.strip_prefix('.') {
            self.rest = rest;
            let part = self.path()?;
            self.terms += 1;
            let further = self.comparison(part)?;
            inside = Filter::And(vec![inside, further]);
        }
        self.names = outside;
        Ok(Filter::Within(path, Box::new(inside)))
    }

    fn path(&mut self) -> Result<AttributePath, ScimError> {
        let is_name =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'_' | b'-' | b'$');
        let length = self.rest.bytes().take_while(|byte| is_name(*byte)).count();
        let (name, rest) = self.rest.split_at(length);
        if name.is_empty() {
            return Err(self.unexpected());
        }
        let found = match self.names {
            Names::Of(resource) => AttributePath::resolve(resource, name),
            Names::Parts(attribute) => {
                attribute.sub(name).map(|sub| AttributePath { attribute, sub: Some(sub) })
            }
        };
        self.rest = rest;
        found.ok_or_else(|| ScimError::UnknownAttribute(name.to_owned()))
    }

    fn comparison(&mut self, path: AttributePath) -> Result<Filter, ScimError> {
        if self.word("pr") {
            presence(path)?;
            return Ok(Filter::Present(path));
        }
        let known = [
            ("eq", Some(Op::Eq)),
            ("ne", None),
            ("co", Some(Op::Co)),
            ("sw", Some(Op::Sw)),
            ("ew", Some(Op::Ew)),
            ("gt", Some(Op::Gt)),
            ("ge", Some(Op::Ge)),
            ("lt", Some(Op::Lt)),
            ("le", Some(Op::Le)),
        ];
        self.space();
        let Some((_, op)) = known.into_iter().find(|(word, _)| self.word(word)) else {
            return Err(self.unexpected());
        };
        let value = self.literal()?;
        let target = path.target().compared();
        let target = target.ok_or_else(|| wrong(format!("name a part of {}", path.target().name)))?;
        if value.is_null() && matches!(op, None | Some(Op::Eq)) {
            presence(path)?;
            let present = Filter::Present(path);
            return Ok(if op.is_none() { present } else { Filter::Not(Box::new(present)) });
        }
        let literal = of_kind(target, op.unwrap_or(Op::Eq), &value)?;
        // What begins with, or contains, nothing is whatever is there.
        let filter = match (op, &literal) {
            (Some(Op::Co | Op::Sw | Op::Ew), Literal::Text(text)) if text.is_empty() => Filter::Present(path),
            _ => Filter::Compare(path, op.unwrap_or(Op::Eq), literal),
        };
        Ok(if op.is_none() { Filter::Not(Box::new(filter)) } else { filter })
    }

    /// A JSON string, number, or `true`, `false`, `null`.
    fn literal(&mut self) -> Result<Value, ScimError> {
        self.space();
        let length = match self.rest.strip_prefix('"') {
            Some(inside) => {
                let mut escaped = false;
                let end = inside.bytes().position(|byte| {
                    let ends = byte == b'"' && !escaped;
                    escaped = byte == b'\\' && !escaped;
                    ends
                });
                end.ok_or_else(|| wrong("a text is not closed"))? + 2
            }
            None => self.rest.bytes().take_while(|byte| !matches!(byte, b' ' | b')' | b']')).count(),
        };
        let (text, rest) = self.rest.split_at(length);
        let value = serde_json::from_str(text)
            .or_else(|error| serde_json::from_str(&text.to_ascii_lowercase()).map_err(|_| error))
            .map_err(|_| self.unexpected())?;
        self.rest = rest;
        match value {
            Value::Array(_) | Value::Object(_) => {
                Err(wrong("a value is a text, a number, true, false or null"))
            }
            Value::String(text) if text.contains('\0') => Err(wrong("a text holds U+0000")),
            value => Ok(value),
        }
    }

    fn closed(&mut self, by: char) -> Result<(), ScimError> {
        self.space();
        self.rest = self.rest.strip_prefix(by).ok_or_else(|| wrong(format!("{by:?} is missing")))?;
        Ok(())
    }

    /// Takes a keyword, if it stands here alone.
    fn word(&mut self, word: &str) -> bool {
        self.space();
        let Some((head, rest)) = self.rest.split_at_checked(word.len()) else { return false };
        let ends = rest.bytes().next().is_none_or(|next| matches!(next, b' ' | b'(' | b')' | b']' | b'"'));
        if !head.eq_ignore_ascii_case(word) || !ends {
            return false;
        }
        self.rest = rest;
        true
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn unexpected(&self) -> ScimError {
        let shown: String = self.rest.chars().take(20).collect();
        if shown.is_empty() {
            wrong("it ends too early")
        } else {
            wrong(format!("{shown:?} is not expected"))
        }
    }
}

fn one_or(mut filters: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Filter {
    if filters.len() == 1 { filters.remove(0) } else { many(filters) }
}

/// Can it be asked for at all?
fn presence(path: AttributePath) -> Result<(), ScimError> {
    let target = path.target();
    let filtered = |one: &Attribute| !matches!(one.column, Column::Inline);
    if filtered(target) || target.subs.iter().any(filtered) {
        return Ok(());
    }
    Err(not_filtered(target))
}

fn not_filtered(attribute: &Attribute) -> ScimError {
    wrong(format!("resources cannot be filtered by {}", attribute.name))
}

fn of_kind(target: &Attribute, op: Op, value: &Value) -> Result<Literal, ScimError> {
    let unfit = || Err(wrong(format!("{value} cannot be compared with {} in this way", target.name)));
    match (target.column, value) {
        (Column::Inline | Column::Rows(_), _) => Err(not_filtered(target)),
        (Column::Text(_), Value::String(text)) => Ok(Literal::Text(text.clone())),
        (Column::Id(..), Value::String(text)) if op == Op::Eq => Ok(Literal::Text(text.clone())),
        (Column::Flag(_), Value::Bool(flag)) if op == Op::Eq => Ok(Literal::Flag(*flag)),
        (Column::Flag(_), Value::String(text)) if op == Op::Eq => match text.to_ascii_lowercase().as_str() {
            "true" => Ok(Literal::Flag(true)),
            "false" => Ok(Literal::Flag(false)),
            _ => unfit(),
        },
        (Column::Time(_), Value::String(text)) if !matches!(op, Op::Co | Op::Sw | Op::Ew) => {
            match text.parse::<Timestamp>() {
                Ok(at) => Ok(Literal::Time(at.millis())),
                Err(_) => unfit(),
            }
        }
        _ => unfit(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::resources::{GROUP, USER};

    fn reason(text: &str) -> String {
        parse(&USER, text).unwrap_err().to_string()
    }

    #[test]
    fn the_examples_of_the_rfc_and_of_directories_are_read() {
        for text in [
            r#"userName Eq "john""#,
            r#"Username eq "john""#,
            r#"name.familyName co "O'Malley""#,
            r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#,
            r#"userName pr"#,
            r#"meta.created gt "2011-05-13T04:42:34Z""#,
            r#"userName pr and active eq true"#,
            r#"userName sw "J" or displayName ew "x""#,
            r#"not (userName eq "x") and (emails co "example.com" or emails.value co "example.org")"#,
            r#"emails[type eq "work" and value co "@example.com"]"#,
            r#"emails[type eq "work"].value eq "ada@example.com""#,
            r#"externalId eq null"#,
            r#"active eq "True""#,
            r#"userName eq "a \" quote and \\ a stroke""#,
            "roles[value eq \"owner\"] and not(active eq false)",
        ] {
            parse(&USER, text).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
        parse(&GROUP, r#"id eq "grp_x" and members eq "usr_y""#).unwrap();
    }

    #[test]
    fn and_binds_closer_than_or() {
        let filter = parse(&USER, r#"active eq true or active eq false and userName pr"#).unwrap();
        let Filter::Or(alternatives) = filter else { panic!("{filter:?}") };
        assert!(matches!(alternatives[1], Filter::And(_)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            ("", "ends too early"),
            ("userName", "ends too early"),
            ("userName eq", "ends too early"),
            ("userName is 1", "\"is 1\" is not expected"),
            (r#"userName eq "x"#, "not closed"),
            (r#"(userName eq "x""#, "')' is missing"),
            (r#"emails[type eq "x""#, "']' is missing"),
            (r#"userName eq "x") "#, "is not expected"),
            (r#"userName eq "x" userName"#, "is not expected"),
            ("nothing pr", "no attribute"),
            ("name eq \"x\"", "name a part of name"),
            ("userName eq 5", "cannot be compared"),
            ("active gt true", "cannot be compared"),
            ("id co \"usr\"", "cannot be compared"),
            ("meta.created gt \"yesterday\"", "cannot be compared"),
            ("groups.value eq \"grp_x\"", "cannot be filtered by"),
            ("userName[value eq \"x\"]", "has no parts"),
            ("emails[emails[type pr]]", "no attribute"),
            ("userName eq {}", "is a text, a number"),
        ] {
            assert!(reason(text).contains(part), "{text}: {}", reason(text));
        }
    }

    #[test]
    fn the_bounds_hold() {
        let deep = |levels: usize| format!("{}active eq true{}", "(".repeat(levels), ")".repeat(levels));
        assert!(parse(&USER, &deep(DEEPEST - 1)).is_ok());
        assert!(reason(&deep(DEEPEST)).contains("deeper"));
        assert!(reason(&deep(900)).contains("deeper"));
        assert!(reason(&"not (".repeat(400)).contains("deeper"));
        let many = |terms: usize| vec!["active eq true"; terms].join(" or ");
        assert!(parse(&USER, &many(MOST_TERMS)).is_ok());
        assert!(reason(&many(MOST_TERMS + 1)).contains("terms"));
        assert!(reason(&" ".repeat(LONGEST + 1)).contains("longer"));
        assert!(reason(&format!("userName eq \"{}\"", "x".repeat(1_000_000))).contains("longer"));
    }

    proptest! {
        #[test]
        fn nothing_makes_the_reader_stumble(text in r#"([a-zA-Z.:"\[\]() \\é0-9-]|not |and | or |emails\[| eq | co |userName|"x"){0,60}"#) {
            drop(parse(&USER, &text));
            drop(parse(&GROUP, &text));
        }

        #[test]
        fn any_bytes_at_all(text in "\\PC*") {
            drop(parse(&USER, &text));
        }
    }
}
