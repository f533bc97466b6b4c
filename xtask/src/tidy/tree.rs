//! What the rules look at: text files that belong to the project, and what Cargo says of its packages.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

#[derive(Default)]
pub(crate) struct Tree {
    /// Path from the root, with slashes, and text.
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) packages: Vec<Package>,
    /// The crates of the product as Cargo would build them.
    pub(crate) product: Vec<Built>,
}

/// One crate of a build, with the features that are on in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Built {
    pub(crate) name: String,
    pub(crate) features: Vec<String>,
}

/// A member of the workspace.
pub(crate) struct Package {
    pub(crate) name: String,
    /// Folder of its manifest, from the root: `crates/platform/db`.
    pub(crate) folder: String,
    pub(crate) license: String,
    pub(crate) publishes: bool,
    pub(crate) dependencies: Vec<Dependency>,
    /// Name of each feature and what it turns on.
    pub(crate) features: BTreeMap<String, Vec<String>>,
}

#[derive(Clone)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Only for tests, examples and benches.
    pub(crate) dev: bool,
    /// What is turned on in it.
    pub(crate) features: Vec<String>,
}

impl Tree {
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        for path in listed(root)? {
            // Deleted files are listed until the next commit; what is no text is of no interest here.
            if let Ok(text) = std::fs::read_to_string(root.join(&path)) {
                files.insert(path, text);
            }
        }
        let product = built(root, &["--package", "safeconduct", "--edges", "normal,build"])?;
        Ok(Self { files, packages: packages(root)?, product })
    }

    /// Files below `folder` whose name ends so.
    pub(crate) fn below<'a>(
        &'a self,
        folder: &str,
        ending: &str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let wanted = move |path: &str| path.starts_with(folder) && path.ends_with(ending);
        self.files
            .iter()
            .filter(move |(path, _)| wanted(path))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Rust code of the product: what stands in some crate's `src`, without tests, benches and the testing crate.
    pub(crate) fn product_code(&self) -> impl Iterator<Item = (&str, &str)> {
        let code = self.below("crates/", ".rs").filter(|(path, _)| path.contains("/src/"));
        let tests: Vec<String> = code.flat_map(|(path, text)| test_modules(path, text)).collect();
        let is_test = move |path: &str| {
            path.starts_with("crates/testing/")
                || tests.iter().any(|module| path.starts_with(module.as_str()))
        };
        self.below("crates/", ".rs").filter(move |(path, _)| path.contains("/src/") && !is_test(path))
    }
}

/// Files that a `#[cfg(test)] mod name;` brings in: their paths begin so.
fn test_modules(path: &str, text: &str) -> Vec<String> {
    let folder = match path.rsplit_once('/') {
        Some((folder, "lib.rs" | "main.rs" | "mod.rs")) => folder,
        _ => path.trim_end_matches(".rs"),
    };
    let after = text.split("#[cfg(test)]").skip(1);
    let named = after.filter_map(|after| after.trim_start().strip_prefix("mod ")?.split_once(';'));
    let named = named.map(|(name, _)| name).filter(|name| !name.contains(char::is_whitespace));
    named.flat_map(|name| [format!("{folder}/{name}.rs"), format!("{folder}/{name}/")]).collect()
}

/// Files under version control and new ones that are not ignored.
fn listed(root: &Path) -> Result<Vec<String>> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").current_dir(root).args(list).output();
    let output = output.context("git lists the files of the tree; install it")?;
    if !output.status.success() {
        bail!("git ls-files failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8(output.stdout)?;
    Ok(text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

fn packages(root: &Path) -> Result<Vec<Package>> {
    let mut cargo = Command::new(env!("CARGO"));
    let output = cargo.current_dir(root).args(["metadata", "--no-deps", "--format-version", "1"]).output()?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    packages.iter().map(|package| package_of(root, package)).collect()
}

/// What a build takes in, by `cargo tree` with these arguments.
pub(crate) fn built(root: &Path, which: &[&str]) -> Result<Vec<Built>> {
    let mut cargo = Command::new(env!("CARGO"));
    let form = ["tree", "--locked", "--prefix", "none", "--format", "{p}|{f}"];
    let output = cargo.current_dir(root).args(form).args(which).output()?;
    if !output.status.success() {
        bail!("cargo tree failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8(output.stdout)?;
    let line = |line: &str| {
        let (package, features) = line.split_once('|')?;
        // `(*)` marks what stands further up already.
        let features = features.trim_end_matches("(*)").trim().split(',').filter(|name| !name.is_empty());
        let name = package.split(' ').next()?.to_owned();
        Some(Built { name, features: features.map(str::to_owned).collect() })
    };
    Ok(text.lines().filter_map(line).collect())
}

fn package_of(root: &Path, package: &Value) -> Result<Package> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let manifest = text(&package["manifest_path"]);
    let folder = Path::new(&manifest).parent().and_then(|folder| folder.strip_prefix(root).ok());
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let texts = |value: &Value| value.as_array().into_iter().flatten().map(text).collect::<Vec<String>>();
    let dependency = |dependency: &Value| Dependency {
        name: text(&dependency["name"]),
        dev: dependency["kind"] == "dev",
        features: texts(&dependency["features"]),
    };
    let features = package["features"].as_object().into_iter().flatten();
    Ok(Package {
        name: text(&package["name"]),
        folder: folder.with_context(|| format!("{manifest} lies outside the tree"))?.display().to_string(),
        license: text(&package["license"]),
        publishes: package["publish"].as_array().is_none_or(|registries| !registries.is_empty()),
        dependencies: dependencies.iter().map(dependency).collect(),
        features: features.map(|(name, on)| (name.clone(), texts(on))).collect(),
    })
}

#[cfg(test)]
impl Tree {
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Self { files, ..Self::default() }
    }

    /// A package whose `dependencies` are normal ones, or for tests only with `dev:` before the name; features stand behind
    /// `+`.
    pub(crate) fn with(mut self, folder: &str, name: &str, dependencies: &[&str]) -> Self {
        let dependency = |text: &&str| {
            let mut words = text.trim_start_matches("dev:").split('+').map(str::to_owned);
            let name = words.next().unwrap_or_default();
            Dependency { name, dev: text.starts_with("dev:"), features: words.collect() }
        };
        self.packages.push(Package {
            name: name.to_owned(),
            folder: folder.to_owned(),
            license: "AGPL-3.0-or-later".to_owned(),
            publishes: false,
            dependencies: dependencies.iter().map(dependency).collect(),
            features: BTreeMap::new(),
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_code_leaves_out_tests_wherever_they_stand() {
        let tree = Tree::of(&[
            (
                "crates/a/src/lib.rs",
                "mod b;\n#[cfg(test)]\nmod checks;\n#[cfg(test)]\nmod tests { mod x; }\n",
            ),
            ("crates/a/src/b.rs", "#[cfg(test)]\nmod cases;\n"),
            ("crates/a/src/b/cases.rs", ""),
            ("crates/a/src/checks/deep.rs", ""),
            ("crates/a/src/checks.rs", ""),
            ("crates/a/tests/it.rs", ""),
            ("crates/testing/src/lib.rs", ""),
        ]);
        let found: Vec<&str> = tree.product_code().map(|(path, _)| path).collect();
        assert_eq!(found, ["crates/a/src/b.rs", "crates/a/src/lib.rs"]);
    }
}
