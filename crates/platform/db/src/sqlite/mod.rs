//! SQLite: one writer thread with group commit, reader threads with cached statements, one checkpointer.

mod checkpoint;
mod exclusive;
mod open;
mod readers;
mod statements;
mod work;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::oneshot;

pub(crate) use exclusive::Exclusive;
use work::Work;

use crate::{
    Bookkeeping, Change, CommitError, Committed, DbError, FactRow, OpenError, Row, Signals, Statement,
};

pub struct SqliteSettings {
    /// Directory of `safeconduct.db` and `lock`.
    pub directory: PathBuf,
    pub readers: usize,
}

#[derive(Clone)]
pub(crate) struct Sqlite(Arc<Inner>);

struct Inner {
    writer: writer::Writer,
    readers: readers::Readers,
    /// Held for as long as the database is open.
    _lock: std::fs::File,
}

impl Sqlite {
    pub(crate) fn open(settings: &SqliteSettings, signals: Signals) -> Result<Self, OpenError> {
        let lock = open::lock(&settings.directory)?;
        let path = settings.directory.join("safeconduct.db");
        open::keep_private(&path)?;
        let mut connection = open::writer(&path)?;
        open::migrate(&mut connection)?;
        let wal = checkpoint::Checkpointer::start(&path)?;
        let readers = readers::Readers::start(&path, settings.readers)?;
        let writer = writer::Writer::start(connection, wal, signals)?;
        Ok(Self(Arc::new(Inner { writer, readers, _lock: lock })))
    }

    pub(crate) async fn read(&self, statement: Statement) -> Result<Vec<Row>, DbError> {
        self.0.readers.read(statement).await
    }

    pub(crate) async fn commit(&self, change: Change) -> Result<Committed, CommitError> {
        let (answer, answered) = oneshot::channel();
        let wakes_queue = change.wakes_queue;
        let work = Work::change(change, answer);
        self.0.writer.send(writer::Job::Work { work, wakes_queue }).await?;
        writer::wait(answered).await
    }

    pub(crate) async fn append(&self, fact: FactRow) -> Result<(), CommitError> {
        let (answer, answered) = oneshot::channel();
        let work = Work::fact(fact, answer);
        self.0.writer.send(writer::Job::Work { work, wakes_queue: false }).await?;
        writer::wait(answered).await
    }

    pub(crate) async fn keep(&self, books: Bookkeeping) -> Result<Vec<Vec<Row>>, CommitError> {
        let (answer, answered) = oneshot::channel();
        let wakes_queue = books.wakes_queue;
        let work = Work::books(books, answer);
        self.0.writer.send(writer::Job::Work { work, wakes_queue }).await?;
        writer::wait(answered).await
    }

    /// Begins a transaction that every other write waits for.
    pub(crate) async fn exclusive(&self) -> Result<Exclusive, CommitError> {
        Exclusive::begin(&self.0.writer).await
    }

    pub(crate) async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if self.0.writer.send(writer::Job::Stop(answer)).await.is_ok() {
            // The writer is gone either way.
            let _ = answered.await;
        }
    }
}
