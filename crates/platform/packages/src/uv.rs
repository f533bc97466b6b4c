//! The program that resolves and installs: where it is, and in which version.

use std::path::{Path, PathBuf};
use std::process::Command;

/// uv, found on this machine.
#[derive(Clone, Debug)]
pub struct FoundUv {
    pub path: PathBuf,
    /// As it names itself: `uv 0.13.9`.
    pub version: String,
}

/// Asks it once who it is. The text of a refusal is for the operator.
pub fn find_uv(path: Option<&Path>) -> Result<FoundUv, String> {
    let Some(path) = path.filter(|path| path.is_file()) else {
        let place = path.map_or_else(String::new, |path| format!(" at {}", path.display()));
        return Err(format!("there is no uv{place}; install it, or name it in packages.uv"));
    };
    let path = path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))?;
    let said = Command::new(&path).arg("--version").env_clear().output();
    let said = said.map_err(|error| format!("{}: {error}", path.display()))?;
    let version = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    if !version.starts_with("uv ") {
        return Err(format!("{} does not answer like uv", path.display()));
    }
    Ok(FoundUv { path, version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_uv_is_refused_with_its_path() {
        let missing = find_uv(Some(Path::new("/does/not/exist"))).unwrap_err();
        assert!(missing.contains("/does/not/exist"), "{missing}");
        let other = find_uv(Some(Path::new("/bin/true"))).unwrap_err();
        assert!(other.contains("does not answer like uv"), "{other}");
        assert!(find_uv(None).unwrap_err().contains("packages.uv"));
    }
}
