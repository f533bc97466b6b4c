//! Generated files that stand in the tree: written by one command, compared by `make test`.

use std::path::Path;

use anyhow::{Context, Result, bail};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    /// Differences are an error; nothing is written.
    Check,
}

/// `command` is what writes the file anew.
pub(crate) fn settle(root: &Path, path: &str, text: &str, mode: Mode, command: &str) -> Result<()> {
    let file = root.join(path);
    if mode == Mode::Write {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        return std::fs::write(&file, text).with_context(|| format!("{path} cannot be written"));
    }
    let stored = std::fs::read_to_string(&file)
        .with_context(|| format!("{path} is missing; write it with `{command}`"))?;
    match first_difference(&stored, text) {
        None => Ok(()),
        Some(line) => bail!("{path} differs from the code at line {line}; write it anew with `{command}`"),
    }
}

fn first_difference(stored: &str, made: &str) -> Option<usize> {
    if stored == made {
        return None;
    }
    let same = stored.lines().zip(made.lines()).take_while(|(left, right)| left == right).count();
    Some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_is_an_error_that_names_line_and_command() {
        let root = std::env::temp_dir().join(format!("xtask-checked-in-{}", std::process::id()));
        settle(&root, "docs/a.md", "one\ntwo\n", Mode::Write, "make it").unwrap();
        assert!(settle(&root, "docs/a.md", "one\ntwo\n", Mode::Check, "make it").is_ok());
        let drift =
            settle(&root, "docs/a.md", "one\nthree\n", Mode::Check, "make it").unwrap_err().to_string();
        assert!(drift.contains("line 2") && drift.contains("`make it`"), "{drift}");
        assert!(settle(&root, "docs/a.md", "one\ntwo\nthree\n", Mode::Check, "make it").is_err());
        assert!(settle(&root, "docs/b.md", "", Mode::Check, "make it").is_err());
        std::fs::remove_dir_all(root).unwrap();
    }
}
