//! What `scripts/setup.sh` keeps outside of the tree.

use std::path::PathBuf;

/// A program in the cache; `what` is the word that has setup.sh install it.
#[expect(clippy::disallowed_methods, reason = "the cache lies where the scripts' environment says")]
pub(crate) fn cached(program: &str, what: &str) -> PathBuf {
    let of = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = of("XDG_CACHE_HOME")
        .map(|caches| caches.join("safeconduct"))
        .or_else(|| of("HOME").map(|home| home.join(".cache/safeconduct")));
    let program = cache.unwrap_or_default().join(program);
    assert!(program.exists(), "{} is not there: scripts/setup.sh {what} installs it", program.display());
    program
}
