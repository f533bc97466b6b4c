//! Engines, clients and recorders are named by one crate each; all others go through it.

use super::Finding;
use super::tree::Tree;

/// A dependency, the folders that may name it, and why.
const OWNERS: &[(&str, &[&str], &str)] = &[
    ("rusqlite", &["crates/platform/db", "crates/testing", "bench"], "SQL runs through platform/db"),
    ("tokio-postgres", &["crates/platform/db", "crates/testing", "bench"], "SQL runs through platform/db"),
    ("deadpool-postgres", &["crates/platform/db"], "SQL runs through platform/db"),
    ("simple-dns", &["crates/platform/dns"], "names are asked for in platform/dns"),
    ("reqwest", &["crates/platform/egress", "sdks/rust", "bench"], "the one way out is platform/egress"),
    ("aws-lc-rs", &["crates/base/crypto", "sdks/rust"], "cryptography is spoken through base/crypto"),
    ("ldap3", &["crates/domains/sign_in"], "directories are asked in sign_in/src/directory"),
    ("rustls", &["crates/platform/egress"], "TLS to addresses of others is spoken in platform/egress"),
    ("lettre", &["crates/platform/mail"], "letters leave by platform/mail"),
    ("argon2", &["crates/domains/sign_in"], "passwords of people are hashed in one bounded place"),
    ("tracing-subscriber", &["crates/platform/telemetry"], "logs are set up in platform/telemetry"),
    (
        "metrics-exporter-prometheus",
        &["crates/platform/telemetry"],
        "metrics are recorded in platform/telemetry",
    ),
    ("regorus", &["crates/platform/rego"], "Rego is run within bounds in platform/rego"),
    ("landlock", &["crates/platform/sandbox"], "the jail is built in platform/sandbox"),
    ("seccompiler", &["crates/platform/sandbox"], "the jail is built in platform/sandbox"),
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &tree.packages {
        for dependency in package.dependencies.iter().filter(|dependency| !dependency.dev) {
            let owner = OWNERS.iter().find(|(name, ..)| *name == dependency.name);
            if let Some((name, _, why)) =
                owner.filter(|(_, folders, _)| !folders.contains(&package.folder.as_str()))
            {
                findings
                    .push(Finding::new(format!("{}/Cargo.toml", package.folder), format!("`{name}`: {why}")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_way_out_is_found() {
        let tree = Tree::default().with("crates/platform/egress", "egress", &["reqwest"]).with(
            "crates/domains/webhooks",
            "webhooks",
            &["reqwest", "dev:rusqlite"],
        );
        let findings = check(&tree);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].place.contains("webhooks") && findings[0].text.contains("reqwest"));
    }
}
