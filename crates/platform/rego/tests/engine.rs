//! What the engine promises: rulings, bounds, refusals.

#![expect(clippy::unwrap_used, reason = "tests: a panic is the report")]

mod corpus;

use std::time::Duration;

use safeconduct_rego::{Bundle, Compiled, Failure, Limits, Module, Ruling, STACK, Term};
use serde_json::{Value, json};

fn bundle(texts: &[&str], data: Value) -> Bundle {
    let module =
        |(at, text): (usize, &&str)| Module { path: format!("m{at}.rego"), text: (*text).to_owned() };
    Bundle { modules: texts.iter().enumerate().map(module).collect(), data }
}

fn compiled(texts: &[&str]) -> Compiled {
    Compiled::new(&bundle(texts, Value::Null), Limits::TENANT).unwrap()
}

fn ask(policy: &Compiled, slice: &str, input: Value) -> Ruling {
    policy.evaluate(slice, &Term::json(&input).unwrap()).unwrap()
}

fn refused(text: &str) -> String {
    let faults = Compiled::new(&bundle(&[text], Value::Null), Limits::TENANT).err();
    assert!(faults.is_some(), "accepted: {text:.80}");
    faults.unwrap().to_string()
}

const AGENTS: &str = r#"
package safeconduct.agents

deny contains "production agents are killed by their owners" if {
    input.action == "agents:delete"
    input.resource.namespace == "prod"
    input.principal.id != input.resource.owner
}

require_approval contains "grp_operators" if input.operation == "agents.kill"
"#;

const ROOT: &str = r#"
package safeconduct

deny contains sprintf("no more than %d hops", [data.limits.hops]) if count(input.chain) > data.limits.hops
"#;

#[test]
fn root_and_slice_are_asked_and_both_must_be_content() {
    let policy =
        Compiled::new(&bundle(&[AGENTS, ROOT], json!({"limits": {"hops": 1}})), Limits::TENANT).unwrap();
    assert_eq!(policy.rules(), 3);
    assert_eq!(policy.slices().collect::<Vec<_>>(), ["agents"]);
    let input = json!({
        "action": "agents:delete", "operation": "agents.kill", "chain": [1, 2],
        "principal": {"id": "a"}, "resource": {"namespace": "prod", "owner": "b"},
    });
    let ruling = ask(&policy, "agents", input.clone());
    assert_eq!(ruling.denials, ["no more than 1 hops", "production agents are killed by their owners"]);
    assert_eq!(ruling.approvers, ["grp_operators"]);
    let elsewhere = ask(&policy, "functions", input);
    assert_eq!(elsewhere.denials, ["no more than 1 hops"]);
    assert!(ask(&policy, "agents", json!({"chain": []})).allows());
}

#[test]
fn the_same_machine_answers_anew() {
    let policy = compiled(&[AGENTS]);
    for round in 0..50 {
        let kill = round % 2 == 0;
        let operation = if kill { "agents.kill" } else { "agents.get" };
        assert_eq!(ask(&policy, "agents", json!({"operation": operation})).allows(), !kill);
    }
}

#[test]
fn allow_narrows_where_it_stands() {
    let policy = compiled(&["package safeconduct\nallow if input.principal.kind == \"user\""]);
    assert!(ask(&policy, "x", json!({"principal": {"kind": "user"}})).allows());
    assert_eq!(
        ask(&policy, "x", json!({"principal": {"kind": "agent"}})).denials,
        ["safeconduct does not allow it"]
    );
    let default = compiled(&["package safeconduct\ndefault allow := false\nallow if input.ok"]);
    assert!(!ask(&default, "x", json!({})).allows());
    assert!(ask(&default, "x", json!({"ok": true})).allows());
}

#[test]
fn denials_may_be_objects_and_nothing_else() {
    let policy =
        compiled(&["package safeconduct\ndeny contains {\"reason\": \"late\", \"code\": 7} if true"]);
    assert_eq!(ask(&policy, "x", json!({})).denials, ["late"]);
    let odd = compiled(&["package safeconduct\ndeny contains 7 if true"]);
    assert!(matches!(odd.evaluate("x", &Term::NULL), Err(Failure::Shape(_))));
}

