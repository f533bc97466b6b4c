//! Accepting a run: made ready first, then put down – together with the change that causes it, or as bookkeeping of its
//! own. Accepted means durable.

use blobs::BlobReference;
use crypto::hash::sha256;
use crypto::seal::Aad;
use db::{Bookkeeping, OrgScope, Statement};
use secrets::Purpose;
use types::{Id, OrgId, RunId, Uuid};

use crate::carry::Here;
use crate::house::Runs;
use crate::model::{Concurrency, NewRun, Papers, Run, RunState};
use crate::store::{self, Entry};
use crate::{RunsError, logs};

/// Inputs and outputs up to this size stand in their row.
pub(crate) const INLINE: usize = 1 << 20;

/// A run with its id, not yet accepted.
pub struct Prepared {
    entry: Entry,
    blob: Option<Statement>,
    papers: Papers,
    input: Vec<u8>,
    /// It says itself how often it may be tried.
    insists: bool,
}

/// Whether somebody may already count on a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promised {
    Yes,
    NotYet,
}

impl Prepared {
    /// As it will be queued.
    pub fn run(&self) -> &Run {
        &self.entry.run
    }

    /// Whether the queue must decide when it begins.
    fn waits(&self) -> bool {
        self.entry.run.due_at.is_some() || self.entry.concurrency.is_some()
    }

    /// For the change that causes the run; that change wakes the queue (`Change::wake_queue`).
    pub fn statements(self) -> Vec<Statement> {
        std::iter::once(store::insert(&self.entry)).chain(self.blob).collect()
    }
}

impl Runs {
    /// Gives the run its id and turn, seals what is private, stores a large input.
    pub async fn prepare(&self, scope: &OrgScope, new: NewRun) -> Result<Prepared, RunsError> {
        let inner = &*self.0;
        let (org, id) = (scope.org(), inner.world.id::<RunId>());
        let papers = Papers { mandate: new.mandate.clone(), target: new.target.shown };
        let sealed = self.seal(org, id, "papers", &serde_json::to_vec(&papers)?).await?;
        let now = inner.world.now();
        let digest = sha256(&new.input);
        let size = i64::try_from(new.input.len()).unwrap_or(i64::MAX);
        let (input, blob) = self.store(scope, id, "input", &new.input).await?;
        let run = Run {
            id,
            org,
            kind: new.kind.to_owned(),
            state: RunState::Queued,
            trigger: new.trigger,
            trigger_id: new.trigger_id,
            target: new.target.id,
            version: new.target.version,
            principal: new.mandate.actor.id.clone().unwrap_or_default(),
            subject: new.mandate.subject,
            jti: new.mandate.jti,
            txn: new.mandate.txn,
            input_sha256: digest,
            input_size: size,
            output_sha256: None,
            output_size: None,
            error_kind: None,
            attempts: 0,
            max_attempts: new.order.attempts.unwrap_or(inner.settings.attempts),
            fence: 0,
            queued_at: now,
            started_at: None,
            ended_at: None,
            usage: None,
            logs_truncated: false,
            revision: 1,
            parent: new.mandate.run,
            replay_of: new.order.replay_of,
            priority: new.order.priority,
            due_at: new.order.due_at.filter(|due| *due > now),
            flushed_at: None,
            asks: None,
        };
        let entry = Entry {
            credential: new.mandate.credential.map(Id::uuid),
            authority_revision: new.mandate.revision,
            papers: sealed,
            concurrency: new
                .order
                .concurrency
                .or_else(|| new.order.rate.map(|_| Concurrency::none(new.target.id))),
            rate: new.order.rate,
            deduplication_key: new.order.deduplication_key,
            run,
            input,
            lease: None,
        };
        Ok(Prepared { entry, blob, papers, input: new.input, insists: new.order.attempts.is_some() })
    }

    /// Queues it. Durable when it returns: from now on it ends, whatever happens to this process.
    pub async fn queue(
        &self,
        scope: &OrgScope,
        prepared: Prepared,
        along: Vec<Statement>,
    ) -> Result<Run, RunsError> {
        let run = prepared.entry.run.clone();
        self.put_down(scope, prepared, along, true).await?;
        Ok(run)
    }

