//! Facts and proofs as the outside sees them.

use ledger::{Actor, Event, FactProof, Outcome, Severity};
use serde::Serialize;
use serde_json::{Map, Value};
use types::{ApiKeyId, CredentialId, FactId, OrgId, RequestId, RunId, Timestamp, TokenId, TxnId};
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub struct FactView {
    pub id: FactId,
    pub org: OrgId,
    /// Index of the leaf in the whole log.
    pub seq: u64,
    /// Place in the organization's own order: from 1, without gaps.
    pub org_seq: u64,
    pub occurred_at: Timestamp,
    pub kind: String,
    #[schema(value_type = String)]
    pub outcome: Outcome,
    #[schema(value_type = String)]
    pub severity: Severity,
    pub actor: FactActor,
    /// Who acted for the actor, outermost first.
    pub act: Vec<FactActor>,
    pub on_behalf_of: Option<FactActor>,
    pub target: Option<FactTarget>,
    pub jti: Option<TokenId>,
    pub txn: Option<TxnId>,
    pub credential: Option<CredentialId>,
    /// The API key that it was done with.
    pub api_key: Option<ApiKeyId>,
    pub run: Option<RunId>,
    pub request: Option<RequestId>,
    /// The fact that this one follows from.
    pub cause: Option<FactId>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    /// As the kind's schema says; see `GET /api/v1/events/catalogue`.
    #[schema(value_type = Object)]
    pub data: Map<String, Value>,
    /// In place of data that was too large.
    pub data_hash: Option<DataHashView>,
    /// Set on facts that stand for many.
    pub repeated: Option<RepeatedView>,
}

#[derive(Serialize, ToSchema)]
pub struct FactActor {
    /// `user`, `agent`, `function`, `system` or `anonymous`.
    pub kind: &'static str,
    pub id: Option<String>,
    pub display: String,
}

#[derive(Serialize, ToSchema)]
pub struct FactTarget {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
    pub name: String,
}

#[derive(Serialize, ToSchema)]
pub struct DataHashView {
    pub bytes: u64,
    /// SHA-256 of the data's RFC 8785 form, in hexadecimal.
    pub sha256: String,
}

#[derive(Serialize, ToSchema)]
pub struct RepeatedView {
    pub count: u64,
    /// Prefix of the addresses, or the subject that was counted.
    pub source: String,
}

#[derive(Serialize, ToSchema)]
pub struct FactDetail {
    #[serde(flatten)]
    pub fact: FactView,
    /// Missing in the second before a checkpoint covers the fact.
    pub proof: Option<ProofView>,
}

/// SHA-256(`clear`) is the entry; RFC 9162 leaf hash and `path` lead to the root in the checkpoint, which `key` verifies.
#[derive(Serialize, ToSchema)]
pub struct ProofView {
    pub seq: u64,
    /// Canonical clear part; null where the fact was purged.
    pub clear: Option<String>,
    /// Canonical private part; its SHA-256 stands in the clear part.
    pub private: Option<String>,
    pub entry: String,
    pub leaf_hash: String,
    pub tree_size: u64,
    pub path: Vec<String>,
    /// The signed note.
    pub checkpoint: String,
    /// The log's verifier key: what a verifier pins.
    pub key: String,
}

impl From<Actor> for FactActor {
    fn from(actor: Actor) -> Self {
        Self { kind: actor.kind.name(), id: actor.id, display: actor.display }
    }
}

impl From<Event> for FactView {
    fn from(event: Event) -> Self {
        Self {
            id: event.id,
            org: event.org,
            seq: event.seq,
            org_seq: event.org_seq,
            occurred_at: event.occurred_at,
            kind: event.kind,
            outcome: event.outcome,
            severity: event.severity,
            actor: event.actor.into(),
            act: event.act.into_iter().map(FactActor::from).collect(),
            on_behalf_of: event.on_behalf_of.map(FactActor::from),
            target: event.target.map(|target| FactTarget {
                kind: target.kind,
                id: target.id,
                name: target.name,
            }),
            jti: event.jti,
            txn: event.txn,
            credential: event.credential,
            api_key: event.api_key,
            run: event.run,
            request: event.request,
            cause: event.cause,
            ip: event.ip.map(|ip| ip.to_string()),
            user_agent: event.user_agent,
            data: event.data,
            data_hash: event.data_hash.map(|hash| DataHashView { bytes: hash.bytes, sha256: hash.sha256 }),
            repeated: event.repeated.map(|one| RepeatedView { count: one.count, source: one.source }),
        }
    }
}

impl ProofView {
    pub(crate) fn new(proof: FactProof, key: String) -> Self {
        Self {
            seq: proof.seq,
            clear: proof.clear,
            private: proof.private,
            entry: hex(&proof.entry),
            leaf_hash: hex(&proof.leaf_hash),
            tree_size: proof.tree_size,
            path: proof.path.iter().map(|hash| hex(hash)).collect(),
            checkpoint: proof.checkpoint,
            key,
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