#[test]
fn which_rules_spoke_is_told_with_their_place() {
    let policy = compiled(&[
        AGENTS,
        "package safeconduct\ndeny contains \"one\" if input.n == 1\n\ndeny contains \"both\" if input.n > 0\n",
    ]);
    let input = Term::json(&json!({"n": 1, "operation": "agents.kill"})).unwrap();
    let fired = policy.explain("agents", &input).unwrap();
    let told: Vec<_> =
        fired.iter().map(|one| (one.path.as_str(), one.line, one.rule, one.says.join(","))).collect();
    assert_eq!(
        told,
        [
            ("m1.rego", 2, "deny", "one".to_owned()),
            ("m1.rego", 4, "deny", "both".to_owned()),
            ("m0.rego", 10, "require_approval", "grp_operators".to_owned()),
        ]
    );
}

#[test]
fn faults_say_where() {
    let text = refused("package safeconduct\n\ndeny contains \"x\" if {\n  input.a ==\n}\n");
    assert!(text.starts_with("m0.rego:"), "{text}");
    let two = Compiled::new(
        &bundle(&["package safeconduct\nx :=", "package safeconduct\ny :="], Value::Null),
        Limits::TENANT,
    );
    assert_eq!(two.err().unwrap().0.len(), 2);
    assert!(refused("package other\nx := 1").contains("no rule"));
    let unknown = refused("package safeconduct\ndeny contains x if x := nowhere(1)");
    assert!(unknown.contains("nowhere"), "{unknown}");
    assert!(refused("").contains("m0.rego") || !refused("").is_empty());
}

#[test]
fn what_depends_on_the_world_cannot_be_called() {
    for call in [
        "time.now_ns()",
        "rand.intn(\"x\", 5)",
        "http.send({})",
        "net.cidr_expand(\"10.0.0.0/8\")",
        "opa.runtime()",
    ] {
        refused(&format!("package safeconduct\ndeny contains \"x\" if {call}"));
    }
}

#[test]
fn deep_and_long_is_refused_in_no_time() {
    let deep = |open: &str, close: &str, by: usize| {
        format!(
            "package safeconduct\nx := {}1{}\ndeny contains \"x\" if x",
            open.repeat(by),
            close.repeat(by)
        )
    };
    let begun = processor_time();
    for text in [
        deep("[", "]", 100_000),
        deep("(", ")", 100_000),
        deep("{\"a\":", "}", 60_000),
        format!("package safeconduct\nx := 1{}", "+1".repeat(200_000)),
        format!("package safeconduct\nx := 1{}", "+\n1".repeat(100_000)),
        format!("package safeconduct\nx := 1{}", "\n+1".repeat(100_000)),
        format!("package safeconduct\nx := input{}", ".a".repeat(200_000)),
        format!("package safeconduct\nx := {}1", "- ".repeat(200_000)),
        format!("package safeconduct\nx := {}", "9".repeat(100_000)),
        "package safeconduct\nx := 1e999999999".to_owned(),
        format!("package safeconduct\ndeny contains \"{}\"", "x".repeat(600_000)),
    ] {
        refused(&text);
    }
    let used = processor_time() - begun;
    assert!(used < Duration::from_secs(2), "{used:?}");
}

#[test]
fn too_many_rules_are_refused() {
    let many = (0..5_000).map(|at| format!("r{at} := {at}\n")).collect::<String>();
    assert!(
        refused(&format!("package safeconduct\n{many}deny contains \"x\" if r1"))
            .contains("at most 4000 rules")
    );
    let chain = (0..100).map(|at| format!("r{at} := r{}\n", at + 1)).collect::<String>();
    let text = refused(&format!("package safeconduct\n{chain}r100 := 1\ndeny contains \"x\" if r0"));
    assert!(text.contains("deep"), "{text}");
    refused("package safeconduct\nx if y\ny if x\ndeny contains \"x\" if x");
}

#[test]
fn an_evaluation_ends_in_time_whatever_it_does() {
    std::thread::Builder::new().stack_size(STACK).spawn(bombs).unwrap().join().unwrap();
}

/// Of this thread: what others do on the machine is not the policy's.
fn processor_time() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).try_into().unwrap()
}