    /// Begins it at once where a slot is free, else queues it. If nobody was told yet that it is accepted, it is not
    /// tried again when this process dies – until [`Runs::promise`].
    pub async fn begin(
        &self,
        scope: &OrgScope,
        mut prepared: Prepared,
        promised: Promised,
        along: Vec<Statement>,
    ) -> Result<Run, RunsError> {
        if promised == Promised::NotYet && !prepared.insists {
            prepared.entry.run.max_attempts = 1;
        }
        let Some(permit) = (if prepared.waits() { None } else { self.slot() }) else {
            let run = prepared.entry.run.clone();
            self.put_down(scope, prepared, along, true).await?;
            return Ok(run);
        };
        let inner = &*self.0;
        let now = prepared.entry.run.queued_at;
        prepared.entry.lease = Some((inner.worker, now.plus(inner.settings.lease)));
        let run = &mut prepared.entry.run;
        (run.state, run.attempts, run.fence, run.started_at) = (RunState::Running, 1, 1, Some(now));
        let run = run.clone();
        // Held before it is stored: whoever finds the row can also stop the run.
        let held = self.hold(&run, &prepared.papers, 1);
        let here = Here {
            run: run.clone(),
            papers: prepared.papers.clone(),
            input: std::mem::take(&mut prepared.input),
            held,
        };
        self.put_down(scope, prepared, along, false).await?;
        self.start_here(here, permit);
        Ok(run)
    }

    /// Before an answer says "accepted" about a run that [`Runs::begin`] took.
    pub async fn promise(&self, scope: &OrgScope, run: RunId) -> Result<(), RunsError> {
        self.0.db.keep(store::promise(scope, run, self.0.settings.attempts)).await?;
        Ok(())
    }

    /// The open run that keeps a second one from being asked for under this key.
    pub async fn duplicate(
        &self,
        scope: &OrgScope,
        subject: Uuid,
        target: Uuid,
        key: &str,
    ) -> Result<Option<Run>, RunsError> {
        let row = self.0.db.read_one(scope, store::duplicate(scope, subject, target, key)).await?;
        Ok(row.map(|mut row| store::run(&mut row)).transpose()?)
    }

    async fn put_down(
        &self,
        scope: &OrgScope,
        prepared: Prepared,
        along: Vec<Statement>,
        wakes: bool,
    ) -> Result<(), RunsError> {
        let Prepared { entry, blob, .. } = prepared;
        let mut books = Bookkeeping::new(*scope).statement(store::insert(&entry));
        for statement in blob.into_iter().chain(along) {
            books = books.statement(statement);
        }
        let books = if wakes { books.wake_queue() } else { books };
        self.0.db.keep(books).await?;
        Ok(())
    }

    /// Small contents sealed for the row; large ones as a blob with the statement that refers to it.
    pub(crate) async fn store(
        &self,
        scope: &OrgScope,
        run: RunId,
        column: &'static str,
        bytes: &[u8],
    ) -> Result<(Option<Vec<u8>>, Option<Statement>), RunsError> {
        if bytes.len() <= INLINE {
            return Ok((Some(self.seal(scope.org(), run, column, bytes).await?), None));
        }
        let blob: BlobReference = self.0.blobs.put(scope, bytes.to_vec()).await?;
        Ok((None, Some(self.0.blobs.refer(scope, &blob, holder(column), run))))
    }

    pub(crate) async fn seal(
        &self,
        org: OrgId,
        run: RunId,
        column: &'static str,
        plain: &[u8],
    ) -> Result<Vec<u8>, RunsError> {
        let row = run.uuid();
        let aad = Aad { table: "runs", column, org: Some(org), row: row.as_bytes() };
        Ok(self.0.keyring.seal(Purpose::Records, &aad, plain).await?)
    }

    pub(crate) async fn open(
        &self,
        org: OrgId,
        run: RunId,
        column: &'static str,
        sealed: &[u8],
    ) -> Result<Vec<u8>, RunsError> {
        let row = run.uuid();
        let aad = Aad { table: "runs", column, org: Some(org), row: row.as_bytes() };
        Ok(self.0.keyring.open_sealed(Purpose::Records, &aad, sealed).await?)
    }

    /// The statement that stores lines of a log, sealed.
    pub(crate) async fn segment(
        &self,
        held: &crate::live::Held,
        lines: &[logs::LogLine],
    ) -> Result<Option<(Statement, i64)>, RunsError> {
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return Ok(None) };
        let place = logs::place(held.id, first.number);
        let body = serde_json::to_vec(lines)?;
        let sealed = self.0.keyring.seal(Purpose::Records, &logs::aad(held.org, &place), &body).await?;
        let statement = logs::insert(held.org, held.id, held.fence, first.number, lines.len(), sealed);
        Ok(Some((statement, last.number)))
    }
}

/// The kind of a blob's holder: a run may hold one of each.
pub(crate) fn holder(column: &'static str) -> &'static str {
    match column {
        "input" => "run_input",
        _ => "run_output",
    }
}
