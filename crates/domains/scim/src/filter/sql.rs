//! A filter as a condition: fixed text from the schema's tables, and what the client wrote only ever as a value. Every
//! condition is true or false, never NULL, so that `not` means the same here and in memory.

use db::Value;

use super::{Filter, Literal, Op};
use crate::schema::{Attribute, Column, Kind};

/// With `{}` for each value, in order.
pub(crate) fn compile(filter: &Filter) -> (String, Vec<Value>) {
    let mut condition = Condition::default();
    condition.write(filter, false);
    (condition.text, condition.values)
}

#[derive(Default)]
struct Condition {
    text: String,
    values: Vec<Value>,
}

impl Condition {
    fn write(&mut self, filter: &Filter, inside: bool) {
        match filter {
            Filter::And(all) => self.joined(all, " AND ", inside),
            Filter::Or(any) => self.joined(any, " OR ", inside),
            Filter::Not(inner) => {
                self.text.push_str("NOT (");
                self.write(inner, inside);
                self.text.push(')');
            }
            Filter::Within(path, inner) => {
                self.among(path.attribute, true, |condition| condition.write(inner, true));
            }
            Filter::Present(path) => {
                let target = path.target();
                if target.kind == Kind::Complex && !target.multi {
                    self.any_part(target);
                } else {
                    self.among(path.attribute, !inside, |condition| {
                        condition.present(target.compared().unwrap_or(target));
                    });
                }
            }
            Filter::Compare(path, op, literal) => {
                let target = path.target().compared().unwrap_or(path.target());
                self.among(path.attribute, !inside, |condition| condition.compare(target, *op, literal));
            }
        }
    }

    fn joined(&mut self, filters: &[Filter], by: &str, inside: bool) {
        self.text.push('(');
        for (at, filter) in filters.iter().enumerate() {
            self.text.push_str(if at == 0 { "" } else { by });
            self.write(filter, inside);
        }
        self.text.push(')');
    }

    /// Around a condition on one value of an attribute: there must be such a value.
    fn among(&mut self, attribute: &'static Attribute, opens: bool, inner: impl FnOnce(&mut Self)) {
        match attribute.column {
            Column::Rows(head) if opens => {
                self.text.push_str(head);
                self.text.push_str(" (");
                inner(self);
                self.text.push_str("))");
            }
            _ if opens && attribute.multi => {
                self.text.push('(');
                if let Some(value) = attribute.compared() {
                    self.present(value);
                    self.text.push_str(" AND ");
                }
                inner(self);
                self.text.push(')');
            }
            _ => inner(self),
        }
    }

    fn any_part(&mut self, of: &'static Attribute) {
        self.text.push('(');
        let filtered = of.subs.iter().filter(|sub| !matches!(sub.column, Column::Inline));
        for (at, sub) in filtered.enumerate() {
            self.text.push_str(if at == 0 { "" } else { " OR " });
            self.present(sub);
        }
        self.text.push(')');
    }

    fn present(&mut self, target: &Attribute) {
        match target.column {
            Column::Text(column) => self.text.push_str(&format!("({column} IS NOT NULL AND {column} <> '')")),
            Column::Time(column) => self.text.push_str(&format!("{column} IS NOT NULL")),
            Column::Id(..) | Column::Flag(_) | Column::Rows(_) => self.text.push_str("1 = 1"),
            // Not to be filtered by: refused before.
            Column::Inline => self.text.push_str("1 = 0"),
        }
    }

    fn compare(&mut self, target: &Attribute, op: Op, literal: &Literal) {
        match (target.column, literal) {
            (Column::Text(column), Literal::Text(text)) => self.of_text(column, target.case_exact, op, text),
            (Column::Id(column, read), Literal::Text(text)) => match read(text) {
                Some(id) => {
                    self.text.push_str(&format!("{column} = {{}}"));
                    self.values.push(id.into());
                }
                None => self.text.push_str("1 = 0"),
            },
            (Column::Flag(flag), Literal::Flag(true)) => self.text.push_str(&format!("({flag})")),
            (Column::Flag(flag), Literal::Flag(false)) => self.text.push_str(&format!("NOT ({flag})")),
            (Column::Time(column), Literal::Time(millis)) => {
                self.text.push_str(&format!("({column} IS NOT NULL AND {column} {} {{}})", sign(op)));
                self.values.push((*millis).into());
            }
            // Refused before.
            _ => self.text.push_str("1 = 0"),
        }
    }

    /// Both sides are folded by the same function, so that what is stored always equals itself.
    fn of_text(&mut self, column: &str, exact: bool, op: Op, text: &str) {
        let column = if exact { column.to_owned() } else { format!("lower({column})") };
        let place = if exact { "CAST({} AS text)" } else { "lower(CAST({} AS text))" };
        let (condition, places) = match op {
            Op::Co => (format!("replace({column}, {place}, '') <> {column}"), 1),
            Op::Sw => (format!("substr({column}, 1, length({place})) = {place}"), 2),
            Op::Ew => (
                format!(
                    "(length({column}) >= length({place}) AND \
                     substr({column}, length({column}) - length({place}) + 1) = {place})"
                ),
                3,
            ),
            op => (format!("{column} {} {place}", sign(op)), 1),
        };
        self.text.push_str(&format!("({column} IS NOT NULL AND {condition})"));
        self.values.extend(std::iter::repeat_n(Value::from(text), places));
    }
}

fn sign(op: Op) -> &'static str {
    match op {
        Op::Gt => ">",
        Op::Ge => ">=",
        Op::Lt => "<",
        Op::Le => "<=",
        Op::Eq | Op::Co | Op::Sw | Op::Ew => "=",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::parse;
    use crate::resources::{GROUP, USER};

    #[test]
    fn what_a_client_wrote_is_only_ever_a_value() {
        let nasty = "x'); DROP TABLE users; -- {} $1";
        for text in ["userName eq", "displayName co", "externalId sw", "emails[type eq \"work\"].value ew"] {
            let (sql, values) = compile(&parse(&USER, &format!("{text} {nasty:?}")).unwrap());
            assert!(!sql.contains("DROP") && !sql.contains('$'), "{sql}");
            assert_eq!(sql.matches("{}").count(), values.len(), "{sql}");
        }
    }

    #[test]
    fn ids_are_compared_as_ids() {
        let (sql, values) = compile(&parse(&GROUP, "members eq \"no id\"").unwrap());
        assert!(sql.contains("EXISTS") && sql.contains("1 = 0") && values.is_empty(), "{sql}");
    }
}
