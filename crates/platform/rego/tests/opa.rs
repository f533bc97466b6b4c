//! The same answers as Open Policy Agent itself, on a generated corpus and on the policies of this repository. Needs a real
//! `opa`, which `scripts/opa.sh` builds; part of `make test-all`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests: a panic is the report")]

mod corpus;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use safeconduct_rego::{Bundle, Compiled, Limits, Module, Ruling, STACK, Term};
use serde_json::{Value, json};

use crate::corpus::{Dice, OPERATIONS};

const POLICIES: usize = 400;
const INPUTS: usize = 25;
/// What is compared are answers; a busy machine is no other answer.
const LIMITS: Limits =
    Limits { time: std::time::Duration::from_secs(10), instructions: 10_000_000, ..Limits::OPERATOR };

#[expect(clippy::disallowed_methods, reason = "scripts/test-all.sh says where the program is")]
fn opa() -> PathBuf {
    std::env::var_os("SAFECONDUCT_OPA").map_or_else(|| "opa".into(), PathBuf::from)
}

#[test]
fn a_generated_corpus_has_the_same_answers() {
    let compare = || compare(Dice::policy);
    std::thread::Builder::new().stack_size(STACK).spawn(compare).unwrap().join().unwrap();
}

#[test]
fn expressions_inside_each_other_have_the_same_answers() {
    let compare = || compare(Dice::wild);
    std::thread::Builder::new().stack_size(STACK).spawn(compare).unwrap().join().unwrap();
}

#[test]
fn definitions_that_name_an_operation_have_the_same_answers() {
    let compare = || compare(Dice::named);
    std::thread::Builder::new().stack_size(STACK).spawn(compare).unwrap().join().unwrap();
}

fn compare(make: impl Fn(&mut Dice) -> String) {
    let mut dice = Dice::new(20_261_127);
    let policies: Vec<String> = (0..POLICIES).map(|_| make(&mut dice)).collect();
    let mut inputs: Vec<Value> = (0..INPUTS).map(|_| dice.input()).collect();
    for (input, operation) in inputs.iter_mut().zip(OPERATIONS.iter().cycle()) {
        input["operation"] = json!(operation);
    }
    let theirs = ask_opa(&policies, &inputs);
    let (mut compared, mut refused) = (0, 0);
    for (name, text) in policies.iter().enumerate() {
        let text = format!("package safeconduct\n{text}");
        let bundle =
            Bundle { modules: vec![Module { path: "p.rego".into(), text: text.clone() }], data: Value::Null };
        let ours = Compiled::new(&bundle, LIMITS).unwrap_or_else(|faults| panic!("{faults}\n{text}"));
        for (at, input) in inputs.iter().enumerate() {
            let ours = ours.evaluate("x", &Term::json(input).unwrap());
            let theirs = ruling(&theirs[at][name]);
            match (&ours, &theirs) {
                (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "\n{text}\n{input:#}"),
                (Err(_), Err(())) => {}
                _ => panic!("{ours:?} against {theirs:?}\n{text}\n{input:#}"),
            }
            compared += 1;
            refused += usize::from(!ours.is_ok_and(|ruling| ruling.allows()));
        }
    }
    assert_eq!(compared, POLICIES * INPUTS);
    // A corpus that allows or refuses everything would compare nothing.
    assert!(refused * 10 > compared && refused * 10 < compared * 9, "{refused} of {compared}");
}

/// All of it in one process: each policy in a package of its own, each input in turn.
fn ask_opa(policies: &[String], inputs: &[Value]) -> Vec<Vec<Value>> {
    let directory = std::env::temp_dir().join(format!(
        "safeconduct-opa-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::create_dir_all(&directory).unwrap();
    for (at, text) in policies.iter().enumerate() {
        std::fs::write(directory.join(format!("p{at}.rego")), format!("package corpus.p{at}\n{text}"))
            .unwrap();
    }
    let names: Vec<String> = (0..policies.len()).map(|at| format!("p{at}")).collect();
    let given = directory.join("input.json");
    std::fs::write(&given, json!({ "inputs": inputs, "names": names }).to_string()).unwrap();
    let query = "[said | some given in input.inputs; said := [one | some name in input.names; \
                 one := data.corpus[name] with input as given]]";
    let output = Command::new(opa())
        .args(["eval", "--format", "raw", "--data"])
        .arg(&directory)
        .arg("--input")
        .arg(&given)
        .arg(query)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a package's document means, read as the engine reads it.
fn ruling(document: &Value) -> Result<Ruling, ()> {
    let mut ruling = Ruling::default();
    if let Some(allow) = document.get("allow")
        && *allow != json!(true)
    {
        ruling.denials.push("safeconduct does not allow it".into());
    }
    for (list, said) in [(&mut ruling.denials, "deny"), (&mut ruling.approvers, "require_approval")] {
        for item in document.get(said).and_then(Value::as_array).into_iter().flatten() {
            list.push(item.as_str().or(item["reason"].as_str()).ok_or(())?.to_owned());
        }
        list.sort();
        list.dedup();
    }
    Ok(ruling)
}

#[test]
fn what_is_not_there_is_so_under_opa_too() {
    let (policies, denials): (Vec<String>, Vec<Vec<String>>) = corpus::absent().into_iter().unzip();
    let theirs = ask_opa(&policies, &[corpus::absent_input()]);
    for (at, denials) in denials.into_iter().enumerate() {
        assert_eq!(ruling(&theirs[0][at]).unwrap().denials, denials, "\n{}", policies[at]);
    }
}

#[test]
fn the_repositorys_own_policies_pass_their_tests_under_opa() {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../policies");
    let output = Command::new(opa()).arg("test").arg(policies).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("PASS"), "{text}");
}
