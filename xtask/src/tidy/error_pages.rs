//! `docs/errors/<code>.md` for every code of the catalogue, and no page without a code.

use super::Finding;
use super::tree::Tree;

/// Code, status and title.
type Entry = (&'static str, u16, &'static str);

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let catalogue: Vec<Entry> =
        problem::CATALOGUE.iter().map(|code| (code.name, code.status, code.title)).collect();
    check_with(tree, &catalogue)
}

fn check_with(tree: &Tree, catalogue: &[Entry]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = catalogue.iter().filter_map(|entry| of_code(tree, entry)).collect();
    for (path, _) in tree.below(FOLDER, ".md") {
        let name = path.trim_start_matches(FOLDER).trim_end_matches(".md");
        if name != "README" && catalogue.iter().all(|(code, ..)| *code != name) {
            findings.push(Finding::new(path, "belongs to no code of crates/base/problem/src/catalogue.rs"));
        }
    }
    findings
}

const FOLDER: &str = "docs/errors/";

fn of_code(tree: &Tree, (code, status, title): &Entry) -> Option<Finding> {
    let path = format!("{FOLDER}{code}.md");
    let head = format!("# `{code}` ({status}): {title}");
    match tree.files.get(&path) {
        None => Some(Finding::new(path, "is missing: what the code means, its usual cause, what to do")),
        Some(page) if !page.starts_with(&head) => {
            Some(Finding::new(path, format!("must begin with `{head}`")))
        }
        Some(page) if page.lines().count() < 5 => Some(Finding::new(path, "says too little to help anybody")),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GONE: Entry = ("gone", 410, "It was here and is no more");
    const PAGE: &str = "# `gone` (410): It was here and is no more\n\nMeaning.\n\nCause.\n\nWhat to do.\n";

    #[test]
    fn a_code_with_its_page_passes() {
        assert_eq!(check_with(&Tree::of(&[("docs/errors/gone.md", PAGE)]), &[GONE]), []);
    }

    #[test]
    fn missing_stale_and_empty_pages_are_found() {
        assert_eq!(check_with(&Tree::default(), &[GONE]).len(), 1);
        assert_eq!(check_with(&Tree::of(&[("docs/errors/gone.md", PAGE)]), &[]).len(), 1);
        let renamed = PAGE.replace("410", "404");
        assert_eq!(check_with(&Tree::of(&[("docs/errors/gone.md", &renamed)]), &[GONE]).len(), 1);
        let empty = PAGE.lines().next().unwrap_or_default();
        assert_eq!(check_with(&Tree::of(&[("docs/errors/gone.md", empty)]), &[GONE]).len(), 1);
    }
}
