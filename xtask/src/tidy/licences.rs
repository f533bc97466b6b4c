//! Each package says under which licence it stands, keeps to the house's lints, and belongs to the workspace.

use super::Finding;
use super::tree::{Package, Tree};

const SERVER: &str = "AGPL-3.0-or-later";
/// What others build into their own programs.
const FOR_OTHERS: &str = "Apache-2.0";
const FOLDERS_FOR_OTHERS: &[&str] = &["sdks/", "actions/", "examples/", "openapi/"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        tree.packages.iter().flat_map(|package| of_package(tree, package)).collect();
    for (path, _) in tree.below("", "/Cargo.toml") {
        let folder = path.trim_end_matches("/Cargo.toml");
        if tree.packages.iter().all(|package| package.folder != folder) {
            findings
                .push(Finding::new(path, "is no member of the workspace; add it to the root's Cargo.toml"));
        }
    }
    for text in ["LICENSE", "LICENSES/Apache-2.0.txt"] {
        if !tree.files.contains_key(text) {
            findings.push(Finding::new(text, "is missing"));
        }
    }
    findings
}

fn of_package(tree: &Tree, package: &Package) -> Vec<Finding> {
    let path = format!("{}/Cargo.toml", package.folder);
    let mut findings = Vec::new();
    let expected =
        if FOLDERS_FOR_OTHERS.iter().any(|folder| path.starts_with(folder)) { FOR_OTHERS } else { SERVER };
    if package.license != expected {
        let text =
            format!("stands under `{}`; here it is `{expected}` (see LICENSES/README.md)", package.license);
        findings.push(Finding::new(&path, text));
    }
    if package.publishes {
        findings.push(Finding::new(&path, "could be published by accident; add `publish.workspace = true`"));
    }
    let manifest = tree.files.get(&path).map(String::as_str).unwrap_or_default();
    // The one crate with `unsafe` states its lints itself; a workspace's `forbid` cannot be relaxed.
    if !manifest.contains("[lints]\nworkspace = true") && package.folder != "crates/platform/sandbox" {
        findings.push(Finding::new(
            &path,
            "does not take the workspace's lints: `[lints]` with `workspace = true`",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [(&str, &str); 2] = [("LICENSE", "…"), ("LICENSES/Apache-2.0.txt", "…")];
    const MANIFEST: &str = "[package]\n\n[lints]\nworkspace = true\n";

    fn tree(folder: &str, manifest: &str) -> Tree {
        let path = format!("{folder}/Cargo.toml");
        Tree::of(&[TEXTS[0], TEXTS[1], (&path, manifest)]).with(folder, "a", &[])
    }

    #[test]
    fn a_package_in_order_passes() {
        assert_eq!(check(&tree("crates/base/types", MANIFEST)), []);
    }

    #[test]
    fn wrong_licence_missing_lints_and_publishing_are_found() {
        assert_eq!(check(&tree("sdks/rust", MANIFEST)).len(), 1, "a library for others is Apache-2.0");
        assert_eq!(check(&tree("crates/base/types", "[package]\n")).len(), 1, "no lints");
        let mut published = tree("crates/base/types", MANIFEST);
        published.packages[0].publishes = true;
        assert_eq!(check(&published).len(), 1);
    }

    #[test]
    fn strangers_and_missing_texts_are_found() {
        let stranger = Tree::of(&[TEXTS[0], TEXTS[1], ("crates/base/new/Cargo.toml", MANIFEST)]);
        assert_eq!(check(&stranger).len(), 1);
        assert_eq!(check(&Tree::default()).len(), 2);
    }
}
