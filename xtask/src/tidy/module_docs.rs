//! A reader learns from the first lines of a file what it owns and what it must not know.

use super::Finding;
use super::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let own = ["crates/", "sdks/rust/", "xtask/", "bench/"];
    let code =
        own.iter().flat_map(|folder| tree.below(folder, ".rs")).filter(|(path, _)| path.contains("/src/"));
    code.filter_map(|(path, text)| of_file(path, text, is_face(tree, path))).collect()
}

/// The first file that a reader opens: the library, or a program without one.
fn is_face(tree: &Tree, path: &str) -> bool {
    let library = path.replace("src/main.rs", "src/lib.rs");
    path.ends_with("src/lib.rs") || (path.ends_with("src/main.rs") && !tree.files.contains_key(&library))
}

fn of_file(path: &str, text: &str, is_face: bool) -> Option<Finding> {
    let lines = text.lines().take_while(|line| line.starts_with("//!")).count();
    let text = match (is_face, lines) {
        (_, 0) => "begins without `//!`: say in a line or two what the module is for",
        (true, 1..=2) => "is a crate's face: 3 to 12 lines on what it owns and what it must not know",
        (true, 13..) => "says more than 12 lines; long stories belong into ARCHITECTURE.md or docs/",
        _ => return None,
    };
    Some(Finding::new(path, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_short_and_endless_docs_are_found() {
        let long = "//! a line\n".repeat(13);
        for (path, text) in [
            ("crates/base/types/src/id.rs", "use std::fmt;\n"),
            ("crates/base/types/src/lib.rs", "//! Types.\n//! All of them.\nmod id;\n"),
            ("crates/base/types/src/lib.rs", &long),
            ("xtask/src/main.rs", "fn main() {}\n"),
        ] {
            assert_eq!(check(&Tree::of(&[(path, text)])).len(), 1, "{path}");
        }
    }

    #[test]
    fn good_docs_pass_and_tests_need_none() {
        let face = "//! The words.\n//!\n//! Knows no domain.\nmod id;\n";
        let files = [
            ("crates/base/types/src/lib.rs", face),
            ("crates/base/types/src/id.rs", "//! Typed ids.\n"),
            ("crates/base/types/src/main.rs", "//! The library is the face.\n"),
            ("crates/base/types/tests/all.rs", "fn a() {}\n"),
        ];
        assert_eq!(check(&Tree::of(&files)), []);
    }
}
