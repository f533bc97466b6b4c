//! A transaction in one flight: BEGIN, the scope, every statement and COMMIT are sent without waiting for each other.
//!
//! The server itself checks expectations (`safeconduct_expect` raises `PL001`), so that COMMIT can be on its way before
//! the first answer. After an error PostgreSQL skips to the end of the transaction and COMMIT rolls back; since the first
//! failed statement is then known to us, an unnoticed ROLLBACK is impossible.

use std::borrow::Cow;

use deadpool_postgres::ClientWrapper;
use futures::future::join_all;
use types::Id;

use super::pool::{Pool, prepare};
use super::values::{failed, refused, row};
use crate::change::Guard;
use crate::statement::Expect;
use crate::{Bookkeeping, Change, CommitError, Committed, DbError, Row, Scope, Statement, Value, sql};

/// The authority revision of this transaction; who listens hears of it at the COMMIT.
pub(crate) const NOTIFIED_HEAD: &str =
    "SELECT revision, pg_notify('safeconduct_authority', revision::text) FROM authority_head";

pub(super) async fn read(pool: &Pool, scope: &Scope, statement: &Statement) -> Result<Vec<Row>, DbError> {
    let connection = pool.connection().await?;
    let rows = match scope {
        Scope::System(_) => query(&connection, statement).await.map_err(failed)?,
        Scope::Org(_) => {
            // A read belongs to a transaction so that the organization is set for it alone.
            let select = statement.clone();
            let mut rows = fly(&connection, scope, vec![select]).await.map_err(read_error)?;
            rows.pop().unwrap_or_default()
        }
    };
    rows.iter().map(row).collect()
}

pub(super) async fn commit(pool: &Pool, change: Change) -> Result<Committed, CommitError> {
    let connection = pool.connection().await?;
    let (scope, has_authority) = (change.scope, !change.authority.is_empty());
    let answers = fly(&connection, &scope, statements_of(change)).await?;
    Ok(committed(answers, has_authority))
}

/// Everything that a change does, in order; the last one answers the authority revision, if it has one.
pub(super) fn statements_of(mut change: Change) -> Vec<Statement> {
    let has_authority = !change.authority.is_empty();
    let guards = change.ordered_guards();
    let held = |guard: &Guard| if guard.exclusive { checked(guard.advance()) } else { hold(guard) };
    let mut statements: Vec<Statement> = guards.iter().map(held).collect();
    statements.extend(change.flight().into_iter().map(checked));
    statements.extend(change.facts.into_iter().map(|fact| fact.insert()));
    if change.wakes_queue {
        statements.push(sql("SELECT pg_notify('safeconduct_queue', '')", vec![]));
    }
    if has_authority {
        statements.push(sql(NOTIFIED_HEAD, vec![]));
    }
    statements
}

pub(super) fn committed(mut answers: Vec<Vec<tokio_postgres::Row>>, has_authority: bool) -> Committed {
    let authority_revision = match answers.pop() {
        Some(rows) if has_authority => rows.first().map(|head| head.get::<_, i64>(0)),
        _ => None,
    };
    Committed { authority_revision }
}

pub(super) async fn keep(pool: &Pool, books: Bookkeeping) -> Result<Vec<Vec<Row>>, CommitError> {
    let connection = pool.connection().await?;
    let count = books.statements.len();
    let mut statements: Vec<Statement> = books.statements.into_iter().map(checked).collect();
    if books.wakes_queue {
        statements.push(sql("SELECT pg_notify('safeconduct_queue', '')", vec![]));
    }
    let answers = fly(&connection, &books.scope, statements).await?;
    let rows = |rows: &Vec<tokio_postgres::Row>| rows.iter().map(row).collect::<Result<Vec<_>, _>>();
    Ok(answers.iter().take(count).map(rows).collect::<Result<_, DbError>>()?)
}

/// Sends all of it at once; the rows of each statement, or the first statement's refusal.
pub(super) async fn fly(
    connection: &ClientWrapper,
    scope: &Scope,
    statements: Vec<Statement>,
) -> Result<Vec<Vec<tokio_postgres::Row>>, CommitError> {
    let mut all = Vec::with_capacity(statements.len() + 3);
    all.push(sql("BEGIN", vec![]));
    if let Scope::Org(scope) = scope {
        let org: Value = scope.org().uuid().to_string().into();
        all.push(sql("SELECT set_config('safeconduct.org', $1, true)", vec![org]));
    }
    let skipped = all.len();
    all.extend(statements);
    all.push(sql("COMMIT", vec![]));
    let mut answers = pipelined(connection, &all).await?;
    answers.pop();
    Ok(answers.split_off(skipped))
}

/// All of it at once; the rows of each, or the refusal of the first that was refused.
pub(super) async fn pipelined(
    connection: &ClientWrapper,
    all: &[Statement],
) -> Result<Vec<Vec<tokio_postgres::Row>>, CommitError> {
    let mut prepared = Vec::with_capacity(all.len());
    for statement in all {
        prepared.push(prepare(connection, &statement.text).await.map_err(failed)?);
    }
    let queries =
        all.iter().zip(&prepared).map(|(statement, prepared)| send(connection, statement, prepared));
    let mut answers = Vec::with_capacity(all.len());
    let mut first_error = None;
    for (answer, statement) in join_all(queries).await.into_iter().zip(all) {
        match answer {
            Ok(rows) => answers.push(rows),
            Err(error) if first_error.is_none() => first_error = Some(refused(error, statement)),
            Err(_) => {}
        }
    }
    first_error.map_or(Ok(answers), Err)
}

async fn query(
    connection: &ClientWrapper,
    statement: &Statement,
) -> Result<Vec<tokio_postgres::Row>, tokio_postgres::Error> {
    let prepared = prepare(connection, &statement.text).await?;
    send(connection, statement, &prepared).await
}

async fn send(
    connection: &ClientWrapper,
    statement: &Statement,
    prepared: &tokio_postgres::Statement,
) -> Result<Vec<tokio_postgres::Row>, tokio_postgres::Error> {
    let params: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> =
        statement.params.iter().map(|value| value as &(dyn tokio_postgres::types::ToSql + Sync)).collect();
    connection.query(prepared, &params).await
}

/// The server counts the rows of a write that has an expectation.
pub(super) fn checked(mut statement: Statement) -> Statement {
    if !matches!(statement.expect, Expect::Anything) {
        let counted = "SELECT safeconduct_expect((SELECT count(*) FROM touched))";
        statement.text = Cow::Owned(format!("WITH touched AS ({} RETURNING 1) {counted}", statement.text));
    }
    statement
}

fn hold(guard: &Guard) -> Statement {
    let text = format!(
        "WITH held AS (SELECT 1 FROM {} WHERE id = $1 AND revision = $2 FOR SHARE) \
         SELECT safeconduct_expect((SELECT count(*) FROM held))",
        guard.table
    );
    let mut statement = sql(text, vec![guard.id.into(), guard.revision.into()]);
    statement.expect = Expect::Fresh;
    statement
}

pub(super) fn read_error(error: CommitError) -> DbError {
    match error {
        CommitError::Db(error) => error,
        CommitError::Stale => DbError::Unavailable("rolled back for another's sake".to_owned()),
        other => DbError::Internal(other.to_string()),
    }
}
