//! Decisions kept in full, to rehearse drafts with: noted on the way, sealed and written behind.

use crypto::hash::sha256;
use db::Bookkeeping;
use parking_lot::Mutex;
use secrets::Purpose;
use serde_json::Value;
use types::{DecisionId, OrgId, PolicyId, Timestamp};

use crate::PolicyError;
use crate::model::{Kept, Outcome, Recorded, place, row_of};
use crate::service::{Inner, Record};
use crate::store;

/// Decisions that may wait to be written; one more makes its request write them.
const MOST: usize = 2_000;

pub(crate) struct Recorder {
    record: Record,
    waiting: Mutex<Vec<Decision>>,
}

pub(crate) struct Decision {
    pub(crate) org: OrgId,
    pub(crate) at: Timestamp,
    pub(crate) principal: String,
    pub(crate) operation: &'static str,
    pub(crate) permission: String,
    pub(crate) outcome: Outcome,
    pub(crate) policy: Option<PolicyId>,
    pub(crate) sha256: [u8; 32],
    pub(crate) slice: String,
    pub(crate) input: Value,
    pub(crate) reasons: Vec<String>,
}

impl Recorder {
    pub(crate) fn new(record: Record) -> Self {
        Self { record, waiting: Mutex::default() }
    }

    pub(crate) fn keeps(&self) -> bool {
        self.record == Record::Full
    }
}

impl Inner {
    pub(crate) async fn keep(&self, decision: Decision) -> Result<(), PolicyError> {
        if !self.recorder.keeps() {
            return Ok(());
        }
        let waiting = {
            let mut waiting = self.recorder.waiting.lock();
            waiting.push(decision);
            waiting.len()
        };
        if waiting > MOST { self.write_decisions().await } else { Ok(()) }
    }

    /// Writes what waits; called every few seconds and at the end.
    pub(crate) async fn write_decisions(&self) -> Result<(), PolicyError> {
        let waiting = std::mem::take(&mut *self.recorder.waiting.lock());
        if waiting.is_empty() {
            return Ok(());
        }
        let mut books = Bookkeeping::new(store::INDEX);
        for decision in waiting {
            let id: DecisionId = self.world.id();
            let question = self.seal_question(id, &decision).await?;
            books = books.statement(store::insert_decision(id, &decision, question));
        }
        self.db.keep(books).await?;
        Ok(())
    }

    async fn seal_question(&self, id: DecisionId, decision: &Decision) -> Result<Vec<u8>, PolicyError> {
        let Decision { org, slice, input, reasons, .. } = decision;
        let kept = Kept { slice: slice.clone(), input: input.clone(), reasons: reasons.clone() };
        let plain = serde_json::to_vec(&kept).map_err(problem::Problem::internal)?;
        let row = row_of(id);
        let aad = place(*org, "decisions", "question", &row);
        Ok(self.keyring.seal(Purpose::Records, &aad, &plain).await?)
    }

    pub(crate) async fn open_decision(&self, org: OrgId, recorded: &Recorded) -> Result<Kept, PolicyError> {
        let row = row_of(recorded.id);
        let aad = place(org, "decisions", "question", &row);
        let plain = self.keyring.open_sealed(Purpose::Records, &aad, &recorded.question).await?;
        Ok(serde_json::from_slice(&plain).map_err(problem::Problem::internal)?)
    }

    /// Removes what is older than it is kept.
    pub(crate) async fn sweep_decisions(&self, before: Timestamp) -> Result<(), PolicyError> {
        self.db.keep(Bookkeeping::new(store::INDEX).statement(store::remove_decisions(before))).await?;
        Ok(())
    }
}

/// Of the document with its members in order, so that anybody can compare.
pub(crate) fn sha256_of(input: &Value) -> [u8; 32] {
    let text = crypto::jcs::to_vec(input).unwrap_or_default();
    sha256(&text)
}
