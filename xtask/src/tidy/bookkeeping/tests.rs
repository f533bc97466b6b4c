//! Each way on which SQL can reach bookkeeping, to a table that is not listed and to one that is.

use super::*;

const OTHER: &str = r#"
    pub use old::{sweep_agents as forget_agents, sweep_leases as forget_leases};
    pub fn sweep_agents() -> Statement { sql("DELETE FROM agents", vec![]) }
    pub fn sweep_leases() -> Statement { sql("DELETE FROM leases", vec![]) }
"#;

fn findings(code: &str) -> Vec<Finding> {
    let tree = Tree::of(&[
        ("crates/platform/other/src/lib.rs", OTHER),
        ("crates/platform/runs/src/lease.rs", code),
        ("migrations/0001.sql", "CREATE TABLE leases (id uuid);"),
    ]);
    check_with(&tree, &[("leases", &[], "because")])
}

const BAD: &[&str] = &[
    // in place
    r#"fn a() { db.keep(Bookkeeping::new(S).statement(sql("UPDATE agents SET x = 1", vec![]))); }"#,
    // from a local, a constant, a parameter, another function, a method, a macro
    r#"fn a() { let s = sql("DELETE FROM agents", vec![]); db.keep(Bookkeeping::new(S).statement(s)); }"#,
    r#"const T: &str = "DELETE FROM agents"; fn a() { db.keep(Bookkeeping::new(S).statement(sql(T, vec![]))); }"#,
    r#"fn a(t: &str) { db.keep(Bookkeeping::new(S).statement(sql(t, vec![]))); } fn b() { a("DELETE FROM agents") }"#,
    r#"fn s() -> Statement { sql("DELETE FROM agents", vec![]) } fn a() { Bookkeeping::new(S).statement(s()); }"#,
    r#"impl T { fn s(&self) -> Result<Statement, E> { Ok(sql("DELETE FROM agents", vec![])) }
       fn a(&self) { Bookkeeping::new(S).statement(self.s()?); } }"#,
    r#"fn a() { Bookkeeping::new(S).statement(sql(format!("DELETE FROM {}", t), vec![])); }"#,
    r#"macro_rules! t { ($l:literal) => { concat!("DELETE FROM ", "agents", $l) }; }
       fn a() { let text = if x { t!(" WHERE 1") } else { t!("") }; Bookkeeping::new(S).statement(sql(text, vec![])); }"#,
    r#"fn a() { db.keep(Bookkeeping::new(S).statements(vec![sql("DELETE FROM agents", vec![])])); }"#,
    r#"fn a() { Bookkeeping::new(S).statement(sql(concat!("UPDATE agents", " SET x = 1"), vec![])); }"#,
    // chains that are built step by step
    r#"fn a() { let mut b = Bookkeeping::new(S); for x in y { b = b.statement(sql("DELETE FROM agents", vec![])); } }"#,
    r#"fn a(b: Bookkeeping) -> Bookkeeping { b.statement(sql("DELETE FROM agents", vec![])) }"#,
    r#"fn a() { i.fold(Bookkeeping::new(S), |b, x| b.statement(sql("DELETE FROM agents", vec![]))); }"#,
    r#"fn a() { Bookkeeping::new(S).statement(sql("UPDATE leases SET x = 1", vec![]))
        .statement(sql("INSERT INTO agents VALUES (1)", vec![])); }"#,
    // carried by a change
    r#"fn a() { Change::new(S, f).statement(sql("UPDATE agents SET x = 1", vec![]))
        .with(sql("DELETE FROM agents", vec![])); }"#,
    r#"fn a(change: Change) { change.with(sql("DELETE FROM agents", vec![])); }"#,
    r#"fn a() { for x in y { decided.with(sql("DELETE FROM agents", vec![])); } }"#,
    // handed to a reader of the ledger
    r#"impl LedgerReader for Index { async fn take(&self, e: &[Event]) -> R { Ok(vec![self.entry(e)]) } }
       impl Index { fn entry(&self, e: &[Event]) -> Statement { sql("DELETE FROM agents", vec![]) } }"#,
    r#"fn a() { ledger.rewind("index", vec![sql("DELETE FROM agents", vec![])]); }"#,
    // kept in a field for later, and made in another crate
    r#"struct P { once: Option<Statement> } fn p() -> P { P { once: Some(sql("DELETE FROM agents", vec![])) } }
       fn a(p: &P) { let Some(once) = &p.once else { return }; Change::new(S, f).with(once.clone()); }"#,
    r#"fn a() { Bookkeeping::new(S).statement(other::sweep_agents()); }"#,
    r#"fn a() { Bookkeeping::new(S).statement(other::forget_agents()); }"#,
    // what cannot be seen
    r#"fn a() { Bookkeeping::new(S).statement(elsewhere::statement()); }"#,
    r#"fn a() { tokio::select! { () = stop => { db.keep(Bookkeeping::new(S).statement(s)); } } }"#,
];

#[test]
fn writes_to_other_tables_are_found_on_every_way() {
    for code in BAD {
        assert_eq!(findings(code).len(), 1, "{code}\n{:?}", findings(code));
    }
}

#[test]
fn the_same_ways_to_a_listed_table_pass() {
    for code in &BAD[..BAD.len() - 2] {
        let code = code.replace("agents", "leases").replace("{}", "leases");
        assert_eq!(findings(&code), [], "{code}");
    }
}

#[test]
fn of_some_tables_only_listed_columns_may_be_set() {
    let findings = |sql: &str| {
        let code = format!("fn a() {{ Bookkeeping::new(S).statement(sql(\"{sql}\", vec![])); }}");
        let tree = Tree::of(&[
            ("crates/domains/people/src/a.rs", &code),
            ("migrations/0001.sql", "CREATE TABLE sessions (id uuid);"),
        ]);
        check_with(&tree, &[("sessions", &["seen_at", "tag"], "because")]).len()
    };
    assert_eq!(findings("UPDATE sessions SET seen_at = $1 WHERE revoked_at IS NULL"), 0);
    assert_eq!(findings("UPDATE sessions SET seen_at = $1, revoked_at = $2"), 1);
    assert_eq!(findings("DELETE FROM sessions"), 1);
    assert_eq!(findings("INSERT INTO sessions (seen_at) VALUES ($1)"), 1);
    assert_eq!(findings("TRUNCATE sessions"), 1);
}

#[test]
fn statements_of_changes_and_of_others_are_free() {
    for code in [
        r#"fn a() { Change::new(S, f).statement(sql("UPDATE agents SET x = 1", vec![])); }"#,
        r#"fn a() { registry().with(layer("hello")); }"#,
        r#"#[cfg(test)] mod tests { fn a() { Bookkeeping::new(S).statement(sql("DELETE FROM agents", vec![])); } }"#,
    ] {
        assert_eq!(findings(code), [], "{code}");
    }
}

#[test]
fn a_listed_table_without_a_migration_is_struck() {
    assert_eq!(
        check_with(
            &Tree::of(&[("migrations/0001.sql", "CREATE TABLE leases (id uuid);")]),
            &[("lease", &[], "")]
        )
        .len(),
        1
    );
}
