//! Every operation of the API stands somewhere in `docs/`.

use serde_json::Value;

use super::Finding;
use super::tree::Tree;
use crate::openapi::DOCUMENT;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(document) = tree.files.get(DOCUMENT) else {
        let server = tree.packages.iter().any(|package| package.folder == "crates/safeconduct");
        let missing = || Finding::new(DOCUMENT, "is missing; write it with `cargo xtask openapi`");
        return server.then(missing).into_iter().collect();
    };
    let Ok(document) = serde_json::from_str::<Value>(document) else {
        return vec![Finding::new(DOCUMENT, "is no JSON; write it anew with `cargo xtask openapi`")];
    };
    let pages: Vec<&str> = tree.below("docs/", ".md").map(|(_, text)| text).collect();
    let undocumented = operation_ids(&document).filter(|id| pages.iter().all(|page| !names(page, id)));
    undocumented.map(|id| Finding::new("docs/", format!("no page names the operation `{id}`"))).collect()
}

fn operation_ids(document: &Value) -> impl Iterator<Item = &str> {
    let paths = document["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    let operations = paths.filter_map(Value::as_object).flat_map(|path| path.values());
    operations.filter_map(|operation| operation["operationId"].as_str())
}

/// In code marks, so that a word of the prose does not count.
fn names(page: &str, id: &str) -> bool {
    page.contains(&format!("`{id}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const API: &str =
        r#"{"paths": {"/api/v1/agents": {"post": {"operationId": "create_agent"}, "parameters": []}}}"#;

    #[test]
    fn an_operation_without_a_page_is_found() {
        assert_eq!(check(&Tree::of(&[(DOCUMENT, API)])).len(), 1);
        assert_eq!(check(&Tree::of(&[(DOCUMENT, API), ("docs/a.md", "create_agent in passing")])).len(), 1);
        assert_eq!(check(&Tree::of(&[(DOCUMENT, API), ("docs/a.md", "`create_agent` registers …")])), []);
    }

    #[test]
    fn a_server_without_a_document_is_found() {
        assert_eq!(check(&Tree::default()), []);
        assert_eq!(check(&Tree::default().with("crates/safeconduct", "safeconduct", &[])).len(), 1);
        assert_eq!(check(&Tree::of(&[(DOCUMENT, "{")])).len(), 1);
    }
}
