//! Policies and inputs made by rule: every construct that policies use, in combinations that nobody writes by hand.

#![allow(dead_code, reason = "not every test binary takes all of it")]

use serde_json::{Value, json};

/// What is not there, in every place: policies and what they deny for [`absent_input`].
pub(crate) fn absent() -> Vec<(String, Vec<String>)> {
    let cases = include_str!("absent.txt").split("\n\n");
    let case = |case: &str| {
        let (text, denies) = case.trim_end().rsplit_once("\n# ").unwrap();
        (text.to_owned(), serde_json::from_str(denies).unwrap())
    };
    cases.map(case).collect()
}

pub(crate) fn absent_input() -> Value {
    json!({ "xs": ["a", "b"], "flags": {}, "name": "abc" })
}

/// What questions are about.
pub(crate) const OPERATIONS: &[&str] = &[
    "agents.kill",
    "agents.get",
    "agents.create",
    "functions.execute",
    "functions.list",
    "state.put",
    "state.get",
    "hooks.create",
    "files.read",
    "runs.cancel",
    "roles.assign",
    "policies.activate",
];

/// xorshift64*: the same corpus on every machine.
pub(crate) struct Dice {
    state: u64,
    /// Names of variables are never the same in one body.
    named: usize,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed | 1, named: 0 }
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        usize::try_from(self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap_or_default() % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }

    /// A policy without its `package` line.
    pub(crate) fn policy(&mut self) -> String {
        let mut text = String::from(HELPERS);
        for at in 0..2 + self.roll(4) {
            let body = self.body();
            let head = match self.roll(5) {
                0 => format!(
                    "require_approval contains {}",
                    self.pick(&["\"on-call\"", "input.resource.owner", "lower(\"SECURITY\")"])
                ),
                1 => format!("deny contains {{\"reason\": \"object {at}\", \"code\": {at}}}"),
                2 => format!(
                    "deny contains sprintf(\"{at}: %s of %v\", [input.principal.kind, input.resource.size])"
                ),
                _ => format!("deny contains \"rule {at}\""),
            };
            text.push_str(&format!("{head} if {{\n{body}}}\n\n"));
        }
        if self.roll(4) == 0 {
            text.push_str("default allow := false\n\nallow if {\n");
            text.push_str(&self.body());
            text.push_str("}\n");
        }
        text
    }

    /// A policy whose definitions speak about some operations only, said in every way.
    pub(crate) fn named(&mut self) -> String {
        let mut text = String::from(HELPERS);
        let allows = self.roll(4) == 0;
        if allows {
            text.push_str("default allow := false\n\n");
        }
        for at in 0..16 {
            let head = match self.roll(6) {
                0 => format!("require_approval contains \"approver {at}\""),
                1 | 2 if allows => "allow".to_owned(),
                _ => format!("deny contains \"rule {at}\""),
            };
            let (one, other) = (self.pick(OPERATIONS), self.pick(OPERATIONS));
            let about = match self.roll(24) {
                0 => String::new(),
                1 => format!("\t\"{one}\" == input.operation\n"),
                2 => format!("\tinput.operation != \"{one}\"\n"),
                3 => format!("\tinput.operation in {{\"{one}\", \"{other}\"}}\n"),
                4 => format!("\tnot input.operation == \"{one}\"\n"),
                5 => format!("\tinput.operation == input.want\n\tinput.operation == \"{one}\"\n"),
                _ => format!("\tinput.operation == \"{one}\"\n"),
            };
            let body = if self.roll(8) == 0 { "\ttrue\n".to_owned() } else { self.body() };
            text.push_str(&format!("{head} if {{\n{about}{body}}}\n\n"));
        }
        text
    }

    /// A policy of expressions inside each other, over an input that lacks half of what they ask for.
    pub(crate) fn wild(&mut self) -> String {
        let mut text = String::new();
        for at in 0..3 {
            text.push_str(&format!("deny contains \"rule {at}\" if {{\n{}}}\n\n", self.wild_body()));
        }
        let (value, other) = (self.any(2), self.any(1));
        text.push_str(&format!(
            "given := {value} if {{\n\t{}\n\tnot {}\n}}\nelse := {other}\n\n",
            self.truth(2),
            self.truth(1)
        ));
        text.push_str(&format!("deny contains \"given\" if given == {}\n\n", self.any(0)));
        text.push_str(&format!("holds(x) if {{\n\tx == x\n{}}}\n\n", self.wild_body()));
        text.push_str(&format!("deny contains \"holds not\" if not holds({})\n\n", self.any(1)));
        text.push_str(&format!("deny contains \"holds\" if holds({})\n", self.any(1)));
        text
    }

    fn wild_body(&mut self) -> String {
        (0..1 + self.roll(3)).map(|_| format!("\t{}\n", self.statement())).collect()
    }

    fn statement(&mut self) -> String {
        self.named += 1;
        let one = self.named;
        match self.roll(9) {
            0 | 1 => self.truth(2),
            2 | 3 => format!("not {}", self.truth(2)),
            4 => format!("x{one} := {}\n\tnot x{one} == {}", self.any(2), self.any(1)),
            5 => format!("_ := {}", self.some(2)),
            6 => format!("some x{one} in {}\n\tnot x{one} == {}", self.any(1), self.any(1)),
            7 => format!("every x{one} in {} {{ x{one} == x{one}; {} }}", self.any(1), self.truth(1)),
            _ => {
                // A term without an operator: OPA takes no other here.
                let term = if self.roll(2) == 0 { self.words(1) } else { self.any(1) };
                let from = self.any(1);
                let made = match self.roll(3) {
                    0 => format!("[{term} | some x{one} in {from}; x{one} == x{one}]"),
                    1 => format!("{{{term} | some x{one} in {from}; not x{one} == {}}}", self.any(0)),
                    _ => format!("{{x{one}: {term} | some x{one} in {from}}}"),
                };
                format!("count({made}) {} {}", self.pick(&["==", ">", "!="]), self.roll(3))
            }
        }
    }

    /// Anything: what the input says, whatever it is.
    fn any(&mut self, depth: usize) -> String {
        match self.roll(if depth == 0 { 7 } else { 10 }) {
            0 | 1 => "input.want".into(),
            2 => "input.resource.name".into(),
            3 => "input.resource.owner".into(),
            4 => "input.principal.roles".into(),
            5 => "input.flags.map".into(),
            6 => "input.resource.size".into(),
            7 => format!("input.flags[{}]", self.any(depth - 1)),
            8 => format!("object.get(input, \"want\", {})", self.any(depth - 1)),
            _ => format!("input.principal.roles[{}]", self.any(depth - 1)),
        }
    }

    /// A text, a number, a truth, or anything.
    fn some(&mut self, depth: usize) -> String {
        match self.roll(4) {
            0 => self.words(depth),
            1 => self.amount(depth),
            2 => self.truth(depth),
            _ => self.any(depth),
        }
    }

    fn words(&mut self, depth: usize) -> String {
        let (one, other) = (self.any(depth.saturating_sub(1)), self.any(0));
        match self.roll(5) {
            0 => format!("lower({one})"),
            1 => format!("concat(\"-\", [{one}, {other}])"),
            2 => format!("sprintf(\"%v\", [{one}])"),
            3 => format!("trim({one}, {other})"),
            _ => format!("replace({one}, \"a\", {other})"),
        }
    }

    fn amount(&mut self, depth: usize) -> String {
        let (one, other) = (self.any(depth.saturating_sub(1)), self.any(0));
        match self.roll(7) {
            0 => format!("count({one})"),
            1 => format!("({one} + {other})"),
            2 => format!("({one} % 3)"),
            3 => format!("(7 / {one})"),
            4 => format!("abs({one})"),
            5 => format!("to_number({one})"),
            _ => format!("max({one})"),
        }
    }

    fn truth(&mut self, depth: usize) -> String {
        let below = depth.saturating_sub(1);
        let (one, other) = (self.any(below), self.any(below));
        match self.roll(12) {
            0 => one,
            1 => format!("{one} == {other}"),
            2 => format!("{one} == {}", self.words(below)),
            3 => format!("{one} {} {}", self.pick(&["<", ">=", "!=", "=="]), self.amount(below)),
            4 => format!("{one} in {other}"),
            5 => format!("{} in {other}", self.words(below)),
            6 => format!("startswith({one}, {other})"),
            7 => format!("is_string({one})"),
            8 => format!("[{one}, 1] == [{other}, 1]"),
            9 => format!("{{{one}}} == {{{other}, {}}}", self.any(0)),
            10 => format!("{{\"a\": {one}}} == {{\"a\": {other}}}"),
            _ => format!("is_boolean({one} == {other})"),
        }
    }

    fn body(&mut self) -> String {
        (0..1 + self.roll(3)).map(|_| format!("\t{}\n", self.condition(2))).collect()
    }

    fn condition(&mut self, depth: usize) -> String {
        let simple = depth == 0 || self.roll(3) == 0;
        self.named += 1;
        let one = self.named;
        match self.roll(if simple { 12 } else { 25 }) {
            0 => format!("input.principal.kind == {}", self.pick(&["\"agent\"", "\"user\"", "kinds[0]"])),
            1 => format!(
                "input.resource.size {} {}",
                self.pick(&["<", "<=", ">", ">=", "==", "!="]),
                self.number(2)
            ),
            2 => {
                format!("{} in input.principal.roles", self.pick(&["\"admin\"", "\"viewer\"", "input.want"]))
            }
            3 => format!(
                "startswith(input.resource.name, {})",
                self.pick(&["\"a\"", "\"pr\"", "\"\"", "input.want"])
            ),
            4 => format!("count(input.chain) {} {}", self.pick(&["<", ">", "=="]), self.roll(3)),
            5 => self
                .pick(&[
                    "input.flags.on",
                    "is_string(input.want)",
                    "is_number(input.resource.size)",
                    "odd(input.resource.size)",
                ])
                .to_owned(),
            6 => "object.get(input.flags, \"missing\", 3) == 3".to_owned(),
            7 => format!(
                "regex.match(`{}`, input.resource.name)",
                self.pick(&["^[a-c]+$", "^prod-", "[0-9]{2}$"])
            ),
            8 => format!(
                "glob.match({}, [\"/\"], input.resource.path)",
                self.pick(&["\"ops/*\"", "\"**\"", "\"lab/{a,b}\""])
            ),
            9 => format!(
                "net.cidr_contains({}, input.ip)",
                self.pick(&["\"10.0.0.0/8\"", "\"192.168.1.0/24\"", "\"0.0.0.0/0\""])
            ),
            10 => format!("weight(input.resource) {} {}", self.pick(&["<", ">"]), self.roll(30)),
            11 => {
                format!("{} == {}", self.text(), self.pick(&["\"alpha\"", "\"OPS\"", "\"prod-07\"", "\"\""]))
            }
            12 => format!("not {}", self.condition(0)),
            20 => format!("not {}", self.negated()),
            22 => format!("_ := {}", self.part()),
            23 => format!("x{one} := {}\n\tnot x{one} == \"a\"", self.part()),
            24 => format!(
                "count({{name: {} | some name in input.principal.roles}}) == {}",
                self.part(),
                self.roll(3)
            ),
            21 => format!(
                "count([role | some role in input.principal.roles; not {}]) == {}",
                self.negated(),
                self.roll(3)
            ),
            13 => format!(
                "some role{one} in input.principal.roles\n\t{}(role{one}, {})",
                self.pick(&["startswith", "endswith", "contains"]),
                self.pick(&["\"a\"", "\"r\"", "\"min\""])
            ),
            14 => format!(
                "every link in input.chain {{ link.hops {} {} }}",
                self.pick(&["<", ">", "!="]),
                self.roll(4)
            ),
            15 => format!(
                "count([role | some role in input.principal.roles; role != {}]) > {}",
                self.pick(&["\"admin\"", "\"x\""]),
                self.roll(3)
            ),
            16 => format!(
                "{{name | some name in input.principal.roles}} & {{\"admin\", \"auditor\"}} {} set()",
                self.pick(&["==", "!="])
            ),
            17 => format!("some at{one}, link{one} in input.chain\n\tlink{one}.hops == at{one}"),
            18 => format!(
                "sum([link.hops | some link in input.chain]) {} {}",
                self.pick(&["<", ">="]),
                self.roll(6)
            ),
            _ => format!(
                "sizes{one} := {{key: value | some key, value in input.flags.map; value > {}}}\n\tcount(sizes{one}) > 0",
                self.roll(4)
            ),
        }
    }

    /// What is not always there, in every place of an expression.
    fn negated(&mut self) -> String {
        let part = self
            .pick(&[
                "input.want",
                "input.flags[input.want]",
                "lower(input.want)",
                "kinds[input.resource.size]",
            ])
            .to_owned();
        match self.roll(10) {
            0 => part,
            1 => format!("{part} == \"a\""),
            2 => format!("{part} != \"a\""),
            3 => format!("\"a\" == {part}"),
            4 => format!("[{part}, 1] == [\"a\", 1]"),
            5 => format!("{part} in input.principal.roles"),
            6 => format!("\"a\" in {{{part}, \"b\"}}"),
            7 => format!("object.get(input.flags, {part}, false)"),
            8 => format!("{part} > 3"),
            _ => format!("split({part}, \"d\")[0] == \"a\""),
        }
    }

    fn part(&mut self) -> String {
        let parts =
            ["input.want", "input.flags[input.want]", "lower(input.want)", "kinds[input.resource.size]"];
        self.pick(&parts).to_owned()
    }

    fn text(&mut self) -> String {
        match self.roll(7) {
            0 => "input.resource.name".into(),
            1 => "upper(split(input.resource.path, \"/\")[0])".into(),
            2 => "concat(\"-\", [\"prod\", substring(input.resource.name, 5, 2)])".into(),
            3 => "trim_prefix(input.resource.name, \"prod-\")".into(),
            4 => "replace(input.resource.name, \"a\", \"\")".into(),
            5 => "sort(input.principal.roles)[0]".into(),
            _ => "trim(input.resource.name, \"ap\")".into(),
        }
    }

    fn number(&mut self, depth: usize) -> String {
        if depth == 0 || self.roll(2) == 0 {
            let whole = self.roll(12).to_string();
            return match self.roll(5) {
                0 => "input.resource.size".into(),
                1 => "count(input.principal.roles)".into(),
                2 => "max([link.hops | some link in input.chain])".into(),
                _ => whole,
            };
        }
        let (left, right) = (self.number(depth - 1), self.number(depth - 1));
        match self.roll(5) {
            0 => format!("({left} + {right})"),
            1 => format!("({left} - {right})"),
            2 => format!("({left} * {right})"),
            3 => format!("(({left}) % 7)"),
            _ => format!("abs({left} - {right})"),
        }
    }

    pub(crate) fn input(&mut self) -> Value {
        let roles = ["admin", "viewer", "auditor", "operator"];
        let roles: Vec<&str> = roles.into_iter().filter(|_| self.roll(2) == 0).collect();
        let chain: Vec<Value> = (0..self.roll(4)).map(|_| json!({ "hops": self.roll(4) })).collect();
        let mut input = json!({
            "principal": { "kind": self.pick(&["agent", "user"]), "roles": roles },
            "chain": chain,
            "resource": {
                "name": self.pick(&["alpha", "abc", "prod-07", "prod-1", "", "zulu"]),
                "path": self.pick(&["ops/greet", "lab/a", "lab/c/d", "solo"]),
                "size": self.roll(12),
            },
            "flags": { "on": self.roll(2) == 0, "map": { "a": self.roll(5), "b": self.roll(5) } },
            "ip": self.pick(&["10.1.2.3", "192.168.1.9", "203.0.113.5"]),
        });
        // Members that are not always there, and one of another type.
        if self.roll(2) == 0 {
            input["want"] = json!(self.pick(&["admin", "a", "pr"]));
        }
        match self.roll(3) {
            0 => input["resource"]["owner"] = json!("usr_1"),
            1 => input["resource"]["owner"] = json!({ "reason": "an object" }),
            _ => {}
        }
        if self.roll(8) == 0 {
            input["resource"]["size"] = json!("large");
        }
        input
    }
}

const HELPERS: &str = r#"
kinds := ["agent", "user"]

odd(n) if n % 2 == 1

weight(thing) := thing.size * 3 if startswith(thing.name, "prod")

else := thing.size + 1 if thing.size > 5

else := 0

"#;
