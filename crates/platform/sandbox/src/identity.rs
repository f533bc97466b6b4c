//! Under which host user and group sandboxed code runs.
//!
//! Inside every jail the code is user 1000. Outside it is one of a range (root), one of the subordinate ids that
//! `/etc/subuid` grants (ordinary user with `newuidmap`), or else the server's own user, which `doctor` notes.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::OrgSlot;

/// The one user and group that exist inside a jail.
pub(crate) const INSIDE: u32 = 1000;

/// The host ids that the sandbox may hand out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The server is root and maps ids by itself.
    Range { first: u32, count: u32 },
    /// `newuidmap` and `newgidmap` map ids for it.
    Subordinate { first_uid: u32, first_gid: u32, count: u32, helpers: [PathBuf; 2] },
    /// Nothing to hand out: sandboxed code has the server's own host user.
    Own,
}

/// How one jail is mapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum IdMap {
    Direct { uid: u32, gid: u32 },
    Helped { uid: u32, gid: u32, helpers: [PathBuf; 2] },
}

impl Identity {
    /// The best that this host permits; `first` and `count` are the range that root would use.
    pub fn detect(first: u32, count: u32) -> Self {
        if effective_uid() == 0 && is_mapped(first, count) {
            return Self::Range { first, count };
        }
        subordinate().unwrap_or(Self::Own)
    }

    /// A weakness that the operator should know of.
    pub fn note(&self) -> Option<&'static str> {
        match self {
            Self::Range { .. } | Self::Subordinate { .. } => None,
            Self::Own => Some(
                "sandboxed code runs under the server's own host user; run the server as root or grant it ids in \
                 /etc/subuid and /etc/subgid (package uidmap)",
            ),
        }
    }

    pub(crate) fn map(&self, slot: OrgSlot) -> IdMap {
        let slot = u32::from(slot.number());
        match self {
            Self::Range { first, count } => {
                let id = first + slot % count;
                IdMap::Direct { uid: id, gid: id }
            }
            Self::Subordinate { first_uid, first_gid, count, helpers } => IdMap::Helped {
                uid: first_uid + slot % count,
                gid: first_gid + slot % count,
                helpers: helpers.clone(),
            },
            Self::Own => Self::own(),
        }
    }

    pub(crate) fn own() -> IdMap {
        IdMap::Direct { uid: effective_uid(), gid: rustix::process::getegid().as_raw() }
    }
}

fn effective_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether our own user namespace knows the whole range (a container's root often does not).
fn is_mapped(first: u32, count: u32) -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.lines().any(|line| {
        let mut words = line.split_whitespace().map(str::parse::<u64>);
        let (Some(Ok(inside)), _, Some(Ok(length))) = (words.next(), words.next(), words.next()) else {
            return false;
        };
        inside <= u64::from(first) && u64::from(first) + u64::from(count) <= inside + length
    })
}

fn subordinate() -> Option<Identity> {
    let helpers = [helper("newuidmap")?, helper("newgidmap")?];
    let uid = effective_uid();
    let name = user_name(uid);
    let (first_uid, uids) = granted(Path::new("/etc/subuid"), uid, name.as_deref())?;
    let (first_gid, gids) = granted(Path::new("/etc/subgid"), uid, name.as_deref())?;
    Some(Identity::Subordinate { first_uid, first_gid, count: uids.min(gids), helpers })
}

fn helper(name: &str) -> Option<PathBuf> {
    ["/usr/bin", "/bin", "/usr/local/bin"]
        .iter()
        .map(|place| Path::new(place).join(name))
        .find(|path| path.is_file())
}

fn user_name(uid: u32) -> Option<String> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

fn granted(file: &Path, uid: u32, name: Option<&str>) -> Option<(u32, u32)> {
    parse_granted(&fs::read_to_string(file).ok()?, uid, name)
}

/// The first line `user:first:count` of this user, by name or by number.
fn parse_granted(text: &str, uid: u32, name: Option<&str>) -> Option<(u32, u32)> {
    text.lines().find_map(|line| {
        let mut fields = line.trim().split(':');
        let user = fields.next()?;
        let ours = Some(user) == name || user.parse() == Ok(uid);
        let (first, count) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        (ours && count > 0).then_some((first, count))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subordinate_ids_are_found_by_name_and_by_number() {
        let text = "other:100000:65536\nanna:165536:65536\n1007:231072:10\nempty:1:0\n";
        assert_eq!(parse_granted(text, 5, Some("anna")), Some((165_536, 65_536)));
        assert_eq!(parse_granted(text, 1007, None), Some((231_072, 10)));
        assert_eq!(parse_granted(text, 5, Some("empty")), None);
        assert_eq!(parse_granted(text, 5, Some("bert")), None);
    }

    #[test]
    fn two_organizations_never_share_a_user_of_a_full_range() {
        let range = Identity::Range { first: 2_000_000, count: 65_536 };
        let of = |number| range.map(OrgSlot::new(number).unwrap());
        assert_eq!(of(0), IdMap::Direct { uid: 2_000_000, gid: 2_000_000 });
        assert_eq!(of(65_534), IdMap::Direct { uid: 2_065_534, gid: 2_065_534 });
        assert_eq!(range.map(OrgSlot::PLATFORM), IdMap::Direct { uid: 2_065_535, gid: 2_065_535 });
        assert_eq!(OrgSlot::new(65_535), None);
    }
}
