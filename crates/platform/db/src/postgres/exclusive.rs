//! A transaction whose statements come one by one, on a connection that is taken out of the pool: dropped before its end, it
//! is closed, and the server takes everything back.

use deadpool_postgres::ClientWrapper;
use tokio::sync::Mutex;
use types::Id;

use super::flight::{checked, pipelined, read_error, statements_of};
use super::pool::{Pool, taken};
use super::values::row;
use crate::{Bookkeeping, Change, CommitError, Committed, DbError, OrgScope, Row, Statement, Value, sql};

pub(crate) struct Transaction(Mutex<Option<ClientWrapper>>);

impl Transaction {
    pub(super) async fn begin(pool: &Pool, scope: OrgScope) -> Result<Self, CommitError> {
        let connection = taken(pool.connection().await?);
        let org: Value = scope.org().uuid().to_string().into();
        let start = [sql("BEGIN", vec![]), sql("SELECT set_config('safeconduct.org', $1, true)", vec![org])];
        pipelined(&connection, &start).await?;
        Ok(Self(Mutex::new(Some(connection))))
    }

    pub(crate) async fn read(&self, statement: &Statement) -> Result<Vec<Row>, DbError> {
        let mut answers = self.run(std::slice::from_ref(statement)).await.map_err(read_error)?;
        answers.pop().unwrap_or_default().iter().map(row).collect()
    }

    pub(crate) async fn commit(&self, change: Change) -> Result<Committed, CommitError> {
        self.run(&statements_of(change)).await?;
        Ok(Committed::default())
    }

    pub(crate) async fn keep(&self, books: Bookkeeping) -> Result<Vec<Vec<Row>>, CommitError> {
        let statements: Vec<Statement> = books.statements.into_iter().map(checked).collect();
        let answers = self.run(&statements).await?;
        let rows = |rows: &Vec<tokio_postgres::Row>| rows.iter().map(row).collect::<Result<Vec<_>, _>>();
        Ok(answers.iter().map(rows).collect::<Result<_, DbError>>()?)
    }

    /// A statement was refused before: PostgreSQL answers COMMIT with ROLLBACK, and says so only in the tag. So the
    /// transaction is asked first whether it still stands.
    pub(crate) async fn end(&self, keep: bool) -> Result<(), CommitError> {
        let Some(connection) = self.0.lock().await.take() else { return Err(gone().into()) };
        if keep {
            pipelined(&connection, &[sql("SELECT 1", vec![])]).await?;
            pipelined(&connection, &[sql("COMMIT", vec![])]).await?;
        }
        Ok(())
    }

    async fn run(&self, statements: &[Statement]) -> Result<Vec<Vec<tokio_postgres::Row>>, CommitError> {
        let connection = self.0.lock().await;
        pipelined(connection.as_ref().ok_or_else(gone)?, statements).await
    }
}

fn gone() -> DbError {
    DbError::Internal("the exclusive transaction has ended".into())
}
