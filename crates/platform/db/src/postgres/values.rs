//! Our values on the wire, in PostgreSQL's binary formats.

use bytes::BytesMut;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::statement::Expect;
use crate::{CommitError, DbError, Row, Statement, Value};

/// Raised by `safeconduct_expect` on a wrong row count.
pub(super) const UNEXPECTED_ROWS: &str = "PL001";

type BoxError = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        match (self, kind) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Bool(value), _) => value.to_sql(kind, out),
            (Self::Int(value), &Type::INT4) => i32::try_from(*value)?.to_sql(kind, out),
            (Self::Int(value), &Type::INT2) => i16::try_from(*value)?.to_sql(kind, out),
            (Self::Int(value), _) => value.to_sql(kind, out),
            (Self::Text(value), _) => value.to_sql(kind, out),
            (Self::Bytes(value), _) => value.to_sql(kind, out),
            (Self::Uuid(value), _) => value.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(
            *kind,
            Type::BOOL
                | Type::INT2
                | Type::INT4
                | Type::INT8
                | Type::TEXT
                | Type::VARCHAR
                | Type::BYTEA
                | Type::UUID
        )
    }

    to_sql_checked!();
}

pub(super) fn row(row: &tokio_postgres::Row) -> Result<Row, DbError> {
    let values = row.columns().iter().enumerate().map(|(index, column)| value(row, index, column.type_()));
    Ok(Row::new(values.collect::<Result<_, _>>().map_err(failed)?))
}

fn value(row: &tokio_postgres::Row, index: usize, kind: &Type) -> Result<Value, tokio_postgres::Error> {
    Ok(match *kind {
        Type::BOOL => row.try_get::<_, Option<bool>>(index)?.into(),
        Type::INT2 => row.try_get::<_, Option<i16>>(index)?.map(i32::from).into(),
        Type::INT4 => row.try_get::<_, Option<i32>>(index)?.into(),
        Type::INT8 => row.try_get::<_, Option<i64>>(index)?.into(),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(index)?.into(),
        Type::UUID => row.try_get::<_, Option<types::Uuid>>(index)?.into(),
        // `void` is what set_config-like helpers answer; nobody reads it.
        Type::VOID => Value::Null,
        _ => row.try_get::<_, Option<String>>(index)?.into(),
    })
}

pub(super) fn failed(error: tokio_postgres::Error) -> DbError {
    match error.code() {
        None => DbError::Unavailable(error.to_string()),
        Some(code) if *code == SqlState::DISK_FULL => DbError::Full,
        Some(code) if unavailable(code) => DbError::Unavailable(error.to_string()),
        Some(_) => DbError::Internal(match error.as_db_error() {
            Some(inner) => format!("{}: {}", inner.code().code(), inner.message()),
            None => error.to_string(),
        }),
    }
}

fn unavailable(code: &SqlState) -> bool {
    // Class 57: operator intervention (shutdown, crash); 53 without disk_full: out of connections or memory; 08: the
    // connection; 40: rolled back for another's sake (a read that met a deadlock may simply be asked again).
    ["57P", "53", "08", "40"].iter().any(|class| code.code().starts_with(class))
}

pub(super) fn refused(error: tokio_postgres::Error, statement: &Statement) -> CommitError {
    let Some(code) = error.code() else { return failed(error).into() };
    match (&statement.expect, statement.on_unique) {
        (Expect::OneRow(refusal), _) if code.code() == UNEXPECTED_ROWS => CommitError::Refused(refusal),
        _ if code.code() == UNEXPECTED_ROWS => CommitError::Stale,
        (_, Some(refusal)) if *code == SqlState::UNIQUE_VIOLATION => CommitError::Refused(refusal),
        // Two changes waited for each other; one was let through.
        _ if *code == SqlState::T_R_DEADLOCK_DETECTED || *code == SqlState::T_R_SERIALIZATION_FAILURE => {
            CommitError::Stale
        }
        _ => failed(error).into(),
    }
}
