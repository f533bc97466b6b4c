//! Who may step over the wall between organizations: every place that makes a scope is listed with its reason.

use super::Finding;
use super::tree::Tree;

/// File and why it may make a `SystemScope` or prove an `OrgScope`.
const LISTED: &[(&str, &str)] = &[
    ("crates/domains/access/src/grant.rs", "gives what no request asked for, such as the first owner's role"),
    ("crates/domains/access/src/index.rs", "compiles the permissions of every organization's principals"),
    ("crates/domains/access/src/seen.rs", "notes last use of keys of many organizations at once"),
    ("crates/domains/agents/src/seen.rs", "notes last use for many organizations at once"),
    ("crates/domains/agents/src/service.rs", "keeps the index of living agents of every organization"),
    ("crates/domains/files/src/links.rs", "a link says its organization, proven by its seal"),
    ("crates/domains/files/src/store/mod.rs", "uploads and links expire in every organization"),
    ("crates/domains/files/src/sweep.rs", "an expired upload ends in its own organization"),
    ("crates/domains/functions/src/executor.rs", "a leased run reads the version that it was asked for"),
    ("crates/domains/functions/src/pools.rs", "operators see the interpreters of every organization"),
    ("crates/domains/oauth/src/store.rs", "token endpoints know their issuer, not yet a caller"),
    ("crates/domains/people/src/invitations.rs", "an invitation's link names its organization"),
    (
        "crates/domains/people/src/service.rs",
        "signing in looks for a person before any organization is known",
    ),
    (
        "crates/domains/policies/src/store.rs",
        "rules are read before a request is admitted; decisions of many organizations are written at once",
    ),
    ("crates/domains/sign_in/src/service.rs", "signing in is how an organization becomes known"),
    ("crates/domains/state/src/store/mod.rs", "entries expire in every organization"),
    ("crates/domains/triggers/src/schedules/store.rs", "schedules are due in every organization"),
    (
        "crates/domains/triggers/src/hooks/deliveries.rs",
        "numbers of refused deliveries of many organizations are written at once",
    ),
    (
        "crates/domains/triggers/src/hooks/receive.rs",
        "who knocks at a hook belongs to its organization, not yet a caller",
    ),
    (
        "crates/domains/triggers/src/hooks/store.rs",
        "a delivery names its hook; what is old is swept everywhere",
    ),
    ("crates/platform/blobs/src/store.rs", "sweeps what no organization refers to any more"),
    ("crates/platform/cluster/src/feed.rs", "follows the authority log of the whole instance"),
    ("crates/platform/cluster/src/nodes.rs", "nodes belong to the instance"),
    ("crates/platform/db/src/lib.rs", "asks whether the database answers"),
    ("crates/platform/ledger/src/purge.rs", "removes a range that the caller's own scope was checked for"),
    ("crates/platform/ledger/src/read.rs", "readers follow the ledger of every organization"),
    ("crates/platform/ledger/src/store/mod.rs", "the sequencer orders the facts of every organization"),
    ("crates/platform/ledger/src/verify/mark.rs", "verification of the whole log"),
    ("crates/platform/runs/src/carry.rs", "a leased run reads its own input"),
    ("crates/platform/runs/src/end.rs", "a leased run ends in its own organization"),
    ("crates/platform/runs/src/interview.rs", "a leased run waits for its own answer"),
    ("crates/platform/runs/src/store.rs", "the queue leases runs of every organization"),
    ("crates/platform/runs/src/underway.rs", "a run's token is looked at before its caller is admitted"),
    ("crates/platform/secrets/src/check.rs", "the key check belongs to the instance"),
    ("crates/platform/secrets/src/keyring.rs", "data keys are read before any organization can be"),
    ("crates/platform/web/src/allowed.rs", "the proof that a caller was admitted"),
    ("crates/platform/web/src/idempotency.rs", "replays the answer of an admitted caller's own organization"),
    ("crates/safeconduct/src/jobs.rs", "sweeps what has expired in every organization"),
];

const MAKERS: &[&str] = &["SystemScope::new(", "OrgScope::proven("];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    check_with(tree, LISTED)
}

fn check_with(tree: &Tree, listed: &[(&str, &str)]) -> Vec<Finding> {
    let makers: Vec<&str> =
        tree.product_code().filter(|(_, text)| makes_a_scope(text)).map(|(path, _)| path).collect();
    let unlisted = makers.iter().filter(|path| listed.iter().all(|(known, _)| known != *path));
    let unlisted = unlisted.map(|path| {
        Finding::new(
            *path,
            "makes a scope of its own; take one from the request, or list it in xtask/src/tidy/scopes.rs",
        )
    });
    let stale = listed.iter().filter(|(known, _)| !makers.contains(known));
    let stale = stale.map(|(known, _)| {
        Finding::new(
            "xtask/src/tidy/scopes.rs",
            format!("{known} makes no scope any more; strike it from the list"),
        )
    });
    unlisted.chain(stale).collect()
}

fn makes_a_scope(text: &str) -> bool {
    let product = text.split("#[cfg(test)]").next().unwrap_or(text);
    let code = product.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.into_iter().any(|line| MAKERS.iter().any(|maker| line.contains(maker)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: &str = "const SWEEP: SystemScope = SystemScope::new(\"sweep\");";

    #[test]
    fn a_scope_made_elsewhere_is_found() {
        let tree = Tree::of(&[("crates/domains/agents/src/store.rs", MADE)]);
        assert_eq!(check_with(&tree, &[]).len(), 1);
        assert_eq!(check_with(&tree, &[("crates/domains/agents/src/store.rs", "because")]), []);
        let proven =
            Tree::of(&[("crates/domains/agents/src/store.rs", "db.read(OrgScope::proven(org), select)")]);
        assert_eq!(check_with(&proven, &[]).len(), 1);
    }

    #[test]
    fn tests_and_comments_may_name_it() {
        let commented = format!("// {MADE}");
        let tested = format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{ {MADE} }}");
        let files = [
            ("crates/domains/agents/src/a.rs", commented.as_str()),
            ("crates/domains/agents/src/b.rs", tested.as_str()),
            ("crates/domains/agents/tests/c.rs", MADE),
            ("crates/testing/src/d.rs", MADE),
        ];
        assert_eq!(check_with(&Tree::of(&files), &[]), []);
    }

    #[test]
    fn a_listed_place_that_makes_none_is_struck() {
        assert_eq!(
            check_with(&Tree::of(&[("crates/a/src/b.rs", "")]), &[("crates/a/src/b.rs", "because")]).len(),
            1
        );
    }
}
