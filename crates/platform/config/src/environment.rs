//! The process environment as a value: read once, at the start, and handed on.

use std::collections::BTreeMap;
use std::path::Path;

pub(crate) const PREFIX: &str = "SAFECONDUCT_";

/// Variables of the command line, which are no settings of the server.
pub(crate) const OF_THE_CLIENT: &[&str] = &["SAFECONDUCT_PROFILE", "SAFECONDUCT_TOKEN", "SAFECONDUCT_URL"];

/// Variables and who runs the process. Tests build their own.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    is_root: bool,
}

impl Environment {
    /// The environment of this process. Bytes that are no UTF-8 are replaced, so that a bad value is named later.
    #[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
    pub fn of_process() -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let variables = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        Self { variables, is_root: rustix::process::geteuid().is_root() }
    }

    /// Exactly these variables, of an ordinary user.
    pub fn of<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self { variables: variables.into_iter().map(owned).collect(), is_root: false }
    }

    #[must_use]
    pub fn as_root(mut self) -> Self {
        self.is_root = true;
        self
    }

    /// The variable's value; empty counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Variables that are meant for us, set to something.
    pub(crate) fn ours(&self) -> impl Iterator<Item = (&str, &str)> {
        let ours =
            self.variables.iter().filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty());
        ours.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// `/var/lib/safeconduct` for root, else `safeconduct` under the XDG data directory.
pub(crate) fn data_dir(environment: &Environment) -> Option<String> {
    if environment.is_root {
        return Some("/var/lib/safeconduct".to_owned());
    }
    // The XDG specification has relative paths ignored.
    let xdg = environment
        .get("XDG_DATA_HOME")
        .filter(|path| path.starts_with('/'))
        .map(|path| Path::new(path).into());
    let base = xdg.or_else(|| environment.get("HOME").map(|home| Path::new(home).join(".local/share")));
    base.map(|base| base.join("safeconduct").display().to_string())
}

/// The first uv on the path, or the one of the project's own cache.
pub(crate) fn uv(environment: &Environment) -> Option<String> {
    let path = environment.get("PATH").unwrap_or_default();
    let found =
        path.split(':').filter(|place| place.starts_with('/')).map(|place| Path::new(place).join("uv"));
    let cache = environment.get("XDG_CACHE_HOME").map(|cache| Path::new(cache).to_owned());
    let cache = cache.or_else(|| environment.get("HOME").map(|home| Path::new(home).join(".cache")));
    let cached = cache.map(|cache| cache.join("safeconduct/uv/bin/uv"));
    found.chain(cached).find(|path| path.is_file()).map(|path| path.display().to_string())
}
