//! The public SCIM tester, where `scripts/setup.sh scim` has put it.

use std::path::PathBuf;

/// The Python that has it.
#[expect(clippy::disallowed_methods, reason = "the cache lies where the scripts' environment says")]
pub fn scim_tester() -> PathBuf {
    let of = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = of("XDG_CACHE_HOME")
        .map(|caches| caches.join("safeconduct"))
        .or_else(|| of("HOME").map(|home| home.join(".cache/safeconduct")));
    let python = cache.unwrap_or_default().join("scim-tester/bin/python");
    assert!(python.exists(), "{} is not there: scripts/setup.sh scim installs it", python.display());
    python
}
