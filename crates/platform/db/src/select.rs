//! Lists with optional filters: a SELECT whose conditions are added one by one, each with its parameter.

use std::borrow::Cow;

use crate::{Statement, Value, sql};

/// `Select::new("SELECT id, name FROM agents").and("org = {}", org).order("id DESC").limit(51)`
///
/// Only fixed text and parameters enter the SQL; a condition's `{}` becomes the next placeholder.
#[derive(Clone, Debug)]
pub struct Select {
    head: &'static str,
    conditions: String,
    tail: String,
    params: Vec<Value>,
}

impl Select {
    pub fn new(head: &'static str) -> Self {
        Self { head, conditions: String::new(), tail: String::new(), params: Vec::new() }
    }

    #[must_use]
    pub fn and(self, condition: &'static str, value: impl Into<Value>) -> Self {
        self.and_all(condition, [value.into()])
    }

    /// A condition with several `{}`, one for each value in order.
    #[must_use]
    pub fn and_all(self, condition: &'static str, values: impl IntoIterator<Item = Value>) -> Self {
        self.and_text(condition.to_owned(), values)
    }

    /// The same for a condition that was put together from fixed parts (platform/web's predicate of rights).
    #[must_use]
    pub fn and_text(mut self, condition: String, values: impl IntoIterator<Item = Value>) -> Self {
        self.conditions.push_str(if self.conditions.is_empty() { " WHERE (" } else { " AND (" });
        let mut values = values.into_iter();
        let mut rest = condition.as_str();
        while let Some((before, after)) = rest.split_once("{}") {
            self.params.push(values.next().unwrap_or(Value::Null));
            self.conditions.push_str(before);
            self.conditions.push_str(&format!("${}", self.params.len()));
            rest = after;
        }
        self.conditions.push_str(rest);
        self.conditions.push(')');
        self
    }

    /// The condition only if there is a value.
    #[must_use]
    pub fn and_some(self, condition: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.and(condition, value),
            None => self,
        }
    }

    #[must_use]
    pub fn order(mut self, order: impl Into<Cow<'static, str>>) -> Self {
        self.tail.push_str(" ORDER BY ");
        self.tail.push_str(&order.into());
        self
    }

    /// Stands before the order.
    #[must_use]
    pub fn group(mut self, columns: &'static str) -> Self {
        self.tail.push_str(" GROUP BY ");
        self.tail.push_str(columns);
        self
    }

    #[must_use]
    pub fn limit(mut self, rows: i64) -> Self {
        self.params.push(Value::Int(rows));
        self.tail.push_str(&format!(" LIMIT ${}", self.params.len()));
        self
    }

    /// For protocols that count rows instead of following a cursor; stands behind the limit.
    #[must_use]
    pub fn offset(mut self, rows: i64) -> Self {
        self.params.push(Value::Int(rows));
        self.tail.push_str(&format!(" OFFSET ${}", self.params.len()));
        self
    }
}

impl From<Select> for Statement {
    fn from(select: Select) -> Self {
        sql(format!("{}{}{}", select.head, select.conditions, select.tail), select.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_number_their_parameters() {
        let select = Select::new("SELECT id FROM t")
            .and("org = {}", 1_i64)
            .and_some("name = {}", None::<&str>)
            .and_all("(at, id) < ({}, {})", [Value::Int(2), Value::Int(3)])
            .order("at DESC, id DESC")
            .limit(51);
        let statement = Statement::from(select);
        assert_eq!(
            statement.text,
            "SELECT id FROM t WHERE (org = $1) AND ((at, id) < ($2, $3)) ORDER BY at DESC, id DESC LIMIT $4"
        );
        assert_eq!(statement.params.len(), 4);
    }
}
