//! One job of the writer: statements that can be run again, and who waits for what comes of them.

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::statements::{failed, refused, rows, write};
use super::writer::stopped;
use crate::change::Guard;
use crate::statement::Expect;
use crate::{Bookkeeping, Change, CommitError, Committed, DbError, FactRow, Row, Statement, Value, sql};

pub(super) type Answer<T> = oneshot::Sender<Result<T, CommitError>>;

pub(super) enum Work {
    Change { guards: Vec<Guard>, statements: Vec<Statement>, has_authority: bool, reply: Reply<Committed> },
    Fact { statement: Statement, reply: Reply<()> },
    Books { statements: Vec<Statement>, reply: Reply<Vec<Vec<Row>>> },
}

/// What came of a job, held back until the COMMIT.
pub(super) struct Reply<T> {
    result: Result<T, CommitError>,
    answer: Answer<T>,
}

impl Work {
    pub(super) fn change(mut change: Change, answer: Answer<Committed>) -> Self {
        let has_authority = !change.authority.is_empty();
        let guards = change.ordered_guards();
        let mut statements = change.flight();
        let Change { facts, .. } = change;
        statements.extend(facts.into_iter().map(FactRow::insert));
        Self::Change { guards, statements, has_authority, reply: Reply::new(answer) }
    }

    pub(super) fn fact(fact: FactRow, answer: Answer<()>) -> Self {
        Self::Fact { statement: fact.insert(), reply: Reply::new(answer) }
    }

    pub(super) fn books(books: Bookkeeping, answer: Answer<Vec<Vec<Row>>>) -> Self {
        Self::Books { statements: books.statements, reply: Reply::new(answer) }
    }

    pub(super) fn holds_facts(&self) -> bool {
        !matches!(self, Self::Books { .. })
    }

    /// Runs it within the open transaction. False if something of it may be left that has to be taken back.
    pub(super) fn run(&mut self, connection: &Connection) -> bool {
        match self {
            Self::Change { guards, statements, has_authority, reply } => {
                reply.take(run_change(connection, guards, statements, *has_authority))
            }
            Self::Books { statements, reply } => reply.take(run_books(connection, statements)),
            Self::Fact { statement, reply } => {
                reply.take(write(connection, statement));
                // SQLite takes a single statement back by itself.
                true
            }
        }
    }

    /// Not run, or run in vain.
    pub(super) fn fail(&mut self, error: &CommitError) {
        match self {
            Self::Change { reply, .. } => reply.result = Err(same(error)),
            Self::Fact { reply, .. } => reply.result = Err(same(error)),
            Self::Books { reply, .. } => reply.result = Err(same(error)),
        }
    }

    pub(super) fn answer(self) {
        match self {
            Self::Change { reply, .. } => reply.send(),
            Self::Fact { reply, .. } => reply.send(),
            Self::Books { reply, .. } => reply.send(),
        }
    }
}

impl<T> Reply<T> {
    fn new(answer: Answer<T>) -> Self {
        Self { result: Err(stopped()), answer }
    }

    fn take(&mut self, result: Result<T, CommitError>) -> bool {
        self.result = result;
        self.result.is_ok()
    }

    fn send(self) {
        // Nobody waits any more when the caller hung up.
        let _ = self.answer.send(self.result);
    }
}

fn run_change(
    connection: &Connection,
    guards: &[Guard],
    statements: &[Statement],
    has_authority: bool,
) -> Result<Committed, CommitError> {
    for guard in guards {
        if guard.exclusive { write(connection, &guard.advance())? } else { check(connection, guard)? }
    }
    for statement in statements {
        write(connection, statement)?;
    }
    let authority_revision = if has_authority { Some(head(connection)?) } else { None };
    Ok(Committed { authority_revision })
}

fn check(connection: &Connection, guard: &Guard) -> Result<(), CommitError> {
    let text = format!("SELECT 1 FROM {} WHERE id = $1 AND revision = $2", guard.table);
    let params: Vec<Value> = vec![guard.id.into(), guard.revision.into()];
    let found = rows(connection, &sql(text, params)).map_err(failed)?;
    if found.is_empty() { Err(CommitError::Stale) } else { Ok(()) }
}

fn head(connection: &Connection) -> Result<i64, CommitError> {
    let found = rows(connection, &sql("SELECT revision FROM authority_head", vec![])).map_err(failed)?;
    let mut row =
        found.into_iter().next().ok_or_else(|| DbError::Internal("authority_head is empty".into()))?;
    Ok(row.next()?)
}

fn run_books(connection: &Connection, statements: &[Statement]) -> Result<Vec<Vec<Row>>, CommitError> {
    let run = |statement: &Statement| match statement.expect {
        Expect::Anything => rows(connection, statement).map_err(|error| refused(error, statement)),
        _ => write(connection, statement).map(|()| Vec::new()),
    };
    statements.iter().map(run).collect()
}

fn same(error: &CommitError) -> CommitError {
    CommitError::Db(match error {
        CommitError::Db(error) => error.clone(),
        other => DbError::Internal(other.to_string()),
    })
}
