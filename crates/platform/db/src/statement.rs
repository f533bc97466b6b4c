//! One SQL statement with its parameters and what must come of it.

use std::borrow::Cow;

use problem::Code;

use crate::Value;

/// SQL text with `$1 …` placeholders, the same for both databases.
#[derive(Clone, Debug)]
pub struct Statement {
    pub(crate) text: Cow<'static, str>,
    pub(crate) params: Vec<Value>,
    pub(crate) expect: Expect,
    pub(crate) on_unique: Option<&'static Code>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Expect {
    Anything,
    /// Exactly one row touched, else the decision was made on rows that have changed: decide again.
    Fresh,
    /// Exactly one row touched, else this refusal.
    OneRow(&'static Code),
}

/// A statement without expectations; write-statements of a change usually add one.
pub fn sql(text: impl Into<Cow<'static, str>>, params: Vec<Value>) -> Statement {
    Statement { text: text.into(), params, expect: Expect::Anything, on_unique: None }
}

impl Statement {
    /// Must touch exactly one row, else the whole change is stale and is decided again.
    #[must_use]
    pub fn fresh(mut self) -> Self {
        self.expect = Expect::Fresh;
        self
    }

    /// Must touch exactly one row, else the change is refused with this code.
    #[must_use]
    pub fn one_row_or(mut self, code: &'static Code) -> Self {
        self.expect = Expect::OneRow(code);
        self
    }

    /// For bookkeeping: the rows touched come back with this column.
    #[must_use]
    pub fn returning(mut self, column: &'static str) -> Self {
        self.text = format!("{} RETURNING {column}", self.text).into();
        self
    }

    /// A unique index that is hit means this refusal.
    #[must_use]
    pub fn unique_or(mut self, code: &'static Code) -> Self {
        self.on_unique = Some(code);
        self
    }
}
