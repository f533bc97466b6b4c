//! Values that go into statements and rows that come out, the same for both databases.

use types::{Id, Timestamp, Uuid};

use crate::DbError;

/// One parameter or column. SQLite keeps a UUID as 16 bytes and a boolean as 0 or 1; reading knows both forms.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    Uuid(Uuid),
}

macro_rules! into_value {
    ($($from:ty => $value:ident => $into:expr;)+) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $into
            }
        }
    )+};
}

into_value! {
    bool => value => Value::Bool(value);
    i64 => value => Value::Int(value);
    i32 => value => Value::Int(value.into());
    u32 => value => Value::Int(value.into());
    String => value => Value::Text(value);
    &str => value => Value::Text(value.to_owned());
    &String => value => Value::Text(value.clone());
    Vec<u8> => value => Value::Bytes(value);
    &[u8] => value => Value::Bytes(value.to_vec());
    [u8; 32] => value => Value::Bytes(value.to_vec());
    Uuid => value => Value::Uuid(value);
    Timestamp => value => Value::Int(value.millis());
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row, read from left to right: `Agent { id: row.id()?, name: row.next()?, … }`.
#[derive(Debug, Clone)]
pub struct Row {
    columns: std::vec::IntoIter<Value>,
}

impl Row {
    pub fn new(columns: Vec<Value>) -> Self {
        Self { columns: columns.into_iter() }
    }

    /// The next column.
    #[expect(clippy::should_implement_trait, reason = "each column has a type of its own")]
    pub fn next<T: FromValue>(&mut self) -> Result<T, DbError> {
        let value = self
            .columns
            .next()
            .ok_or_else(|| DbError::Internal("a row is shorter than its reader".into()))?;
        T::from_value(value)
    }

    /// The next column as an id.
    pub fn id<I: Id>(&mut self) -> Result<I, DbError> {
        self.next::<Uuid>().map(I::from_uuid)
    }

    pub fn optional_id<I: Id>(&mut self) -> Result<Option<I>, DbError> {
        Ok(self.next::<Option<Uuid>>()?.map(I::from_uuid))
    }

    /// The next column, parsed from its text (enums, names).
    pub fn parse<T: std::str::FromStr>(&mut self) -> Result<T, DbError> {
        let text: String = self.next()?;
        text.parse().map_err(|_| DbError::Internal(format!("stored text {text:?} is not of its kind")))
    }

    /// The next column, read as JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, DbError> {
        let text: String = self.next()?;
        serde_json::from_str(&text).map_err(|error| DbError::Internal(format!("stored JSON: {error}")))
    }
}

pub trait FromValue: Sized {
    fn from_value(value: Value) -> Result<Self, DbError>;
}

fn mismatch(expected: &'static str, value: &Value) -> DbError {
    DbError::Internal(format!("expected a column of {expected}, found {value:?}"))
}

macro_rules! from_value {
    ($($into:ty, $expected:literal: { $($pattern:pat => $value:expr,)+ })+) => {$(
        impl FromValue for $into {
            fn from_value(value: Value) -> Result<Self, DbError> {
                match value {
                    $($pattern => Ok($value),)+
                    other => Err(mismatch($expected, &other)),
                }
            }
        }
    )+};
}

from_value! {
    bool, "boolean": { Value::Bool(value) => value, Value::Int(value @ 0..=1) => value == 1, }
    i64, "integer": { Value::Int(value) => value, }
    String, "text": { Value::Text(value) => value, }
    Vec<u8>, "bytes": { Value::Bytes(value) => value, }
    Timestamp, "time": { Value::Int(value) => Timestamp::from_millis(value), }
}

impl FromValue for Uuid {
    fn from_value(value: Value) -> Result<Self, DbError> {
        match value {
            Value::Uuid(value) => Ok(value),
            Value::Bytes(bytes) => {
                Self::from_slice(&bytes).map_err(|_| mismatch("uuid", &Value::Bytes(bytes)))
            }
            other => Err(mismatch("uuid", &other)),
        }
    }
}

impl FromValue for [u8; 32] {
    fn from_value(value: Value) -> Result<Self, DbError> {
        let bytes = Vec::<u8>::from_value(value)?;
        Self::try_from(bytes.as_slice()).map_err(|_| mismatch("32 bytes", &Value::Bytes(bytes)))
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Self, DbError> {
        match value {
            Value::Null => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }
}
