//! Arrows point down only: base ← platform ← domains ← the server and the command line.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::tree::{Package, Tree};

/// Which domain may call which other's facade. Anything else goes by the ledger. Must stay without circles.
const DOMAIN_EDGES: &[(&str, &str)] = &[
    ("agents", "access"),
    ("agents", "audit"),
    ("agents", "people"),
    // A link opens only while whoever made it may read the file.
    ("files", "access"),
    ("functions", "access"),
    // A version names secrets, which its runs are given.
    ("functions", "named_secrets"),
    // Whoever answers for a use must still hold it.
    ("named_secrets", "access"),
    ("oauth", "access"),
    ("oauth", "agents"),
    ("oauth", "audit"),
    ("oauth", "people"),
    ("people", "access"),
    // Rights and standing of whoever a question is about.
    ("policies", "access"),
    ("policies", "agents"),
    // SCIM is another face of these three, with the same rules behind it.
    ("scim", "access"),
    ("scim", "agents"),
    ("scim", "people"),
    ("sign_in", "access"),
    ("sign_in", "people"),
    // A trigger calls functions as its owner would, and asks what the owner holds.
    ("triggers", "access"),
    ("triggers", "functions"),
];

/// What does input or output or runs tasks has no place in `base`.
const NOT_IN_BASE: &[&str] = &[
    "axum",
    "deadpool-postgres",
    "hyper",
    "hyper-util",
    "nix",
    "reqwest",
    "rusqlite",
    "rustix",
    "socket2",
    "tempfile",
    "tokio",
    "tokio-postgres",
    "tokio-util",
    "tower",
    "tower-http",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    /// Client libraries for others: they know nothing of the server's crates.
    Sdk,
    Base,
    Platform,
    Domain,
    /// The command line speaks to a server over HTTP, so it knows no domain.
    Cli,
    Server,
    Testing,
    Tool,
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    check_with(tree, DOMAIN_EDGES)
}

fn check_with(tree: &Tree, edges: &[(&str, &str)]) -> Vec<Finding> {
    let tiers: BTreeMap<&str, (Tier, &str)> = tree
        .packages
        .iter()
        .filter_map(|package| Some((package.name.as_str(), (tier(&package.folder)?, room(&package.folder)))))
        .collect();
    let mut findings: Vec<Finding> =
        tree.packages.iter().flat_map(|package| of_package(package, &tiers, edges)).collect();
    findings.extend(circle(edges).map(|circle| {
        Finding::new("xtask/src/tidy/tiers.rs", format!("the domain edges run in a circle: {circle}"))
    }));
    findings
}

fn of_package(
    package: &Package,
    tiers: &BTreeMap<&str, (Tier, &str)>,
    edges: &[(&str, &str)],
) -> Vec<Finding> {
    let Some(own) = tier(&package.folder) else {
        let text =
            format!("{} stands in no tier; crates live in crates/{{base,platform,domains}}/…", package.name);
        return vec![Finding::new(&package.folder, text)];
    };
    let mut findings = Vec::new();
    let mut find = |text: String| findings.push(Finding::new(format!("{}/Cargo.toml", package.folder), text));
    for dependency in &package.dependencies {
        if own == Tier::Base && !dependency.dev && NOT_IN_BASE.contains(&dependency.name.as_str()) {
            find(format!("base does no input or output, so it cannot use `{}`", dependency.name));
        }
        let Some((other, room_of_other)) = tiers.get(dependency.name.as_str()) else { continue };
        let allowed = match (own, other) {
            (Tier::Domain, Tier::Domain) => edges.contains(&(room(&package.folder), room_of_other)),
            (_, Tier::Testing) => dependency.dev,
            // The server's own tests may need what the server does not.
            (own, other) => may_know(own, *other) || (dependency.dev && own == Tier::Server),
        };
        if !allowed {
            let hint = match (own, other) {
                (Tier::Domain, Tier::Domain) => {
                    "; domains hear of each other by the ledger, or by an edge in DOMAIN_EDGES"
                }
                _ => "; arrows point down only",
            };
            find(format!(
                "{own:?} `{}` cannot know {other:?} `{}`{hint}",
                room(&package.folder),
                dependency.name
            ));
        }
    }
    findings
}

