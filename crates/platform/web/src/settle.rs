//! Ending a write: the service decides, this commits. Guards that moved mean that the decision is taken again.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use db::{Bookkeeping, Change, CommitError, Statement};
use problem::{CONFLICT, IDEMPOTENCY_IN_FLIGHT, Problem};
use serde::Serialize;

use crate::{Allowance, Operation, Refusal};

/// How often a decision is taken again when racers changed its grounds.
const TRIES: usize = 24;

/// What a service decided: the change to make and what to answer once it is made.
pub struct Decided<T> {
    pub change: Change,
    pub answer: T,
}

impl<T> Decided<T> {
    pub fn new(change: Change, answer: T) -> Self {
        Self { change, answer }
    }
}

/// The answer of an operation, as bytes: what was stored for a replay is what was sent.
#[derive(Debug)]
pub struct Reply {
    pub(crate) status: u16,
    pub(crate) revision: Option<i64>,
    pub(crate) body: Vec<u8>,
    pub(crate) replayed: bool,
}

impl Allowance {
    /// Runs `decide` and ships its change, together with the idempotency row if the caller sent a key.
    pub async fn settle<O, T, E, F>(&self, decide: impl Fn() -> F) -> Result<Reply, Refusal>
    where
        O: Operation,
        O::Answer: From<T>,
        E: Into<Problem>,
        F: Future<Output = Result<Decided<T>, E>>,
    {
        let with_reply = || async {
            let Decided { mut change, answer } = decide().await.map_err(Into::into)?;
            let reply = Reply::of::<O>(&O::Answer::from(answer))?;
            if let Some(ticket) = &self.ticket {
                change = change.with(ticket.insertion(&self.door, self.spec, &reply).await?);
            }
            Ok::<_, Problem>((Some(change), reply))
        };
        match self.settled(with_reply).await {
            Err(problem) if *problem.code() == IDEMPOTENCY_IN_FLIGHT => self.first_answer().await,
            outcome => Ok(outcome?),
        }
    }

    /// The same for protocols that know no Idempotency-Key: ships the change, if anything is to be changed at all.
    pub async fn settled<T, E, F>(&self, decide: impl Fn() -> F) -> Result<T, Problem>
    where
        E: Into<Problem>,
        F: Future<Output = Result<(Option<Change>, T), E>>,
    {
        for _ in 0..TRIES {
            let (change, answer) = decide().await.map_err(Into::into)?;
            let Some(change) = change else { return Ok(answer) };
            match self.door.db.commit(change).await {
                Ok(_) => return Ok(answer),
                Err(CommitError::Stale) => metrics::counter!("safeconduct_decided_again_total").increment(1),
                Err(error) => return Err(error.into()),
            }
        }
        let detail = "Others keep changing the same thing. Wait a moment, read it again and retry.";
        Err(Problem::new(&CONFLICT, detail).with_retry_after(1))
    }

    /// For work that is accepted without a change: the statement that stores its first answer under the caller's key, to
    /// go along with the row that accepts it. If it is refused as in flight, [`Allowance::first_answer`] is the answer.
    pub async fn keyed(&self, reply: &Reply) -> Result<Option<Statement>, Problem> {
        match &self.ticket {
            Some(ticket) => Ok(Some(ticket.insertion(&self.door, self.spec, reply).await?)),
            None => Ok(None),
        }
    }

    /// For what was there already: the answer, which a repeat with the caller's key gets, too.
    pub async fn keyed_answer(&self, reply: Reply) -> Result<Reply, Refusal> {
        let Some(ticket) = &self.ticket else { return Ok(reply) };
        let statement = ticket.insertion(&self.door, self.spec, &reply).await?;
        match self.door.db.keep(Bookkeeping::new(self.scope()).statement(statement)).await {
            Err(CommitError::Refused(code)) if *code == IDEMPOTENCY_IN_FLIGHT => self.first_answer().await,
            kept => Ok(kept.map(|_| reply)?),
        }
    }

    /// Now that more is known, repeats get this answer.
    pub async fn keyed_anew(&self, reply: &Reply) -> Result<(), Refusal> {
        if let Some(ticket) = &self.ticket {
            let statement = ticket.replacement(&self.door, self.spec, reply).await?;
            self.door.db.keep(Bookkeeping::new(self.scope()).statement(statement)).await?;
        }
        Ok(())
    }

    /// Another node was first with this key: its answer is ours.
    pub async fn first_answer(&self) -> Result<Reply, Refusal> {
        let found = match &self.ticket {
            Some(ticket) => ticket.look_up(&self.door).await?,
            None => None,
        };
        found.ok_or_else(|| Problem::new(&IDEMPOTENCY_IN_FLIGHT, "Repeat the request in a moment.").into())
    }
}

impl Reply {
    /// The successful answer of `O`; its `revision`, if it has one, becomes the ETag.
    pub fn of<O: Operation>(answer: &O::Answer) -> Result<Self, Problem> {
        Self::with_status(O::SPEC.status, answer)
    }

    pub fn with_status(status: u16, answer: &impl Serialize) -> Result<Self, Problem> {
        let value = serde_json::to_value(answer).map_err(Problem::internal)?;
        let revision = value.get("revision").and_then(serde_json::Value::as_i64);
        let body = serde_json::to_vec(answer).map_err(Problem::internal)?;
        Ok(Self { status, revision, body, replayed: false })
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let kind = HeaderValue::from_static("application/json");
        let mut response = (status, [(header::CONTENT_TYPE, kind)], self.body).into_response();
        let headers = response.headers_mut();
        if let Some(tag) =
            self.revision.and_then(|revision| HeaderValue::try_from(format!("\"{revision}\"")).ok())
        {
            headers.insert(header::ETAG, tag);
        }
        if self.replayed {
            headers.insert(HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
        }
        response
    }
}
