//! Features that only tests may turn on. A test build unifies features over the whole workspace, so what a test needs is in
//! every crate of that build; the product is built without.

use super::Finding;
use super::tree::{Built, Package, Tree};

/// Package, feature, and what it does there.
const FOR_TESTS: &[(&str, &str, &str)] =
    &[("safeconduct-sandbox", "unguarded", "lets guards of the jail be taken away")];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for feature in FOR_TESTS {
        findings.extend(tree.packages.iter().flat_map(|package| turned_on_by(package, *feature)));
        findings.extend(in_product(&tree.product, *feature));
    }
    findings
}

/// By a dependency that is not for tests, or by a feature that passes it on.
fn turned_on_by(package: &Package, (name, feature, effect): (&str, &str, &str)) -> Vec<Finding> {
    let place = format!("{}/Cargo.toml", package.folder);
    let wanted = package.dependencies.iter().any(|dependency| {
        !dependency.dev && dependency.name == name && dependency.features.iter().any(|on| on == feature)
    });
    let direct = wanted.then(|| {
        let text = format!("turns on `{feature}` of {name}, which {effect}; only dev-dependencies may");
        Finding::new(&place, text)
    });
    let own = package.name == name;
    let passes = |on: &String| match on.split_once('/') {
        Some((of, on)) => on == feature && name.ends_with(of.trim_end_matches('?')),
        None => own && on == feature,
    };
    let passed = package.features.iter().filter(|(_, on)| on.iter().any(passes));
    let passed = passed.map(|(passing, _)| {
        let text = format!("its feature `{passing}` turns on `{feature}` of {name}, which {effect}");
        Finding::new(&place, text)
    });
    direct.into_iter().chain(passed).collect()
}

/// As Cargo itself resolves `cargo build -p safeconduct`: also what a crate from elsewhere would turn on.
fn in_product(product: &[Built], (name, feature, effect): (&str, &str, &str)) -> Option<Finding> {
    let on = |built: &Built| built.name == name && built.features.iter().any(|on| on == feature);
    let text = || format!("cargo build -p safeconduct contains `{feature}` of {name}, which {effect}");
    product.iter().any(on).then(|| Finding::new("crates/safeconduct/Cargo.toml", text()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::tree::built;
    use super::*;

    const SANDBOX: &str = "crates/platform/sandbox";

    fn house() -> Tree {
        let mut tree = Tree::default()
            .with(SANDBOX, "safeconduct-sandbox", &["dev:safeconduct-sandbox+unguarded"])
            .with("crates/domains/functions", "safeconduct-functions", &["safeconduct-sandbox"]);
        tree.packages[0].features.insert("unguarded".into(), vec![]);
        tree
    }

    #[test]
    fn tests_may_take_guards_away() {
        assert_eq!(check(&house()), []);
    }

    #[test]
    fn a_dependency_of_the_product_that_takes_guards_away_is_found() {
        let tree = house().with("crates/a", "a", &["safeconduct-sandbox+other+unguarded"]);
        let findings = check(&tree);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].place == "crates/a/Cargo.toml" && findings[0].text.contains("unguarded"));
    }

    #[test]
    fn a_feature_that_passes_it_on_is_found() {
        for (package, on) in [
            (0, "unguarded"),
            (1, "safeconduct-sandbox/unguarded"),
            (1, "sandbox/unguarded"),
            (1, "sandbox?/unguarded"),
        ] {
            let mut tree = house();
            tree.packages[package].features.insert("default".into(), vec![on.into()]);
            assert_eq!(check(&tree).len(), 1, "{on}");
        }
        let mut tree = house();
        tree.packages[1].features.insert("default".into(), vec!["web/unguarded".into(), "unguarded".into()]);
        assert_eq!(check(&tree), [], "another crate's feature of that name");
    }

    #[test]
    fn a_product_that_contains_it_is_found() {
        let mut tree = house();
        let features = vec!["default".into(), "unguarded".into()];
        tree.product = vec![Built { name: "safeconduct-sandbox".into(), features }];
        assert_eq!(check(&tree).len(), 1);
    }

    /// Cargo's own word on this workspace: the product has the sandbox without, its tests have it with the feature.
    #[test]
    fn cargo_tells_the_product_from_its_tests() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let with = |package: &str, edges: &str| {
            let built = built(root, &["--package", package, "--edges", edges]).unwrap();
            assert!(built.iter().any(|built| built.name == "safeconduct-sandbox"), "{package}");
            in_product(&built, FOR_TESTS[0]).is_some()
        };
        assert!(!with("safeconduct", "normal,build"));
        assert!(with("safeconduct-sandbox", "normal,build,dev"));
    }
}
