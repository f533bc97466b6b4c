//! Tables whose form is one room's own affair: nobody else names them, not even to read.

use super::Finding;
use super::tree::Tree;

/// A table, the paths that may name it, and whom to ask instead.
const OWNED: &[(&str, &[&str], &str)] = &[
    ("audit_index", AUDIT, "ask the facade of domains/audit"),
    ("audit_terms", AUDIT, "ask the facade of domains/audit"),
];

/// The reader of the ledger that keeps them, and the ledger's one path of removal.
const AUDIT: &[&str] = &["crates/domains/audit/src/", "crates/platform/ledger/src/purge.rs"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.product_code() {
        let product = text.split("#[cfg(test)]").next().unwrap_or(text);
        let code = product.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
        for (number, line) in code {
            let foreign = OWNED.iter().filter(|(table, owners, _)| {
                line.contains(table) && !owners.iter().any(|owner| path.starts_with(owner))
            });
            findings.extend(foreign.map(|(table, _, whom)| {
                Finding::new(format!("{path}:{}", number + 1), format!("names the table `{table}`; {whom}"))
            }));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const SELECT: &str = "fn a() {}\nconst TEXT: &str = \"SELECT fact FROM audit_index\";\n";

    #[test]
    fn a_second_reader_is_found() {
        let findings = check(&Tree::of(&[("crates/domains/oauth/src/store.rs", SELECT)]));
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].place, "crates/domains/oauth/src/store.rs:2");
        assert!(findings[0].text.contains("domains/audit"));
    }

    #[test]
    fn the_owner_comments_and_tests_may_name_it() {
        let tested = format!("#[cfg(test)]\nmod tests {{ {SELECT} }}");
        let tree = Tree::of(&[
            ("crates/domains/audit/src/store.rs", SELECT),
            ("crates/platform/ledger/src/purge.rs", SELECT),
            ("crates/platform/ledger/src/read.rs", "// audit_index is kept elsewhere"),
            ("crates/domains/oauth/src/store.rs", &tested),
            ("crates/safeconduct/tests/it/every_route.rs", SELECT),
        ]);
        assert_eq!(check(&tree), []);
    }
}
