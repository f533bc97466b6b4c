//! The writer thread: everything that waits shares one COMMIT (one fsync). A refusal takes back its own job only: a batch
//! is first run plainly, and once a job of it fails it is run again with each job in a SAVEPOINT of its own – which copies
//! every page that is touched, so it is not done before it is needed. Answers and signals go out only after the COMMIT.

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::checkpoint::Checkpointer;
use super::exclusive::{self, Request};
use super::statements::{failed, write};
use super::work::Work;
use crate::{CommitError, DbError, OpenError, Signals, sql};

/// Jobs of one COMMIT at most; keeps the first of a burst from waiting for the last.
const BATCH: usize = 1024;
const QUEUE: usize = 16 * 1024;

pub(super) enum Job {
    Work {
        work: Work,
        wakes_queue: bool,
    },
    /// A transaction of its own, for as long as requests come.
    Exclusive(Request),
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

pub(super) fn stopped() -> CommitError {
    CommitError::Db(DbError::Unavailable("the writer has stopped".into()))
}

struct Loop {
    connection: Connection,
    wal: Checkpointer,
    signals: Signals,
    jobs: mpsc::Receiver<Job>,
}

#[derive(Default)]
struct Batch {
    works: Vec<Work>,
    /// Since a job of this batch failed: each in a SAVEPOINT.
    careful: bool,
    /// Why nothing of this batch can be stored.
    lost: Option<CommitError>,
    wakes_queue: bool,
}

impl Loop {
    fn run(mut self) {
        while let Some(first) = self.jobs.blocking_recv() {
            let after = match first {
                Job::Exclusive(_) => Some(first),
                first => self.batch(first),
            };
            match after {
                None | Some(Job::Work { .. }) => {}
                Some(Job::Exclusive(request)) => {
                    exclusive::run(&self.connection, request);
                    self.wal.after_batch(&self.connection);
                }
                Some(Job::Stop(stopped)) => {
                    let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
                    drop(self);
                    let _ = stopped.send(());
                    return;
                }
            }
        }
    }

    /// One transaction for `first` and all that came meanwhile. Answers what is to be done after it, if anything is.
    fn batch(&mut self, first: Job) -> Option<Job> {
        let mut batch = Batch { lost: self.begin("BEGIN IMMEDIATE"), ..Batch::default() };
        let mut after = None;
        let mut next = Some(first);
        while let Some(job) = next.take() {
            match job {
                Job::Work { work, wakes_queue } => {
                    batch.wakes_queue |= wakes_queue;
                    self.add(work, &mut batch);
                }
                other => after = Some(other),
            }
            if after.is_none() && batch.lost.is_none() && batch.works.len() < BATCH {
                next = self.jobs.try_recv().ok();
            }
        }
        self.end(batch);
        self.wal.after_batch(&self.connection);
        after
    }

    /// Runs a job within the batch; at the first failure, all of the batch once more with care.
    fn add(&self, mut work: Work, batch: &mut Batch) {
        let whole = batch.lost.is_some() || self.run_one(&mut work, batch.careful);
        batch.works.push(work);
        if whole || batch.careful || self.connection.is_autocommit() {
            return;
        }
        metrics::counter!("safeconduct_db_batches_again_total").increment(1);
        batch.careful = true;
        batch.lost = self.begin("ROLLBACK; BEGIN IMMEDIATE");
        if batch.lost.is_none() {
            for work in &mut batch.works {
                self.run_one(work, true);
            }
        }
    }

    fn begin(&self, text: &str) -> Option<CommitError> {
        self.connection.execute_batch(text).err().map(|error| CommitError::Db(failed(error)))
    }

    /// Whether nothing of the job is left that has to be taken back.
    fn run_one(&self, work: &mut Work, careful: bool) -> bool {
        if self.connection.is_autocommit() {
            work.fail(&CommitError::Db(DbError::Full));
            return true;
        }
        if !careful {
            return work.run(&self.connection);
        }
        match self.run_saved(work) {
            Ok(whole) => whole,
            Err(error) => {
                work.fail(&error);
                false
            }
        }
    }

    fn run_saved(&self, work: &mut Work) -> Result<bool, CommitError> {
        self.plain("SAVEPOINT job")?;
        let whole = work.run(&self.connection);
        if self.connection.is_autocommit() {
            return Ok(whole);
        }
        if !whole {
            self.plain("ROLLBACK TO job")?;
        }
        self.plain("RELEASE job")?;
        Ok(whole)
    }

    fn plain(&self, text: &'static str) -> Result<(), CommitError> {
        write(&self.connection, &sql(text, vec![]))
    }

    /// Commits and answers.
    fn end(&self, batch: Batch) {
        let Batch { mut works, lost, wakes_queue, .. } = batch;
        let lost = self.commit(lost);
        metrics::histogram!("safeconduct_db_batch_jobs").record(u32::try_from(works.len()).unwrap_or(0));
        if let Some(error) = &lost {
            works.iter_mut().for_each(|work| work.fail(error));
        }
        let holds_facts = works.iter().any(Work::holds_facts);
        works.into_iter().for_each(Work::answer);
        if lost.is_none() && holds_facts {
            self.signals.facts_written();
        }
        if lost.is_none() && wakes_queue {
            self.signals.work_queued();
        }
    }

    /// Why nothing was stored, if so.
    fn commit(&self, lost: Option<CommitError>) -> Option<CommitError> {
        let lost = match lost {
            Some(error) => error,
            // SQLite rolled everything back by itself (disk full, I/O error).
            None if self.connection.is_autocommit() => CommitError::Db(DbError::Full),
            None => self.begin("COMMIT")?,
        };
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        Some(lost)
    }
}
