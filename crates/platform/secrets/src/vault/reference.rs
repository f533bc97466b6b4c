//! Where in a Vault a secret lies.

use serde::{Deserialize, Serialize};
use types::OrgId;

use super::VaultError;

const LONGEST: usize = 512;

/// One value in a key-value store of a Vault. `version` of none is the newest.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    pub mount: String,
    pub path: String,
    pub key: String,
    #[serde(default)]
    pub engine: Engine,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// The version of the key-value secrets engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    Kv1,
    #[default]
    Kv2,
}

/// Where an organization's own references may lead: one mount, and below it one path for each organization. Whoever could
/// name any path would read all that the server may, and have it sent to an address of theirs.
#[derive(Clone, Debug)]
pub struct Reach {
    pub mount: String,
    /// `{org}` stands for the organization's id.
    pub path: String,
}

impl Reference {
    /// # Errors
    /// What is no name in a Vault, with the member that it is.
    pub fn check(&self) -> Result<(), VaultError> {
        let invalid =
            |member: &'static str, reason: &str| VaultError::Invalid { member, reason: reason.to_owned() };
        for (member, text) in [("mount", &self.mount), ("path", &self.path)] {
            if !is_path(text) {
                return Err(invalid(member, "is letters, digits and `.`, `_`, `-` between slashes"));
            }
        }
        if self.key.is_empty() || self.key.len() > LONGEST || self.key.chars().any(char::is_control) {
            return Err(invalid("key", "is the name of one value at the path"));
        }
        if self.version.is_some() && self.engine == Engine::Kv1 {
            return Err(invalid("version", "is known to the engine `kv2` only"));
        }
        if self.version == Some(0) {
            return Err(invalid("version", "counts from 1"));
        }
        Ok(())
    }
}

impl Reach {
    /// # Errors
    /// [`VaultError::Outside`] for a place that is not the organization's.
    pub fn admit(&self, org: OrgId, reference: &Reference) -> Result<(), VaultError> {
        let below = format!("{}/", self.path.replace("{org}", &org.to_string()));
        if reference.mount == self.mount && reference.path.starts_with(&below) {
            return Ok(());
        }
        Err(VaultError::Outside { mount: self.mount.clone(), below })
    }
}

/// Nothing that a server between could resolve, decode or cut off.
pub(super) fn is_path(text: &str) -> bool {
    let is_segment = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    text.len() <= LONGEST && text.split('/').all(is_segment)
}

#[cfg(test)]
mod tests {
    use types::Id;

    use super::*;

    fn reference(path: &str) -> Reference {
        Reference {
            mount: "secret".into(),
            path: path.into(),
            key: "k".into(),
            engine: Engine::Kv2,
            version: None,
        }
    }

    #[test]
    fn a_path_is_plain() {
        for good in ["a", "a/b", "apps/oidc-1/client_secret", "v1.2"] {
            assert!(reference(good).check().is_ok(), "{good}");
        }
        let long = "a".repeat(513);
        for wrong in
            ["", "/a", "a/", "a//b", "../sys", "a/../b", "a/.", "a b", "a%2fb", "a?list=1", "a#b", "ä", &long]
        {
            assert!(reference(wrong).check().is_err(), "{wrong}");
        }
    }

    #[test]
    fn versions_are_of_kv2_and_count_from_one() {
        let with = |engine, version| Reference { engine, version, ..reference("a") }.check().is_ok();
        assert!(with(Engine::Kv2, Some(1)) && with(Engine::Kv1, None));
        assert!(!with(Engine::Kv1, Some(1)) && !with(Engine::Kv2, Some(0)));
    }

    #[test]
    fn an_organization_reaches_its_own_place_only() {
        let reach = Reach { mount: "secret".into(), path: "safeconduct/orgs/{org}".into() };
        let [one, other]: [OrgId; 2] = [1, 2].map(|number| OrgId::from_uuid(types::Uuid::from_u128(number)));
        let own = reference(&format!("safeconduct/orgs/{one}/oidc"));
        assert!(reach.admit(one, &own).is_ok());
        assert!(reach.admit(other, &own).is_err());
        for outside in [
            "safeconduct/orgs",
            "safeconduct/root",
            &format!("safeconduct/orgs/{one}"),
            &format!("safeconduct/orgs/{one}x/a"),
        ] {
            assert!(reach.admit(one, &reference(outside)).is_err(), "{outside}");
        }
        let elsewhere = Reference { mount: "other".into(), ..own };
        assert!(reach.admit(one, &elsewhere).is_err());
    }
}
