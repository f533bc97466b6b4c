//! The writer lends its connection to one transaction whose statements come one by one.

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::statements::{failed, rows};
use super::work::Work;
use super::writer::{Job, Writer, wait};
use crate::exclusive::PATIENCE;
use crate::{Bookkeeping, Change, CommitError, Committed, DbError, Row, Statement};

/// What the writer is asked to lend itself to.
pub(super) struct Request {
    steps: Receiver<Step>,
    began: oneshot::Sender<Result<(), CommitError>>,
}

enum Step {
    Read(Statement, oneshot::Sender<Result<Vec<Row>, DbError>>),
    Write(Work),
    End { keep: bool, answer: oneshot::Sender<Result<(), CommitError>> },
}

/// The other end: dropping it takes everything back.
pub(crate) struct Exclusive {
    steps: Sender<Step>,
}

impl Exclusive {
    pub(super) async fn begin(writer: &Writer) -> Result<Self, CommitError> {
        let (steps, requests) = crossbeam_channel::unbounded();
        let (began, begun) = oneshot::channel();
        writer.send(Job::Exclusive(Request { steps: requests, began })).await?;
        wait(begun).await?;
        Ok(Self { steps })
    }

    pub(crate) async fn read(&self, statement: Statement) -> Result<Vec<Row>, DbError> {
        let (answer, answered) = oneshot::channel();
        self.step(Step::Read(statement, answer)).map_err(|_| cut_off())?;
        answered.await.map_err(|_| cut_off())?
    }

    pub(crate) async fn commit(&self, change: Change) -> Result<Committed, CommitError> {
        let (answer, answered) = oneshot::channel();
        self.step(Step::Write(Work::change(change, answer)))?;
        wait(answered).await
    }

    pub(crate) async fn keep(&self, books: Bookkeeping) -> Result<Vec<Vec<Row>>, CommitError> {
        let (answer, answered) = oneshot::channel();
        self.step(Step::Write(Work::books(books, answer)))?;
        wait(answered).await
    }

    pub(crate) async fn end(&self, keep: bool) -> Result<(), CommitError> {
        let (answer, answered) = oneshot::channel();
        self.step(Step::End { keep, answer })?;
        wait(answered).await
    }

    fn step(&self, step: Step) -> Result<(), CommitError> {
        self.steps.send(step).map_err(|_| cut_off().into())
    }
}

fn cut_off() -> DbError {
    DbError::Unavailable("the exclusive transaction took too long and was taken back".into())
}

/// Serves one transaction to its end. A write that is refused spoils the whole, as with PostgreSQL.
pub(super) fn run(connection: &Connection, request: Request) {
    let Request { steps, began } = request;
    let start = connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| failed(error).into());
    let is_open = start.is_ok();
    if began.send(start).is_err() || !is_open {
        take_back(connection);
        return;
    }
    let mut spoiled = false;
    loop {
        match steps.recv_timeout(PATIENCE) {
            Ok(Step::Read(statement, answer)) => {
                let read = if spoiled { Err(spoilt()) } else { rows(connection, &statement).map_err(failed) };
                // Nobody waits any more when the caller hung up.
                let _ = answer.send(read);
            }
            Ok(Step::Write(mut work)) => {
                if spoiled {
                    work.fail(&CommitError::Db(spoilt()));
                } else {
                    spoiled = !work.run(connection) || connection.is_autocommit();
                }
                work.answer();
            }
            Ok(Step::End { keep, answer }) => {
                let _ = answer.send(end(connection, keep, spoiled));
                return;
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                take_back(connection);
                return;
            }
        }
    }
}

fn end(connection: &Connection, keep: bool, spoiled: bool) -> Result<(), CommitError> {
    if !keep || spoiled {
        take_back(connection);
        return if keep { Err(stopped_short()) } else { Ok(()) };
    }
    let committed = connection.execute_batch("COMMIT").map_err(|error| failed(error).into());
    take_back(connection);
    committed
}

fn take_back(connection: &Connection) {
    if !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
}

fn spoilt() -> DbError {
    DbError::Internal("an earlier write of this exclusive transaction was refused".into())
}

fn stopped_short() -> CommitError {
    CommitError::Db(spoilt())
}
