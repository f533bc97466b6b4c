//! Values as policies see them. Parts are shared, not copied: what is known once per request is built once.

use std::collections::BTreeMap;

use regorus::Value;

/// Containers inside each other, in what comes from outside.
const DEPTH: usize = 32;
/// Bytes of text and values of one term that comes from outside.
const SIZE: usize = 64 * 1024;

/// A value of an input document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term(pub(crate) Value);

/// The value is larger or deeper than a policy may be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a policy's input holds at most {SIZE} bytes, {DEPTH} deep")]
pub struct TooLarge;

impl Term {
    pub const NULL: Self = Self(Value::Null);

    pub fn text(text: &str) -> Self {
        Self(text.into())
    }

    pub fn number(number: i64) -> Self {
        Self(number.into())
    }

    pub fn flag(flag: bool) -> Self {
        Self(flag.into())
    }

    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self(items.into_iter().map(|item| item.0).collect::<Vec<_>>().into())
    }

    pub fn texts<'a>(items: impl IntoIterator<Item = &'a str>) -> Self {
        Self::list(items.into_iter().map(Self::text))
    }

    /// Keys that are already values cost no allocation; see [`Term::text`].
    pub fn object(members: impl IntoIterator<Item = (Self, Self)>) -> Self {
        let members: BTreeMap<Value, Value> =
            members.into_iter().map(|(name, value)| (name.0, value.0)).collect();
        Self(members.into())
    }

    /// Foreign JSON, within bounds.
    pub fn json(value: &serde_json::Value) -> Result<Self, TooLarge> {
        let mut left = SIZE;
        read(value, DEPTH, &mut left).map(Self)
    }

    /// As JSON, members in the order of their names.
    pub fn to_json(&self) -> serde_json::Value {
        write(&self.0)
    }
}

fn read(value: &serde_json::Value, depth: usize, left: &mut usize) -> Result<Value, TooLarge> {
    let mut take = |size: usize| {
        *left = left.checked_sub(size).ok_or(TooLarge)?;
        Ok(())
    };
    match value {
        serde_json::Value::String(text) => take(text.len() + 16)?,
        _ => take(16)?,
    }
    let below = depth.checked_sub(1);
    Ok(match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(flag) => (*flag).into(),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), ..) => whole.into(),
            (_, Some(whole), _) => whole.into(),
            (.., Some(fraction)) => fraction.into(),
            _ => Value::Null,
        },
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Array(items) => {
            let below = below.ok_or(TooLarge)?;
            let items = items.iter().map(|item| read(item, below, left));
            items.collect::<Result<Vec<_>, _>>()?.into()
        }
        serde_json::Value::Object(members) => {
            let below = below.ok_or(TooLarge)?;
            let members = members.iter().map(|(name, member)| {
                *left = left.checked_sub(name.len()).ok_or(TooLarge)?;
                Ok((Value::from(name.as_str()), read(member, below, left)?))
            });
            members.collect::<Result<BTreeMap<_, _>, _>>()?.into()
        }
    })
}

/// Sets become lists; what has no form in JSON becomes null.
pub(crate) fn write(value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(flag) => (*flag).into(),
        Value::String(text) => text.as_ref().into(),
        Value::Array(items) => items.iter().map(write).collect(),
        Value::Set(items) => items.iter().map(write).collect(),
        Value::Object(members) => {
            let name = |key: &Value| match key {
                Value::String(text) => text.to_string(),
                other => other.to_json_str().unwrap_or_default(),
            };
            members.iter().map(|(key, member)| (name(key), write(member))).collect()
        }
        number @ Value::Number(_) => {
            number.to_json_str().ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
        }
        Value::Null | Value::Undefined => serde_json::Value::Null,
    }
}
