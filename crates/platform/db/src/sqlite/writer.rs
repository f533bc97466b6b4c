//! The writer thread: everything that waits shares one COMMIT (one fsync); each job lives in a SAVEPOINT of its own, so
//! that one refusal leaves the others whole. Answers and signals go out only after the COMMIT.

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::checkpoint::Checkpointer;
use super::statements::{failed, rows, write};
use crate::change::Guard;
use crate::{
    Bookkeeping, Change, CommitError, Committed, DbError, FactRow, OpenError, Row, Signals, Value, sql,
};

/// Jobs of one COMMIT at most; keeps the first of a burst from waiting for the last.
const BATCH: usize = 1024;
const QUEUE: usize = 16 * 1024;

type Answer<T> = oneshot::Sender<Result<T, CommitError>>;

pub(super) enum Job {
    Change(Box<Change>, Answer<Committed>),
    Fact(Box<FactRow>, Answer<()>),
    Books(Bookkeeping, Answer<Vec<Vec<Row>>>),
    Stop(oneshot::Sender<()>),
}

pub(super) struct Writer {
    queue: mpsc::Sender<Job>,
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        wal: Checkpointer,
        signals: Signals,
    ) -> Result<Self, OpenError> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        thread("db-write", move || Loop { connection, wal, signals, jobs }.run())?;
        Ok(Self { queue })
    }

    pub(super) async fn send(&self, job: Job) -> Result<(), CommitError> {
        self.queue.send(job).await.map_err(|_| stopped())
    }
}

pub(super) async fn wait<T>(answered: oneshot::Receiver<Result<T, CommitError>>) -> Result<T, CommitError> {
    answered.await.map_err(|_| stopped())?
}

pub(super) fn thread(name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(body);
    spawned.map(drop).map_err(|error| OpenError::Io { path: format!("thread {name}"), error })
}

fn stopped() -> CommitError {
    CommitError::Db(DbError::Unavailable("the writer has stopped".into()))
}

struct Loop {
    connection: Connection,
    wal: Checkpointer,
    signals: Signals,
    jobs: mpsc::Receiver<Job>,
}

/// An answer that waits for the COMMIT; called with the error when the COMMIT failed.
type Pending = Box<dyn FnOnce(Option<CommitError>)>;

#[derive(Default)]
struct Batch {
    answers: Vec<Pending>,
    facts: bool,
    queue: bool,
}

impl Loop {
    fn run(mut self) {
        while let Some(first) = self.jobs.blocking_recv() {
            if let Some(stopped) = self.batch(first) {
                let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
                drop(self);
                let _ = stopped.send(());
                return;
            }
        }
    }

    /// One transaction for `first` and all that came meanwhile. Answers who asked to stop, if anybody did.
    fn batch(&mut self, first: Job) -> Option<oneshot::Sender<()>> {
        let mut batch = Batch::default();
        let mut stop = None;
        let mut next = Some(first);
        if let Err(error) = self.connection.execute_batch("BEGIN IMMEDIATE") {
            refuse(next.take()?, failed(error));
            return None;
        }
        while let Some(job) = next.take() {
            match job {
                Job::Stop(answer) => stop = Some(answer),
                job => self.run_job(job, &mut batch),
            }
            if stop.is_none() && batch.answers.len() < BATCH {
                next = self.jobs.try_recv().ok();
            }
        }
        let error = self.finish();
        metrics::histogram!("safeconduct_db_batch_jobs")
            .record(u32::try_from(batch.answers.len()).unwrap_or(0));
        let committed = error.is_none();
        for answer in batch.answers {
            answer(error.as_ref().map(same));
        }
        if committed && batch.facts {
            self.signals.facts_written();
        }
        if committed && batch.queue {
            self.signals.work_queued();
        }
        self.wal.after_batch(&self.connection);
        stop
    }

    fn finish(&self) -> Option<CommitError> {
        if self.connection.is_autocommit() {
            // SQLite rolled everything back by itself (disk full, I/O error): nothing of the batch is stored.
            return Some(CommitError::Db(DbError::Full));
        }
        let error = self.connection.execute_batch("COMMIT").err()?;
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        Some(CommitError::Db(failed(error)))
    }

    fn run_job(&self, job: Job, batch: &mut Batch) {
        match job {
            Job::Change(change, answer) => {
                batch.queue |= change.wakes_queue;
                batch.facts = true;
                let result = self.saved(|connection| run_change(connection, *change));
                batch.answers.push(pending(result, answer));
            }
            Job::Fact(fact, answer) => {
                batch.facts = true;
                // A single statement is its own savepoint.
                let result = self.alive().and_then(|()| write(&self.connection, &fact.insert()));
                batch.answers.push(pending(result, answer));
            }
            Job::Books(books, answer) => {
                batch.queue |= books.wakes_queue;
                let result = self.saved(|connection| run_books(connection, &books));
                batch.answers.push(pending(result, answer));
            }
            Job::Stop(_) => {}
        }
    }

    fn alive(&self) -> Result<(), CommitError> {
        if self.connection.is_autocommit() { Err(CommitError::Db(DbError::Full)) } else { Ok(()) }
    }

    fn saved<T>(&self, run: impl FnOnce(&Connection) -> Result<T, CommitError>) -> Result<T, CommitError> {
        self.alive()?;
        self.plain("SAVEPOINT job")?;
        match run(&self.connection) {
            Ok(value) => {
                self.plain("RELEASE job")?;
                Ok(value)
            }
            Err(error) => {
                if !self.connection.is_autocommit() {
                    self.plain("ROLLBACK TO job")?;
                    self.plain("RELEASE job")?;
                }
                Err(error)
            }
        }
    }

    fn plain(&self, text: &'static str) -> Result<(), CommitError> {
        write(&self.connection, &sql(text, vec![]))
    }
}

fn run_change(connection: &Connection, mut change: Change) -> Result<Committed, CommitError> {
    let has_authority = !change.authority.is_empty();
    for guard in change.guards.iter().filter(|guard| !guard.exclusive) {
        check(connection, guard)?;
    }
    for statement in change.flight() {
        write(connection, &statement)?;
    }
    for fact in change.facts {
        write(connection, &fact.insert())?;
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

fn run_books(connection: &Connection, books: &Bookkeeping) -> Result<Vec<Vec<Row>>, CommitError> {
    let run = |statement: &crate::Statement| match statement.expect {
        crate::statement::Expect::Anything if statement.on_unique.is_none() => {
            rows(connection, statement).map_err(|error| CommitError::Db(failed(error)))
        }
        _ => write(connection, statement).map(|()| Vec::new()),
    };
    books.statements.iter().map(run).collect()
}

fn pending<T: 'static>(result: Result<T, CommitError>, answer: Answer<T>) -> Pending {
    Box::new(move |commit_error| {
        // Nobody waits any more when the caller hung up.
        let _ = answer.send(commit_error.map_or(result, Err));
    })
}

fn refuse(job: Job, error: DbError) {
    let error = Some(CommitError::Db(error));
    match job {
        Job::Change(_, answer) => pending(Ok(Committed::default()), answer)(error),
        Job::Fact(_, answer) => pending(Ok(()), answer)(error),
        Job::Books(_, answer) => pending(Ok(Vec::new()), answer)(error),
        Job::Stop(answer) => drop(answer.send(())),
    }
}

fn same(error: &CommitError) -> CommitError {
    CommitError::Db(match error {
        CommitError::Db(DbError::Full) => DbError::Full,
        CommitError::Db(DbError::Unavailable(text)) => DbError::Unavailable(text.clone()),
        other => DbError::Internal(other.to_string()),
    })
}
