//! A fact as readers see it: its place in the log, the clear part, and the private part opened.

use std::net::IpAddr;

use crypto::seal::Aad;
use secrets::Purpose;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use types::{ApiKeyId, CredentialId, FactId, Id, OrgId, RequestId, RunId, Timestamp, TokenId, TxnId};

use crate::fact::{Actor, ActorKind, Repeated};
use crate::kind::{Outcome, Severity};
use crate::store::{LoggedFact, StoredFact};
use crate::{Inner, LedgerError};

#[derive(Clone, Debug, Serialize)]
pub struct Event {
    pub id: FactId,
    pub org: OrgId,
    /// Place in the whole log; the leaf's index.
    pub seq: u64,
    /// Place in the organization's own order, from 1, without gaps.
    pub org_seq: u64,
    pub occurred_at: Timestamp,
    pub kind: String,
    pub outcome: Outcome,
    pub severity: Severity,
    pub actor: Actor,
    /// The delegation chain, outermost first.
    pub act: Vec<Actor>,
    pub on_behalf_of: Option<Actor>,
    pub jti: Option<TokenId>,
    pub txn: Option<TxnId>,
    pub credential: Option<CredentialId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<ApiKeyId>,
    pub run: Option<RunId>,
    pub request: Option<RequestId>,
    pub cause: Option<FactId>,
    pub target: Option<EventTarget>,
    pub ip: Option<IpAddr>,
    pub user_agent: Option<String>,
    pub data: Map<String, Value>,
    /// In place of data that was too large.
    pub data_hash: Option<DataHash>,
    /// Set on facts that stand for many.
    pub repeated: Option<Repeated>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventTarget {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataHash {
    pub bytes: u64,
    /// Of the data's RFC 8785 form, in hexadecimal.
    pub sha256: String,
}

/// The private part as it is written by `seal`.
#[derive(Deserialize)]
struct Private {
    #[serde(default)]
    act: Vec<Actor>,
    actor: String,
    api_key: Option<ApiKeyId>,
    #[serde(default)]
    data: Map<String, Value>,
    data_hash: Option<DataHash>,
    ip: Option<IpAddr>,
    on_behalf_of: Option<Actor>,
    repeated: Option<Repeated>,
    target: Option<String>,
    user_agent: Option<String>,
}

/// Where a fact's private part is stored, which its seal is bound to.
pub(crate) fn place(org: OrgId, id: &types::Uuid) -> Aad<'_> {
    Aad { table: "facts", column: "private", org: Some(org), row: id.as_bytes() }
}

impl Inner {
    /// The private part's canonical bytes.
    pub(crate) async fn open_private(
        &self,
        fact: &StoredFact,
        sealed: &[u8],
    ) -> Result<Vec<u8>, secrets::OpenError> {
        let id = fact.id.uuid();
        self.keyring.open_sealed(Purpose::Ledger, &place(fact.org, &id), sealed).await
    }

    /// None where the fact was purged.
    pub(crate) async fn event(&self, logged: LoggedFact) -> Result<Option<Event>, LedgerError> {
        let LoggedFact { leaf, fact: Some((fact, sealed)) } = logged else { return Ok(None) };
        let unreadable =
            |reason: String| LedgerError::Broken(format!("fact {} cannot be read: {reason}", fact.id));
        let private =
            self.open_private(&fact, &sealed).await.map_err(|error| unreadable(error.to_string()))?;
        let private: Private =
            serde_json::from_slice(&private).map_err(|error| unreadable(error.to_string()))?;
        let words = || -> Result<_, crate::UnknownWord> {
            Ok((
                fact.outcome.parse::<Outcome>()?,
                fact.severity.parse::<Severity>()?,
                fact.actor_kind.parse::<ActorKind>()?,
            ))
        };
        let (outcome, severity, actor_kind) = words().map_err(|error| unreadable(error.to_string()))?;
        let target = match (fact.target_type, fact.target_id) {
            (Some(kind), Some(id)) => {
                Some(EventTarget { kind, id, name: private.target.unwrap_or_default() })
            }
            _ => None,
        };
        Ok(Some(Event {
            id: fact.id,
            org: fact.org,
            seq: leaf.seq,
            org_seq: leaf.org_seq,
            occurred_at: fact.occurred_at,
            kind: fact.kind,
            outcome,
            severity,
            actor: Actor { kind: actor_kind, id: fact.actor_id, display: private.actor },
            act: private.act,
            on_behalf_of: private.on_behalf_of,
            jti: fact.jti,
            txn: fact.txn,
            credential: fact.credential,
            api_key: private.api_key,
            run: fact.run,
            request: fact.request,
            cause: fact.cause,
            target,
            ip: private.ip,
            user_agent: private.user_agent,
            data: private.data,
            data_hash: private.data_hash,
            repeated: private.repeated,
        }))
    }
}
