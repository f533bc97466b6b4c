//! `Idempotency-Key` on POST: the change itself carries the first answer, sealed, so that an answer is stored exactly when
//! its change is. Scope: organization, principal, operation; 24 hours; across nodes the unique key decides.

use std::collections::HashSet;
use std::time::Duration;

use axum::http::request::Parts;
use db::{OrgScope, Statement, sql};
use parking_lot::Mutex;
use problem::{ALREADY_CREATED, IDEMPOTENCY_IN_FLIGHT, IDEMPOTENCY_MISMATCH, MALFORMED_REQUEST, Problem};
use serde::{Deserialize, Serialize};
use types::{Id, OrgId};

use crate::door::Door;
use crate::{Caller, Reply, Spec};

const KEPT: Duration = Duration::from_secs(24 * 3600);
const LONGEST_KEY: usize = 255;

/// One keyed request under way.
#[derive(Clone)]
pub(crate) struct Ticket {
    org: OrgId,
    principal: String,
    operation: &'static str,
    key_hash: [u8; 32],
    body_hash: [u8; 32],
}

/// Keys whose first request still runs in this process.
#[derive(Default)]
pub(crate) struct InFlight(Mutex<HashSet<[u8; 32]>>);

/// Takes the key away again, however the request ends.
pub(crate) struct Held<'a> {
    keys: &'a InFlight,
    name: [u8; 32],
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.keys.0.lock().remove(&self.name);
    }
}

/// What is stored: of an answer that shows a secret only the id.
#[derive(Serialize, Deserialize)]
struct Stored {
    status: u16,
    revision: Option<i64>,
    body: Option<String>,
    id: Option<String>,
}

impl Ticket {
    /// The caller's key, if it sent one.
    pub(crate) fn of(
        parts: &Parts,
        spec: &'static Spec,
        caller: &Caller,
        body: &[u8],
    ) -> Result<Option<Self>, Problem> {
        let Some(key) = parts.headers.get("idempotency-key") else { return Ok(None) };
        let printable = key.as_bytes().iter().all(|byte| (0x20..0x7f).contains(byte));
        if key.is_empty() || key.len() > LONGEST_KEY || !printable {
            let detail = "Idempotency-Key must be 1 to 255 printable ASCII characters.";
            return Err(Problem::new(&MALFORMED_REQUEST, detail));
        }
        Ok(Some(Self {
            org: caller.org,
            principal: caller.principal().to_string(),
            operation: spec.id,
            key_hash: crypto::hash::sha256(key.as_bytes()),
            // What was asked is the body and whom it was asked about.
            body_hash: crypto::hash::sha256_concat(&[parts.uri.to_string().as_bytes(), &[0], body]),
        }))
    }

    pub(crate) fn hold<'a>(&self, keys: &'a InFlight) -> Result<Held<'a>, Problem> {
        let org = self.org.uuid();
        let parts: [&[u8]; 4] =
            [org.as_bytes(), self.principal.as_bytes(), self.operation.as_bytes(), &self.key_hash];
        let name = crypto::hash::sha256_concat(&parts);
        if keys.0.lock().insert(name) {
            return Ok(Held { keys, name });
        }
        let detail = "The first request with this key is still running. Wait for its answer.";
        Err(Problem::new(&IDEMPOTENCY_IN_FLIGHT, detail).with_retry_after(1))
    }

    /// The first answer to this key, if there is one.
    pub(crate) async fn look_up(&self, door: &Door) -> Result<Option<Reply>, Problem> {
        let select = sql(
            "SELECT body_hash, answer FROM idempotency WHERE org = $1 AND principal = $2 AND operation = $3 \
             AND key_hash = $4 AND created_at > $5",
            vec![
                self.org.uuid().into(),
                self.principal.as_str().into(),
                self.operation.into(),
                self.key_hash.into(),
                door.world.now().minus(KEPT).into(),
            ],
        );
        let Some(mut row) = door.db.read_one(OrgScope::proven(self.org), select).await? else {
            return Ok(None);
        };
        let body_hash: [u8; 32] = row.next()?;
        if body_hash != self.body_hash {
            let detail = "This key was used with another path or body. Use a new key for a new request.";
            return Err(Problem::new(&IDEMPOTENCY_MISMATCH, detail));
        }
        let sealed: Vec<u8> = row.next()?;
        let bytes = door.open(self.org, &self.key_hash, &sealed).await?;
        let stored: Stored = serde_json::from_slice(&bytes).map_err(Problem::internal)?;
        match stored.body {
            Some(body) => Ok(Some(Reply {
                status: stored.status,
                revision: stored.revision,
                body: body.into_bytes(),
                replayed: true,
            })),
            None => Err(Problem::new(
                &ALREADY_CREATED,
                "The first request with this key succeeded; its secret is not shown twice.",
            )
            .with_member("id", stored.id)),
        }
    }

    /// The row that goes along with the change; an expired one is taken over.
    pub(crate) async fn insertion(
        &self,
        door: &Door,
        spec: &Spec,
        reply: &Reply,
    ) -> Result<Statement, Problem> {
        let answer =
            serde_json::to_vec(&Stored::of(reply, spec.reveals_secret)).map_err(Problem::internal)?;
        let now = door.world.now();
        let insert = "INSERT INTO idempotency (org, principal, operation, key_hash, body_hash, answer, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (org, principal, operation, key_hash) \
             DO UPDATE SET body_hash = $5, answer = $6, created_at = $7 WHERE idempotency.created_at <= $8";
        let params = vec![
            self.org.uuid().into(),
            self.principal.as_str().into(),
            self.operation.into(),
            self.key_hash.into(),
            self.body_hash.into(),
            door.seal(self.org, &self.key_hash, &answer).await?.into(),
            now.into(),
            now.minus(KEPT).into(),
        ];
        Ok(sql(insert, params).one_row_or(&IDEMPOTENCY_IN_FLIGHT))
    }
}

impl Ticket {
    /// The same row with a later answer.
    pub(crate) async fn replacement(
        &self,
        door: &Door,
        spec: &Spec,
        reply: &Reply,
    ) -> Result<Statement, Problem> {
        let answer =
            serde_json::to_vec(&Stored::of(reply, spec.reveals_secret)).map_err(Problem::internal)?;
        let update = "UPDATE idempotency SET answer = $5 WHERE org = $1 AND principal = $2 AND operation = $3 \
                      AND key_hash = $4";
        let params = vec![
            self.org.uuid().into(),
            self.principal.as_str().into(),
            self.operation.into(),
            self.key_hash.into(),
            door.seal(self.org, &self.key_hash, &answer).await?.into(),
        ];
        Ok(sql(update, params))
    }
}

impl Stored {
    fn of(reply: &Reply, reveals_secret: bool) -> Self {
        let body = String::from_utf8_lossy(&reply.body).into_owned();
        let id =
            || serde_json::from_str::<serde_json::Value>(&body).ok()?.get("id")?.as_str().map(str::to_owned);
        let (status, revision) = (reply.status, reply.revision);
        if reveals_secret {
            return Self { status, revision, id: id(), body: None };
        }
        Self { status, revision, id: None, body: Some(body) }
    }
}

/// Answers older than a day are of no use any more. Run by the sweeper.
pub fn sweep(now: types::Timestamp) -> Statement {
    sql("DELETE FROM idempotency WHERE created_at <= $1", vec![now.minus(KEPT).into()])
}
