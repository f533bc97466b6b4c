//! Runs the `test_…` rules of a bundle, as `opa test` does.

use regorus::{Engine, Value};

use crate::compile::{name_of, parse};
use crate::fault::{Fault, Faults};
use crate::{Bundle, Limits};

/// How one test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `data.safeconduct_test.test_nothing_is_denied`
    pub name: String,
    pub passed: bool,
}

/// For files of one's own: nothing bounds what the tests do.
pub fn run(bundle: &Bundle) -> Result<Vec<Outcome>, Faults> {
    crate::scan::scan(bundle, &Limits::OPERATOR)?;
    let mut engine = parse(bundle)?;
    if !bundle.data.is_null() {
        let data = Value::from(bundle.data.clone());
        engine.add_data(data).map_err(|error| Fault::of_engine(&error.to_string()))?;
    }
    names(&mut engine).into_iter().map(|name| one(&mut engine, name)).collect()
}

fn names(engine: &mut Engine) -> Vec<String> {
    let mut names = Vec::new();
    for module in engine.get_modules() {
        let package = module.package.refr.span().text();
        let tests = module.policy.iter().map(|rule| name_of(rule)).filter(|name| name.starts_with("test_"));
        names.extend(tests.map(|name| format!("data.{package}.{name}")));
    }
    names.dedup();
    names
}

fn one(engine: &mut Engine, name: String) -> Result<Outcome, Faults> {
    let value = engine.eval_rule(name.clone()).map_err(|error| Fault::of_engine(&error.to_string()))?;
    Ok(Outcome { passed: value == Value::Bool(true), name })
}
