//! A member of a JSON Merge Patch (RFC 7396): left out, null, or a new value. `Option` cannot tell the first two apart.

use serde::{Deserialize, Deserializer};

/// Stands behind `#[serde(default)]`, so that what is left out is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patched<T> {
    /// Left out.
    #[default]
    Kept,
    /// `null`: as if it had never been given.
    Unset,
    Set(T),
}

impl<T> Patched<T> {
    pub fn is_kept(&self) -> bool {
        matches!(self, Self::Kept)
    }

    /// The new value, if the patch brings one.
    pub fn set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Kept | Self::Unset => None,
        }
    }

    /// What makes `after` of `before`.
    pub fn between(before: &T, after: &T) -> Self
    where
        T: Clone + PartialEq,
    {
        if before == after { Self::Kept } else { Self::Set(after.clone()) }
    }

    /// The same for what may be left out.
    pub fn between_options(before: &Option<T>, after: &Option<T>) -> Self
    where
        T: Clone + PartialEq,
    {
        if before == after {
            return Self::Kept;
        }
        after.clone().map_or(Self::Unset, Self::Set)
    }

    /// Writes the patch into `target`, whose value without any is `unset`; answers whether it says anything of it.
    pub fn write(&self, target: &mut T, unset: impl FnOnce() -> T) -> bool
    where
        T: Clone,
    {
        match self {
            Self::Kept => return false,
            Self::Unset => *target = unset(),
            Self::Set(value) => *target = value.clone(),
        }
        true
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patched<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(from)?.map_or(Self::Unset, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Change {
        name: Patched<String>,
        size: Patched<i64>,
        note: Patched<String>,
    }

    #[test]
    fn left_out_null_and_a_value_are_three_things() {
        let change: Change = serde_json::from_str(r#"{"name": null, "size": 3}"#).unwrap();
        assert_eq!(change, Change { name: Patched::Unset, size: Patched::Set(3), note: Patched::Kept });
        assert!(serde_json::from_str::<Change>(r#"{"size": "three"}"#).is_err());
    }

    #[test]
    fn unset_gives_back_what_stands_without_a_value() {
        let mut name = "given".to_owned();
        assert!(!Patched::Kept.write(&mut name, || "default".into()));
        assert_eq!(name, "given");
        assert!(Patched::Set("other".to_owned()).write(&mut name, || "default".into()));
        assert_eq!(name, "other");
        assert!(Patched::Unset.write(&mut name, || "default".into()));
        assert_eq!(name, "default");
    }
}
