//! No path of a developer's machine and no registry of somebody's network gets into the tree.

use super::Finding;
use super::tree::Tree;

/// Written in two parts, so that this file does not find itself.
const FORBIDDEN: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("C:", "\\Users")];

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in &tree.files {
        for (at, line) in text.lines().enumerate() {
            if let Some(found) = FORBIDDEN.iter().find(|part| begins_a_path(line, part)) {
                findings.push(Finding::new(
                    format!("{path}:{}", at + 1),
                    format!("names a path of one machine: {found}…"),
                ));
            }
            if path.ends_with("Cargo.lock") && line.starts_with("source = ") && !line.contains(REGISTRY) {
                findings.push(Finding::new(
                    format!("{path}:{}", at + 1),
                    "comes from another place than crates.io",
                ));
            }
        }
    }
    findings
}

/// `https://example.com/work/` and `homework/` are fine; a path of its own is not.
fn begins_a_path(line: &str, part: &str) -> bool {
    line.match_indices(part).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|before| before.is_ascii_alphanumeric() || "._-~}".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_machines_are_found() {
        for part in FORBIDDEN {
            let line = format!("data = \"{part}main/target\"");
            assert_eq!(check(&Tree::of(&[("docs/a.md", &line)])).len(), 1, "{part}");
        }
        let url = format!("https://example.com{}a", FORBIDDEN[0]);
        assert_eq!(check(&Tree::of(&[("docs/a.md", &url)])), []);
    }

    #[test]
    fn other_registries_are_found() {
        let line = "source = \"registry+https://mirror.example/index\"";
        assert_eq!(check(&Tree::of(&[("Cargo.lock", line)])).len(), 1);
        let line = format!("source = \"{REGISTRY}\"");
        assert_eq!(check(&Tree::of(&[("Cargo.lock", &line)])), []);
    }
}
