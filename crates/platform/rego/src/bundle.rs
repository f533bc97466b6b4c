//! What is compiled together, and how much of it there may be.

use std::time::Duration;

use serde_json::Value;

/// One file of Rego.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// How it is called in messages: `agents.rego`.
    pub path: String,
    pub text: String,
}

/// Everything that is put in force together: the modules, and the `data` they read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bundle {
    pub modules: Vec<Module>,
    /// An object; `null` for none.
    pub data: Value,
}

/// How far a bundle and its evaluation may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub modules: usize,
    /// All sources together, in bytes.
    pub source: usize,
    /// `data` as JSON, in bytes.
    pub data: usize,
    pub rules: usize,
    /// Wall clock of one evaluation.
    pub time: Duration,
    /// Instructions of one evaluation.
    pub instructions: usize,
}

impl Limits {
    /// For what an organization sends: its evaluations end within 5 ms.
    pub const TENANT: Self = Self {
        modules: 64,
        source: 512 * 1024,
        data: 256 * 1024,
        rules: 4_000,
        time: Duration::from_millis(5),
        instructions: 25_000,
    };

    /// For the operator's own files.
    pub const OPERATOR: Self = Self { time: Duration::from_millis(20), ..Self::TENANT };
}