fn may_know(own: Tier, other: Tier) -> bool {
    match own {
        Tier::Sdk => false,
        Tier::Base => other == Tier::Base,
        Tier::Platform => matches!(other, Tier::Base | Tier::Platform),
        Tier::Domain => matches!(other, Tier::Base | Tier::Platform),
        Tier::Cli => matches!(other, Tier::Sdk | Tier::Base | Tier::Platform),
        Tier::Server | Tier::Testing | Tier::Tool => true,
    }
}

fn tier(folder: &str) -> Option<Tier> {
    let parts: Vec<&str> = folder.split('/').collect();
    match parts[..] {
        ["sdks", _] => Some(Tier::Sdk),
        ["crates", "base", _] => Some(Tier::Base),
        ["crates", "platform", _] => Some(Tier::Platform),
        ["crates", "domains", _] => Some(Tier::Domain),
        ["crates", "cli"] => Some(Tier::Cli),
        ["crates", "safeconduct"] => Some(Tier::Server),
        ["crates", "testing"] => Some(Tier::Testing),
        ["xtask"] | ["bench"] => Some(Tier::Tool),
        _ => None,
    }
}

fn room(folder: &str) -> &str {
    folder.rsplit('/').next().unwrap_or(folder)
}

/// One circle of the edges as text, if there is any.
fn circle(edges: &[(&str, &str)]) -> Option<String> {
    let mut open: BTreeSet<(&str, &str)> = edges.iter().copied().collect();
    // Edges into a room that leads nowhere cannot be part of a circle.
    loop {
        let leading: BTreeSet<&str> = open.iter().map(|(from, _)| *from).collect();
        let before = open.len();
        open.retain(|(_, to)| leading.contains(to));
        if open.len() == before {
            break;
        }
    }
    let rooms: Vec<String> = open.iter().map(|(from, to)| format!("{from} → {to}")).collect();
    (!rooms.is_empty()).then(|| rooms.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house() -> Tree {
        Tree::default()
            .with("crates/base/types", "types", &["serde"])
            .with("crates/platform/db", "db", &["types", "tokio"])
            .with("crates/domains/agents", "agents", &["db", "types", "dev:testing"])
            .with("crates/domains/people", "people", &["db"])
            .with("crates/testing", "testing", &["db"])
            .with("crates/cli", "cli", &["client", "types"])
            .with("crates/safeconduct", "safeconduct", &["agents", "people", "cli", "dev:testing"])
            .with("sdks/rust", "client", &["serde"])
    }

    #[test]
    fn a_house_in_order_has_no_finding() {
        assert_eq!(check_with(&house(), &[]), []);
    }

    #[test]
    fn arrows_that_point_up_or_sideways_are_found() {
        for (folder, dependency) in [
            ("crates/base/crypto", "db"),
            ("crates/platform/ledger", "agents"),
            ("crates/platform/ledger", "safeconduct"),
            ("crates/domains/oauth", "agents"),
            ("crates/domains/oauth", "testing"),
            ("crates/cli", "agents"),
            ("sdks/go", "types"),
        ] {
            let findings = check_with(&house().with(folder, "new", &[dependency]), &[]);
            assert_eq!(findings.len(), 1, "{folder} → {dependency}: {findings:?}");
            assert!(findings[0].text.contains(dependency), "{findings:?}");
        }
    }

    #[test]
    fn a_listed_edge_between_domains_is_allowed_one_way() {
        let tree = house().with("crates/domains/oauth", "oauth", &["agents"]);
        assert_eq!(check_with(&tree, &[("oauth", "agents")]), []);
        assert_eq!(check_with(&tree, &[("agents", "oauth")]).len(), 1);
    }

    #[test]
    fn circles_of_edges_are_found() {
        let edges = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")];
        let findings = check_with(&Tree::default(), &edges);
        assert!(findings[0].text.contains("a → b") && !findings[0].text.contains("c → d"), "{findings:?}");
        assert_eq!(check_with(&Tree::default(), &edges[..2]), []);
    }

    #[test]
    fn base_does_no_input_or_output() {
        let findings = check_with(
            &Tree::default().with("crates/base/merkle", "merkle", &["tokio", "dev:tempfile"]),
            &[],
        );
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].text.contains("tokio"));
    }

    #[test]
    fn a_crate_outside_of_every_tier_is_found() {
        assert_eq!(check_with(&Tree::default().with("crates/utils", "utils", &[]), &[]).len(), 1);
    }
}
