//! Running one [`Statement`] on a connection.

use std::borrow::Cow;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql};

use crate::statement::Expect;
use crate::{CommitError, DbError, Row, Statement, Value};

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Bool(value) => ValueRef::Integer((*value).into()),
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(value) => ValueRef::Blob(value),
            Self::Uuid(value) => ValueRef::Blob(value.as_bytes()),
        }))
    }
}

/// All rows of a statement; for a write without RETURNING there are none.
pub(super) fn rows(connection: &Connection, statement: &Statement) -> rusqlite::Result<Vec<Row>> {
    let mut prepared = connection.prepare_cached(&numbered(&statement.text))?;
    let columns = prepared.column_count();
    bind(&mut prepared, &statement.params)?;
    let mut cursor = prepared.raw_query();
    let mut rows = Vec::new();
    while let Some(row) = cursor.next()? {
        let values = (0..columns).map(|index| row.get_ref(index).map(value));
        rows.push(Row::new(values.collect::<rusqlite::Result<_>>()?));
    }
    Ok(rows)
}

/// Runs a write and holds it against its expectation.
pub(super) fn write(connection: &Connection, statement: &Statement) -> Result<(), CommitError> {
    let run = || {
        let mut prepared = connection.prepare_cached(&numbered(&statement.text))?;
        bind(&mut prepared, &statement.params)?;
        prepared.raw_execute()
    };
    let touched = run().map_err(|error| refused(error, statement))?;
    match statement.expect {
        Expect::Anything => Ok(()),
        _ if touched == 1 => Ok(()),
        Expect::Fresh => Err(CommitError::Stale),
        Expect::OneRow(code) => Err(CommitError::Refused(code)),
    }
}

pub(super) fn failed(error: rusqlite::Error) -> DbError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => DbError::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::SystemIoFailure) => {
            DbError::Unavailable(error.to_string())
        }
        _ => DbError::Internal(error.to_string()),
    }
}

/// What a failure of this statement means.
pub(super) fn refused(error: rusqlite::Error, statement: &Statement) -> CommitError {
    let unique = matches!(
        error.sqlite_extended_error_code(),
        Some(rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY)
    );
    match statement.on_unique {
        Some(code) if unique => CommitError::Refused(code),
        _ => CommitError::Db(failed(error)),
    }
}

fn bind(prepared: &mut rusqlite::Statement<'_>, params: &[Value]) -> rusqlite::Result<()> {
    for (index, value) in params.iter().enumerate() {
        prepared.raw_bind_parameter(index + 1, value)?;
    }
    Ok(())
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Int(value),
        // No column holds floats; one that appears all the same is kept readable.
        ValueRef::Real(value) => Value::Text(value.to_string()),
        ValueRef::Text(value) => Value::Text(String::from_utf8_lossy(value).into_owned()),
        ValueRef::Blob(value) => Value::Bytes(value.to_vec()),
    }
}

/// `$1` means a named parameter to SQLite; `?1` is its numbered form.
fn numbered(text: &str) -> Cow<'_, str> {
    if text.contains('$') { Cow::Owned(text.replace('$', "?")) } else { Cow::Borrowed(text) }
}