fn bombs() {
    let doubling = |leaf: &str, by: usize| {
        let steps =
            (1..by).map(|at| format!("f{at}(x) := f{}(f{}(x))\n", at - 1, at - 1)).collect::<String>();
        format!("package safeconduct\nf0(x) := {leaf}\n{steps}deny contains \"x\" if f{}(\"ab\")", by - 1)
    };
    let squares = (1..40).map(|at| format!("x{at} := x{} * x{}\n", at - 1, at - 1)).collect::<String>();
    let squares =
        format!("package safeconduct\ndeny contains \"x\" if {{\nx0 := 123456789\n{squares}x39 > 1\n}}");
    let bombs = [
        doubling("[x]", 14),
        doubling("concat(\"\", [x, x])", 24),
        doubling("sprintf(\"%s%s%s%s\", [x, x, x, x])", 24),
        doubling("replace(x, \"a\", x)", 20),
        doubling("array.concat([x], [x])", 24),
        squares,
        "package safeconduct\ndeny contains \"x\" if count([1 | some i in numbers.range(1, 10000); some j in numbers.range(1, 10000)]) > 0".to_owned(),
        "package safeconduct\ndeny contains \"x\" if count(numbers.range(1, 9000000000)) > 0".to_owned(),
        "package safeconduct\ndeny contains \"x\" if bits.lsh(1, 900000000) > 0".to_owned(),
        "package safeconduct\ndeny contains \"x\" if sprintf(\"%99999999d\", [1]) != \"\"".to_owned(),
        "package safeconduct\ndeny contains \"x\" if sprintf(\"%5\", [1]) != \"\"".to_owned(),
        "package safeconduct\ndeny contains \"x\" if to_number(\"1e99999999\") > 0".to_owned(),
        "package safeconduct\ndeny contains \"x\" if regex.match(\"((a{90}){90}){90}\", \"a\")".to_owned(),
    ];
    for text in bombs {
        let policy = match Compiled::new(&bundle(&[&text], Value::Null), Limits::TENANT) {
            Ok(policy) => policy,
            // Some are seen before they run.
            Err(_) => continue,
        };
        let begun = processor_time();
        let ended = policy.evaluate("x", &Term::json(&json!({})).unwrap());
        let used = processor_time() - begun;
        assert!(used < Duration::from_millis(500), "{used:?}: {text:.200}");
        // A function that is called wrongly is undefined; everything else ran into its bound.
        let is_undefined = text.contains("%5");
        assert!(ended.is_err() || is_undefined, "{ended:?}: {text:.300}");
        // And the thread answers on.
        assert!(ask(&compiled(&[AGENTS]), "agents", json!({})).allows());
    }
}

#[test]
fn input_is_bounded() {
    assert!(Term::json(&json!({"a": "x".repeat(70_000)})).is_err());
    assert!(Term::json(&json!(vec![0; 5_000])).is_err());
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    assert!(Term::json(&deep).is_err());
    let fine = json!({"a": [1, 2.5, null, true, {"b": "c"}]});
    assert_eq!(Term::json(&fine).unwrap().to_json(), fine);
}

#[test]
fn bundles_are_whole() {
    let data = bundle(&[AGENTS], json!({"safeconduct": {}}));
    assert!(Compiled::new(&data, Limits::TENANT).is_err());
    assert!(Compiled::new(&bundle(&[AGENTS], json!([1])), Limits::TENANT).is_err());
    assert!(Compiled::new(&Bundle::default(), Limits::TENANT).is_err());
    let twice =
        Bundle { modules: vec![Module { path: "a.rego".into(), text: AGENTS.into() }; 2], data: Value::Null };
    assert!(Compiled::new(&twice, Limits::TENANT).is_err());
}

/// As Open Policy Agent has it: what a negation needs and is not there ends the body; what it asks about does not.
#[test]
fn a_negation_of_what_is_not_there_is_opas() {
    let speaks = |negated: &str, input: &Value| {
        let text = format!(
            "package safeconduct\nodd(n) if n % 2 == 1\nmissing := 1 if input.nothing\n\
             deny contains \"spoke\" if not {negated}\n"
        );
        !ask(&compiled(&[&text]), "x", input.clone()).denials.is_empty()
    };
    let without = json!({ "flags": {}, "name": "abc" });
    let with = json!({ "flags": {}, "name": "abc", "want": "z" });
    // What is asked about may be missing.
    for negated in
        ["input.want == \"x\"", "\"x\" == input.want", "(input.want == \"x\")", "missing", "missing == 1"]
    {
        assert!(speaks(negated, &without) && speaks(negated, &with), "{negated}");
    }
    assert!(speaks("input.want", &without) && !speaks("input.want", &with));
    assert!(speaks("count([1 | input.want]) == 1", &without));
    assert!(speaks("input.flags[lower(\"X\")]", &without));
    // What it takes to ask may not.
    for negated in [
        "startswith(input.name, input.want)",
        "startswith(input.name, lower(input.want))",
        "startswith(\n\t\tinput.name,\n\t\tinput.want,\n\t)",
        "\"x\" in input.want",
        "input.want in [\"x\"]",
        "data.safeconduct.odd(input.want)",
        "odd(input.want)",
        "input.flags[input.want]",
        "input.flags[lower(input.want)] == 1",
        "[input.want] == [\"x\"]",
        "{\"a\": input.want} == {\"a\": 1}",
        "input.want != \"z\"",
        "split(input.want, \"/\")[0] == \"x\"",
    ] {
        assert!(!speaks(negated, &without), "{negated}");
        assert!(speaks(negated, &with) || negated.contains("input.want in"), "{negated}");
    }
    assert!(!speaks("missing + 1 > 5", &with));
    // In every place where a body stands.
    let nested = "package safeconduct\ndeny contains \"one\" if count([x | some x in [1]; not startswith(input.name, input.want)]) == 1\n\
                  deny contains \"two\" if {\n\tevery x in [1] { not startswith(input.name, input.want) }\n}\n\
                  weight := 1 if input.nothing\nelse := 2 if not startswith(input.name, input.want)\nelse := 3\n\
                  deny contains \"three\" if weight == 2\n";
    assert_eq!(ask(&compiled(&[nested]), "x", without).denials, [""; 0]);
    assert_eq!(ask(&compiled(&[nested]), "x", with).denials, ["one", "three", "two"]);
}

