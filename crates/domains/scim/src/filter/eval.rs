//! A filter held against a resource, or one of its values, in memory.

use serde_json::Value;
use types::Timestamp;

use super::{Filter, Literal, Op};
use crate::schema::{Attribute, Kind};

/// Does one value of a multi-valued attribute match what stands in brackets?
pub(crate) fn element_matches(filter: &Filter, element: &Value) -> bool {
    holds(filter, element, true)
}

/// `inside`: the paths are parts of an attribute, and `at` is one value of it.
fn holds(filter: &Filter, at: &Value, inside: bool) -> bool {
    match filter {
        Filter::And(all) => all.iter().all(|one| holds(one, at, inside)),
        Filter::Or(any) => any.iter().any(|one| holds(one, at, inside)),
        Filter::Not(inner) => !holds(inner, at, inside),
        Filter::Within(path, inner) => {
            values(at, path.attribute).into_iter().any(|element| holds(inner, element, true))
        }
        Filter::Present(path) => {
            let chosen = |one: &Value| !matches!(one, Value::Null) && *one != Value::String(String::new());
            reached(at, path.attribute, path.sub, inside).into_iter().any(chosen)
        }
        Filter::Compare(path, op, literal) => {
            let target = path.target();
            let sub = match (path.sub, target.kind) {
                (None, Kind::Complex) => target.compared(),
                (sub, _) => sub,
            };
            let exact = sub.unwrap_or(path.attribute).case_exact;
            reached(at, path.attribute, sub, inside).into_iter().any(|one| compares(one, *op, literal, exact))
        }
    }
}

fn reached<'a>(
    at: &'a Value,
    attribute: &'static Attribute,
    sub: Option<&'static Attribute>,
    inside: bool,
) -> Vec<&'a Value> {
    match (inside, sub) {
        (true, Some(sub)) => values(at, sub),
        (true, None) => vec![at],
        (false, None) => values(at, attribute),
        (false, Some(sub)) => values(at, attribute).into_iter().flat_map(|one| values(one, sub)).collect(),
    }
}

fn values<'a>(of: &'a Value, attribute: &Attribute) -> Vec<&'a Value> {
    match of.get(attribute.name) {
        None => Vec::new(),
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
    }
}

fn compares(value: &Value, op: Op, literal: &Literal, exact: bool) -> bool {
    match (value, literal) {
        (Value::Bool(value), Literal::Flag(flag)) => value == flag,
        (Value::String(value), Literal::Text(text)) if exact => of_texts(value, op, text),
        (Value::String(value), Literal::Text(text)) => {
            of_texts(&value.to_lowercase(), op, &text.to_lowercase())
        }
        (Value::String(value), Literal::Time(millis)) => {
            value.parse::<Timestamp>().is_ok_and(|at| ordered(&at.millis(), op, millis))
        }
        _ => false,
    }
}

fn of_texts(value: &str, op: Op, text: &str) -> bool {
    match op {
        Op::Co => value.contains(text),
        Op::Sw => value.starts_with(text),
        Op::Ew => value.ends_with(text),
        _ => ordered(&value, op, &text),
    }
}

fn ordered<T: Ord>(value: &T, op: Op, with: &T) -> bool {
    match op {
        Op::Eq => value == with,
        Op::Gt => value > with,
        Op::Ge => value >= with,
        Op::Lt => value < with,
        Op::Le => value <= with,
        Op::Co | Op::Sw | Op::Ew => false,
    }
}

/// Are two values of an attribute the same? Texts by the attribute's own rule of case.
pub(crate) fn equal(attribute: &Attribute, one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) if !attribute.case_exact => {
            one.to_lowercase() == other.to_lowercase()
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::filter::parse;
    use crate::resources::USER;

    #[test]
    fn one_and_the_same_value_must_match_in_brackets() {
        let user = json!({
            "userName": "Ada",
            "emails": [{ "type": "work", "value": "ada@example.com" }, { "type": "home", "value": "a@home.example" }],
            "active": true,
            "meta": { "created": "2026-01-02T03:04:05.000Z" },
        });
        for (text, expected) in [
            (r#"userName eq "ADA""#, true),
            (r#"externalId pr"#, false),
            (r#"not (externalId pr)"#, true),
            (r#"externalId ne "x""#, true),
            (r#"emails[type eq "work" and value co "home"]"#, false),
            (r#"emails.type eq "work" and emails.value co "home""#, true),
            (r#"emails[type eq "home"].value ew ".example""#, true),
            (r#"emails co "@EXAMPLE""#, true),
            (r#"active eq false or userName sw "A""#, true),
            (
                r#"meta.created ge "2026-01-02T03:04:05Z" and meta.created lt "2026-01-02T03:04:06+00:00""#,
                true,
            ),
        ] {
            assert_eq!(holds(&parse(&USER, text).unwrap(), &user, false), expected, "{text}");
        }
    }
}
