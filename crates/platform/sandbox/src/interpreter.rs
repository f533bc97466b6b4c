//! The interpreter that runs functions, and the host directories that it needs to run.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use thiserror::Error;

const OLDEST: (u32, u32) = (3, 10);

/// Asked of the interpreter itself: only it knows where its real prefix is (a virtual environment, a version manager
/// or a shim may stand in front of it).
const QUESTION: &str = "import json, os, sys; print(json.dumps({'version': list(sys.version_info[:3]), \
    'executable': os.path.realpath(getattr(sys, '_base_executable', None) or sys.executable), \
    'prefixes': sorted({os.path.realpath(sys.base_prefix), os.path.realpath(sys.base_exec_prefix)})}))";

/// A Python that was asked and found good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpreter {
    /// The executable itself, no link.
    pub path: PathBuf,
    pub version: (u32, u32, u32),
    prefixes: Vec<PathBuf>,
}

/// Why a Python cannot be used.
#[derive(Debug, Error)]
pub enum InterpreterError {
    #[error("{path}: {error}; install python3 or set the path of one", path = path.display())]
    Start { path: PathBuf, error: std::io::Error },
    #[error("{path} does not answer like a Python: {answer}", path = path.display())]
    Answer { path: PathBuf, answer: String },
    #[error("{path} is Python {major}.{minor}; functions need 3.10 or later", path = path.display())]
    TooOld { path: PathBuf, major: u32, minor: u32 },
}

#[derive(Deserialize)]
struct Answer {
    version: (u32, u32, u32),
    executable: PathBuf,
    prefixes: Vec<PathBuf>,
}

impl Interpreter {
    /// Starts `program` once (a path, or a name that the operator's search path knows) and asks it about itself.
    pub fn discover(program: &Path) -> Result<Self, InterpreterError> {
        let output = Command::new(program)
            .args(["-I", "-S", "-c", QUESTION])
            .output()
            .map_err(|error| InterpreterError::Start { path: program.to_owned(), error })?;
        let answer: Answer =
            serde_json::from_slice(&output.stdout).map_err(|_| InterpreterError::Answer {
                path: program.to_owned(),
                answer: String::from_utf8_lossy(&output.stderr).chars().take(200).collect(),
            })?;
        let (major, minor, _) = answer.version;
        if (major, minor) < OLDEST {
            return Err(InterpreterError::TooOld { path: program.to_owned(), major, minor });
        }
        Ok(Self { path: answer.executable, version: answer.version, prefixes: answer.prefixes })
    }

    /// The host paths that a jail sees, read-only. Everything else of the host does not exist there.
    pub(crate) fn allow_list(&self) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
        for prefix in &self.prefixes {
            // `/usr` holds the whole host; of it the executable and the libraries (already listed) are enough.
            if prefix != Path::new("/usr") && prefix != Path::new("/") {
                paths.push(prefix.clone());
            }
        }
        paths.push(self.path.clone());
        outermost(paths)
    }
}

/// Shared libraries, their index, time zones and public certificate authorities.
const SYSTEM: [&str; 7] =
    ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo", "/etc/ssl/certs"];

/// Leaves out what lies inside another path of the list, and what does not exist.
fn outermost(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    paths.retain(|path| path.symlink_metadata().is_ok());
    paths.sort();
    paths.dedup();
    let all = paths.clone();
    paths.retain(|path| !all.iter().any(|other| other != path && path.starts_with(other)));
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_python_is_found_and_never_brings_all_of_usr() {
        let python = Interpreter::discover(Path::new("python3")).unwrap();
        assert!(python.path.is_file());
        let paths = python.allow_list();
        assert!(paths.iter().all(|path| path != Path::new("/") && path != Path::new("/usr")));
        assert!(paths.iter().any(|path| python.path.starts_with(path)));
    }

    #[test]
    fn what_is_no_python_is_refused_with_its_path() {
        let error = Interpreter::discover(Path::new("/bin/false")).unwrap_err();
        assert!(matches!(error, InterpreterError::Answer { .. }), "{error}");
        let error = Interpreter::discover(Path::new("/does/not/exist")).unwrap_err();
        assert!(error.to_string().contains("/does/not/exist"));
    }
}