/// Many more threads than processors: each is taken away for longer than a question may take.
#[test]
fn a_busy_machine_refuses_nothing() {
    let text = "package safeconduct\ndeny contains \"many\" if count([x | some x in numbers.range(1, 60); x % 7 == 3]) == 0";
    let policy = compiled(&[text]);
    let input = Term::json(&json!({})).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..300 {
                    assert_eq!(policy.evaluate("x", &input), Ok(Ruling::default()));
                }
            });
        }
    });
}

#[test]
fn what_is_not_there_ends_a_body_wherever_it_stands() {
    // Answers are compared here, not bounds.
    let limits = Limits { time: Duration::from_secs(10), instructions: 10_000_000, ..Limits::OPERATOR };
    for (text, denials) in corpus::absent() {
        let bundle = bundle(&[&format!("package safeconduct\n{text}\n")], Value::Null);
        let policy = Compiled::new(&bundle, limits).unwrap_or_else(|faults| panic!("{faults}\n{text}"));
        assert_eq!(ask(&policy, "x", corpus::absent_input()).denials, denials, "\n{text}");
    }
}

#[test]
fn what_would_mean_something_else_is_refused() {
    for (text, why) in [
        ("default w(_) := 3\nw(x) := 5 if x == 2", "has no default"),
        ("v[k] contains x if { some k, x in input.a }", "plain name"),
        ("deny contains \"x\" if \"k\", 1 in input.a", "collection[key] == value"),
        ("w := 1 if { some x in input.a; x == 1 }\nelse := 2", "a rule of its own"),
        ("w := 1 if { input.a[_] == 1 }\nelse := 2", "a rule of its own"),
        ("w(x) := 1 if { input.a[i].b == x; i > 2 }\nelse := 2", "a rule of its own"),
        ("f(_) := true", "an argument has a name"),
        ("f(x, [_]) := x", "an argument has a name"),
        ("f({\"k\": v}) := v", "taken apart by its members"),
        ("allow if { {\"target\": x} = input.arguments; x == \"staging\" }", "taken apart by its members"),
        ("allow if { {\"target\": _} := input.arguments }", "taken apart by its members"),
        ("allow if { some {\"id\": x} in input.all; x == 1 }", "taken apart by its members"),
        ("allow if { o := input.arguments; o = {\"target\": x}; x == 1 }", "taken apart by its members"),
        ("v.a := 1\nv.b := 2", "without dots"),
        ("deny contains \"x\" if [y | y := input.want][0] == 1", "named before it is indexed"),
    ] {
        let fault = refused(&format!("package safeconduct\ndeny contains \"a\" if input.a\n{text}\n"));
        assert!(fault.contains(why) && fault.starts_with("m0.rego:3"), "{text}: {fault}");
    }
}

