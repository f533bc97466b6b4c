//! SQL of questions and their answers. A run has one open question at most; an answer is written once, in the change that
//! lets the run go on.

use crypto::seal::Aad;
use db::{Bookkeeping, OrgScope, Statement, sql};
use problem::RUN_NOT_AWAITING;
use types::{Id, OrgId, RunId, Timestamp, Uuid};

use crate::model::{Asks, Run};
use crate::store::{SCOPE, with_fence};

/// The holder of the fence asks.
pub(crate) fn ask(run: &Run, asks: Asks, question: Vec<u8>) -> Bookkeeping {
    let text = "UPDATE runs SET state = 'awaiting_input', question = $4, question_number = $5, question_until = $6, \
                revision = revision + 1 WHERE org = $1 AND id = $2 AND fence = $3 AND state || '' = 'running' \
                RETURNING id";
    let params = with_fence(run, [question.into(), asks.number.into(), asks.until.into()]);
    Bookkeeping::new(SCOPE).statement(sql(text, params))
}

/// On it goes: in the process that waits, or from the queue. Refused unless just this question is open.
pub(crate) fn go_on(scope: &OrgScope, run: RunId, number: i64, now: Timestamp) -> Statement {
    let text = "UPDATE runs SET state = CASE WHEN worker IS NULL THEN 'queued' ELSE 'running' END, due_at = 0, \
                question = NULL, question_number = NULL, question_until = NULL, revision = revision + 1 \
                WHERE org = $1 AND id = $2 AND question_number = $3 AND question_until > $4 \
                AND state || '' = 'awaiting_input'";
    let params = vec![scope.org().uuid().into(), run.uuid().into(), number.into(), now.into()];
    sql(text, params).one_row_or(&RUN_NOT_AWAITING)
}

pub(crate) fn record(
    scope: &OrgScope,
    run: RunId,
    number: i64,
    question_sha256: [u8; 32],
    body: Vec<u8>,
    author: &str,
    now: Timestamp,
) -> Statement {
    let text = "INSERT INTO run_answers (org, run, number, question_sha256, body, author, answered_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let params = vec![
        scope.org().uuid().into(),
        run.uuid().into(),
        number.into(),
        question_sha256.into(),
        body.into(),
        author.into(),
        now.into(),
    ];
    sql(text, params).unique_or(&RUN_NOT_AWAITING)
}

/// The hash of a question that was answered, and the sealed answer.
pub(crate) fn recorded(run: &Run, number: i64) -> Statement {
    let text = "SELECT question_sha256, body FROM run_answers WHERE org = $1 AND run = $2 AND number = $3";
    sql(text, vec![run.org.uuid().into(), run.id.uuid().into(), number.into()])
}

/// The place that an answer is sealed to holds its number.
pub(crate) fn aad(org: OrgId, place: &[u8]) -> Aad<'_> {
    Aad { table: "run_answers", column: "body", org: Some(org), row: place }
}

/// Runs that wait in the process of a silent worker wait without one.
pub(crate) fn take_back(worker: Uuid, silent_since: Timestamp) -> Bookkeeping {
    let text = "UPDATE runs SET worker = NULL, lease_until = NULL, place = NULL, attempts = attempts - 1, \
                fence = fence + 1, revision = revision + 1 WHERE state IN ('leased', 'running', 'awaiting_input') \
                AND state = 'awaiting_input' AND worker <> $1 AND lease_until < $2 RETURNING id";
    Bookkeeping::new(SCOPE).statement(sql(text, vec![worker.into(), silent_since.into()]))
}

/// Whom nobody answers in time.
pub(crate) fn unanswered(now: Timestamp) -> Statement {
    let text = crate::store::select_with_papers!(
        "state = 'awaiting_input' AND question_until IS NOT NULL AND question_until <= $1"
    );
    sql(text, vec![now.into()])
}
