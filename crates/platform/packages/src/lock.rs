//! What a set of requirements led to: exact versions with the hashes of their files. Read as strictly as anything foreign,
//! because a jail wrote it; written again in one form, whose SHA-256 is its name.

use std::fmt::Write;
use std::sync::Arc;

use crypto::hash::sha256;

use crate::Name;

/// A lock; clones share it.
#[derive(Clone, Debug)]
pub struct Lock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    text: String,
    sha256: [u8; 32],
    packages: Vec<Locked>,
}

/// One package of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    pub name: Name,
    pub version: String,
    /// SHA-256 of its wheels, in hexadecimal.
    hashes: Vec<String>,
    /// Which packages brought it along; none for what was asked for itself alone.
    pub via: Vec<Name>,
}

/// A text that is no lock.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the lock is not one: {0}")]
pub struct Unlocked(String);

const LONGEST: usize = 1 << 20;
const MOST_PACKAGES: usize = 300;
const LONGEST_VERSION: usize = 100;

impl Lock {
    /// Reads a lock, as uv prints it or as it was kept. `interpreter` is written in front, so that another interpreter is
    /// another lock.
    pub fn read(text: &str, interpreter: &str) -> Result<Self, Unlocked> {
        if text.len() > LONGEST {
            return Err(Unlocked(format!("it is longer than {LONGEST} bytes")));
        }
        let mut packages: Vec<Locked> = Vec::new();
        for line in text.lines() {
            let line = line.trim().trim_end_matches('\\').trim_end();
            let wrong = || Unlocked(line.chars().take(100).collect());
            match (line.strip_prefix('#'), line.strip_prefix("--hash=sha256:")) {
                _ if line.is_empty() => {}
                (Some(comment), _) => note(packages.last_mut(), comment),
                (_, Some(hash)) => {
                    packages.last_mut().ok_or_else(wrong)?.hashes.push(digest(hash).ok_or_else(wrong)?)
                }
                _ => packages.push(package(line).ok_or_else(wrong)?),
            }
        }
        if packages.len() > MOST_PACKAGES {
            return Err(Unlocked(format!("it has more than {MOST_PACKAGES} packages")));
        }
        if let Some(bare) = packages.iter().find(|package| package.hashes.is_empty()) {
            return Err(Unlocked(format!("{} has no hash", bare.name)));
        }
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some([twice, _]) = packages.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(Unlocked(format!("{} stands there twice", twice.name)));
        }
        Ok(Self::of(packages, interpreter))
    }

    /// One that was kept: it says itself for which interpreter.
    pub fn kept(text: &str) -> Result<Self, Unlocked> {
        Self::read(text, interpreter(text).ok_or_else(|| Unlocked("it names no interpreter".into()))?)
    }

    fn of(mut packages: Vec<Locked>, interpreter: &str) -> Self {
        let mut text = format!("# for {interpreter}\n");
        for package in &mut packages {
            package.hashes.sort();
            package.hashes.dedup();
            package.via.sort();
            package.via.dedup();
            // Writing to a String cannot fail.
            let _ = write!(text, "{}=={}", package.name, package.version);
            for hash in &package.hashes {
                let _ = write!(text, " \\\n    --hash=sha256:{hash}");
            }
            text.push('\n');
            if !package.via.is_empty() {
                let via: Vec<&str> = package.via.iter().map(Name::as_str).collect();
                let _ = writeln!(text, "    # via {}", via.join(", "));
            }
        }
        Self(Arc::new(Inner { sha256: sha256(text.as_bytes()), text, packages }))
    }

    pub fn text(&self) -> &str {
        &self.0.text
    }

    pub fn interpreter(&self) -> Option<&str> {
        interpreter(&self.0.text)
    }

    pub fn sha256(&self) -> [u8; 32] {
        self.0.sha256
    }

    pub fn packages(&self) -> &[Locked] {
        &self.0.packages
    }
}

fn interpreter(text: &str) -> Option<&str> {
    text.lines().next()?.strip_prefix("# for ")
}

/// `name==version`.
fn package(line: &str) -> Option<Locked> {
    let (name, version) = line.split_once("==")?;
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b".!+-_".contains(&byte);
    let fits = (1..=LONGEST_VERSION).contains(&version.len()) && version.bytes().all(is_one);
    let name: Name = name.parse().ok()?;
    fits.then(|| Locked { name, version: version.to_owned(), hashes: Vec::new(), via: Vec::new() })
}

fn digest(text: &str) -> Option<String> {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    (text.len() == 64 && is_hex).then(|| text.to_owned())
}

/// `via a, b`, also over several lines.
fn note(package: Option<&mut Locked>, comment: &str) {
    let Some(package) = package else { return };
    let comment = comment.trim();
    let names = comment.strip_prefix("via").unwrap_or(comment);
    package
        .via
        .extend(names.split(',').filter_map(|name| name.trim().parse::<Name>().ok()).take(MOST_PACKAGES));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn what_uv_prints_is_read_and_kept_in_one_form() {
        let text = format!(
            "urllib3==2.5.0 \\\n    --hash=sha256:{HASH} \\\n    --hash=sha256:{}\n    # via\n    #   requests\n    #   Other_One\n\
             requests==2.32.3 \\\n    --hash=sha256:{HASH}\n    # via -r -\n",
            HASH.replace('0', "f")
        );
        let lock = Lock::read(&text, "cp311").unwrap();
        let names: Vec<&str> = lock.packages().iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["requests", "urllib3"]);
        let via: Vec<&str> = lock.packages()[1].via.iter().map(Name::as_str).collect();
        assert_eq!(via, ["other-one", "requests"]);
        assert!(lock.packages()[0].via.is_empty());
        let again = Lock::kept(lock.text()).unwrap();
        assert_eq!((again.text(), again.sha256()), (lock.text(), lock.sha256()));
        assert_ne!(Lock::read(&text, "cp312").unwrap().sha256(), lock.sha256());
    }

    #[test]
    fn what_is_no_exact_version_with_a_hash_is_refused() {
        for wrong in [
            "requests==1".to_owned(),
            format!("--hash=sha256:{HASH}"),
            format!("requests>=1 \\\n --hash=sha256:{HASH}"),
            format!("requests==1 ; sys_platform == 'linux' \\\n --hash=sha256:{HASH}"),
            format!("x @ file:///etc/passwd \\\n --hash=sha256:{HASH}"),
            format!("-r other.txt\nx==1 \\\n --hash=sha256:{HASH}"),
            format!("--index-url https://evil.example\nx==1 \\\n --hash=sha256:{HASH}"),
            "x==1 \\\n --hash=sha256:abc".to_owned(),
            "x==1 \\\n --hash=md5:0123".to_owned(),
            format!("x==1 \\\n --hash=sha256:{HASH}\nX==2 \\\n --hash=sha256:{HASH}"),
            format!("x==1 --no-binary \\\n --hash=sha256:{HASH}"),
        ] {
            assert!(Lock::read(&wrong, "cp311").is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_lock_that_reads_the_same_again_or_an_error(text in "[-a-z=\\\\ #:\n0-9]{0,120}") {
            if let Ok(lock) = Lock::read(&text, "cp311") {
                prop_assert_eq!(Lock::kept(lock.text()).unwrap().sha256(), lock.sha256());
            }
        }
    }
}