#[test]
fn rules_that_name_another_operation_are_not_asked() {
    let rule = |at: usize| {
        format!("deny contains \"rule {at}\" if {{ input.operation == \"act{at}\"; input.on }}\n")
    };
    let text = format!("package safeconduct.x\n{}", (0..200).map(rule).collect::<String>());
    let few = Limits { instructions: 100, ..Limits::TENANT };
    let question = |policy: &Compiled, operation: Value| {
        policy.evaluate("x", &Term::json(&json!({"operation": operation, "on": true})).unwrap())
    };
    let policy = Compiled::new(&bundle(&[&text], Value::Null), few).unwrap();
    assert_eq!(question(&policy, json!("act7")).unwrap().denials, ["rule 7"]);
    assert!(question(&policy, json!("act200")).unwrap().allows());
    // Without an operation all are asked; so are rules that say it so that it is not seen.
    assert_eq!(question(&policy, Value::Null), Err(Failure::Instructions(100)));
    let unseen = Compiled::new(&bundle(&[&unseen(&text)], Value::Null), few).unwrap();
    assert_eq!(question(&unseen, json!("act7")), Err(Failure::Instructions(100)));
}

#[test]
fn what_rules_name_changes_no_answer() {
    let limits = Limits { time: Duration::from_secs(10), instructions: 10_000_000, ..Limits::OPERATOR };
    let mut dice = corpus::Dice::new(20_261_128);
    let mut denied = 0;
    for _ in 0..60 {
        let text = format!("package safeconduct\n{}", dice.named());
        let [seen, unseen] =
            [&text, &unseen(&text)].map(|text| Compiled::new(&bundle(&[text], Value::Null), limits).unwrap());
        for operation in corpus::OPERATIONS.iter().chain(&["unheard.of"]) {
            let mut input = dice.input();
            input["operation"] = json!(operation);
            let input = Term::json(&input).unwrap();
            let ruling = seen.evaluate("x", &input);
            denied += usize::from(ruling.as_ref().is_ok_and(|ruling| !ruling.allows()));
            assert_eq!(ruling, unseen.evaluate("x", &input), "{operation}\n{text}");
        }
    }
    assert!(denied > 100, "{denied}");
}

#[test]
fn nothing_else_is_called_input() {
    for text in [
        "import data.other as input\ndeny contains \"a\" if input.operation == \"x\"",
        "import data as input\ndeny contains \"a\" if input.operation == \"x\"",
        "import input as data\ndeny contains \"a\" if data.operation == \"x\"",
        "import data.input\ndeny contains \"a\" if input.operation == \"x\"",
        "input := {\"operation\": \"y\"}\ndeny contains \"a\" if input.operation == \"x\"",
        "deny contains \"a\" if { input.operation == \"x\"; input := {\"operation\": \"x\"} }",
        "deny contains \"a\" if { some input in [{\"operation\": \"x\"}]; input.operation == \"x\" }",
        "deny contains \"a\" if { some input; input = {\"operation\": \"x\"}; input.operation == \"x\" }",
        "deny contains \"a\" if { every input in [1] { input == 1 } }",
        "f(input) := input.operation\ndeny contains \"a\" if f({\"operation\": \"x\"}) == \"x\"",
        "deny contains \"a\" if { count([data | some data in [1]]) == 1 }",
    ] {
        let fault = refused(&format!("package safeconduct\n{text}\n"));
        let why = ["nothing else is called `", "input cannot be shadowed"];
        assert!(why.iter().any(|why| fault.contains(why)), "{text}: {fault}");
    }
    compiled(&["package safeconduct\nimport data.given\nimport input.resource as it\n\
                deny contains it.name if input.operation == given"]);
}

/// The same policy, so that nobody sees which operation its definitions name.
fn unseen(text: &str) -> String {
    text.replace("input.operation", "input[\"operation\"]")
}

#[test]
fn a_negation_binds_nothing() {
    let fault =
        |body: &str| refused(&format!("package safeconduct\n\ndeny contains \"x\" if {{\n\t{body}\n}}\n"));
    for (body, name) in [
        ("not startswith(input.names[_], \"a\")", "_"),
        ("not input.names[i] == 1", "i"),
        ("some i\n\tnot startswith(input.names[i], \"a\")", "i"),
    ] {
        let line = if body.starts_with("some") { 5 } else { 4 };
        assert_eq!(
            fault(body),
            format!("m0.rego:{line}: `{name}` behind `not` has no value: bind it before")
        );
    }
    let text = "package safeconduct\nimport data.known as given\nwords := [\"a\"]\n\
                starts(word, with_what) if not startswith(word, with_what)\n\
                deny contains word if { some at, word in words; not words[at] == given; every w in words { not w == at } }\n";
    Compiled::new(&bundle(&[text], json!({"known": 1})), Limits::TENANT).unwrap();
    let several = "not startswith(input.name, lower( # why\n\t\tinput.want))";
    assert!(fault(several).contains("name it before"), "{}", fault(several));
}
