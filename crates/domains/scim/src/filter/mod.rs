//! Filters (RFC 7644 §3.4.2.2): read within bounds, held against a resource in memory, or compiled to SQL. Both readings of
//! a filter choose the same resources.

mod eval;
mod parse;
mod sql;

use crate::path::AttributePath;

pub(crate) use eval::{element_matches, equal};
pub(crate) use parse::{parse, parse_value_filter};
pub(crate) use sql::compile;

/// Filters longer than this are not looked at.
pub(crate) const LONGEST: usize = 2_048;
/// Parentheses and brackets within each other.
const DEEPEST: usize = 8;
/// Comparisons.
const MOST_TERMS: usize = 24;

/// `ne` is `not eq`, and `eq null` is `not pr`: a missing value is told apart by presence only.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Filter {
    Compare(AttributePath, Op, Literal),
    Present(AttributePath),
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    /// `emails[…]`: one and the same value must match; paths inside are parts of the attribute.
    Within(AttributePath, Box<Self>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Eq,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    Text(String),
    Flag(bool),
    /// Milliseconds since 1970.
    Time(i64),
}
