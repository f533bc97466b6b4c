//! The operator's rules: files that hold for every organization, read anew when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::RwLock;
use rego::{Bundle, Compiled, Faults, Limits, Module};

use crate::in_force::Layer;

/// What is built in. It refuses nothing, so nobody is asked while it stands untouched.
pub(crate) const DEFAULT: &str = include_str!("../../../../policies/safeconduct.rego");
pub(crate) const DEFAULT_DATA: &str = include_str!("../../../../policies/data.json");

#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("{path}: {error}")]
    Io { path: PathBuf, error: std::io::Error },
    #[error("{path}: {error}")]
    Data { path: PathBuf, error: serde_json::Error },
    #[error("{path}: {faults}")]
    Invalid { path: PathBuf, faults: Faults },
}

/// What became of a look at the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reloaded {
    Unchanged,
    /// They are in force.
    Changed,
    /// They do not compile; those before stay in force.
    Refused,
}

pub(crate) struct Files {
    directory: Option<PathBuf>,
    state: RwLock<State>,
}

struct State {
    /// None while there is nothing that could refuse.
    layer: Option<Arc<Layer>>,
    print: Print,
}

/// Names, sizes and times of the files: cheap to take, different after a change.
type Print = Vec<(PathBuf, u64, Option<SystemTime>)>;

impl Files {
    /// Files that are broken at the start stop it.
    pub(crate) fn open(directory: Option<PathBuf>) -> Result<Self, FilesError> {
        let print = directory.as_deref().map(print).transpose()?.unwrap_or_default();
        let layer = directory.as_deref().map(load).transpose()?.flatten();
        Ok(Self { directory, state: RwLock::new(State { layer, print }) })
    }

    pub(crate) fn layer(&self) -> Option<Arc<Layer>> {
        self.state.read().layer.clone()
    }

    /// Looks whether they changed; `anyway` reads them even if not.
    pub(crate) fn reload(&self, anyway: bool) -> Result<Reloaded, FilesError> {
        let Some(directory) = &self.directory else { return Ok(Reloaded::Unchanged) };
        let now = print(directory)?;
        if !anyway && now == self.state.read().print {
            return Ok(Reloaded::Unchanged);
        }
        // Remembered even if they are broken: one warning for each change is enough.
        self.state.write().print = now;
        let layer = load(directory)?;
        self.state.write().layer = layer;
        Ok(Reloaded::Changed)
    }
}

fn load(directory: &Path) -> Result<Option<Arc<Layer>>, FilesError> {
    let bundle = read(directory)?;
    if is_default(&bundle) {
        return Ok(None);
    }
    let compiled = Compiled::new(&bundle, Limits::OPERATOR)
        .map_err(|faults| FilesError::Invalid { path: directory.to_owned(), faults })?;
    Ok(Some(Arc::new(Layer { version: None, compiled })))
}

fn is_default(bundle: &Bundle) -> bool {
    let data: serde_json::Value = serde_json::from_str(DEFAULT_DATA).unwrap_or_default();
    matches!(&bundle.modules[..], [module] if module.text == DEFAULT)
        && (bundle.data == data || bundle.data.is_null())
}

/// `*.rego` without `*_test.rego`, and `data.json`.
fn read(directory: &Path) -> Result<Bundle, FilesError> {
    let mut bundle = Bundle::default();
    for path in files(directory)? {
        let text =
            std::fs::read_to_string(&path).map_err(|error| FilesError::Io { path: path.clone(), error })?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name == "data.json" {
            bundle.data = serde_json::from_str(&text).map_err(|error| FilesError::Data { path, error })?;
        } else {
            bundle.modules.push(Module { path: name, text });
        }
    }
    Ok(bundle)
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, FilesError> {
    let io = |error| FilesError::Io { path: directory.to_owned(), error };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_rule = name.ends_with(".rego") && !name.ends_with("_test.rego");
        if is_rule || name == "data.json" {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn print(directory: &Path) -> Result<Print, FilesError> {
    let of = |path: PathBuf| match std::fs::metadata(&path) {
        Ok(found) => Ok((path, found.len(), found.modified().ok())),
        Err(error) => Err(FilesError::Io { path, error }),
    };
    files(directory)?.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(with_tests: bool) -> Bundle {
        let module = |path: &str, text: &str| Module { path: path.into(), text: text.into() };
        let mut modules = vec![module("safeconduct.rego", DEFAULT)];
        if with_tests {
            modules.push(module(
                "safeconduct_test.rego",
                include_str!("../../../../policies/safeconduct_test.rego"),
            ));
        }
        Bundle { modules, data: serde_json::from_str(DEFAULT_DATA).unwrap() }
    }

    #[test]
    fn the_built_in_rules_compile_and_pass_their_tests() {
        Compiled::new(&bundle(false), Limits::OPERATOR).unwrap();
        let outcomes = rego::run_tests(&bundle(true)).unwrap();
        assert!(outcomes.len() >= 8, "{outcomes:?}");
        let failed: Vec<_> = outcomes.iter().filter(|outcome| !outcome.passed).collect();
        assert!(failed.is_empty(), "{failed:?}");
    }

    #[test]
    fn untouched_files_ask_nobody_and_broken_ones_replace_nothing() {
        let directory = std::env::temp_dir().join(format!("safeconduct-policies-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let put = |name: &str, text: &str| std::fs::write(directory.join(name), text).unwrap();
        put("safeconduct.rego", DEFAULT);
        put("data.json", DEFAULT_DATA);
        let files = Files::open(Some(directory.clone())).unwrap();
        assert!(files.layer().is_none());
        assert_eq!(files.reload(false).unwrap(), Reloaded::Unchanged);
        put("more.rego", "package safeconduct\ndeny contains \"closed\" if true");
        assert_eq!(files.reload(false).unwrap(), Reloaded::Changed);
        let working = files.layer().unwrap();
        put("more.rego", "package safeconduct\ndeny contains ");
        assert!(matches!(files.reload(false), Err(FilesError::Invalid { .. })));
        assert!(Arc::ptr_eq(&files.layer().unwrap(), &working));
        assert!(Files::open(Some(directory.clone())).is_err(), "a broken start");
        put("data.json", "{");
        assert!(matches!(files.reload(false), Err(FilesError::Data { .. })));
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(matches!(files.reload(true), Err(FilesError::Io { .. })));
        assert!(Arc::ptr_eq(&files.layer().unwrap(), &working));
    }
}
