//! `/api/v1/tokens/{jti}/activity`: what a token was used for, from the ledger.

use std::time::Duration;

use audit::{FactActor, FactTarget, FactView};
use axum::extract::State;
use ledger::Outcome;
use problem::{NOT_FOUND, Problem};
use serde::{Deserialize, Serialize};
use types::{FactId, Id, RequestId, RunId, Timestamp, TokenId, TxnId};
use utoipa::ToSchema;
use web::{Allowance, Allowed, Object, Page, Params, PrincipalId, Refusal, Reply, Segment, Spec, operation};

use crate::{Oauth, facts};

/// How far the index may lag behind.
const JUST_NOW: Duration = Duration::from_secs(2);

operation! {
    /// Lists what a token did, newest first: its issue, every change made with it, its runs, its end.
    pub TokenActivity[ActivityFilter] -> Page<TokenAct> =
        Spec::get("tokens.activity", "/api/v1/tokens/{jti}/activity").needs("tokens:read");
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivityFilter {
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

/// One fact that names the token.
#[derive(Serialize, ToSchema)]
pub struct TokenAct {
    pub id: FactId,
    pub occurred_at: Timestamp,
    /// Such as `token.issued` or `agent.created`.
    pub kind: String,
    /// `success`, `failure` or `denied`.
    #[schema(value_type = String)]
    pub outcome: Outcome,
    pub actor: FactActor,
    /// Type, id and name of what was acted upon.
    pub target: Option<FactTarget>,
    pub request: Option<RequestId>,
    pub run: Option<RunId>,
    pub txn: Option<TxnId>,
}

impl From<FactView> for TokenAct {
    fn from(fact: FactView) -> Self {
        Self {
            id: fact.id,
            occurred_at: fact.occurred_at,
            kind: fact.kind,
            outcome: fact.outcome,
            actor: fact.actor,
            target: fact.target,
            request: fact.request,
            run: fact.run,
            txn: fact.txn,
        }
    }
}

pub async fn list(
    State(oauth): State<Oauth>,
    allowed: Allowed<TokenActivity>,
    Segment(jti): Segment<TokenId>,
    Params(filter): Params<TokenActivity>,
) -> Result<Reply, Refusal> {
    may_read(&oauth, &allowed, jti).await?;
    let facts = oauth.inner().audit.of_token(&allowed, jti, filter.limit, filter.cursor.as_deref()).await?;
    let items = facts.items.into_iter().map(TokenAct::from).collect();
    Ok(Reply::of::<TokenActivity>(&Page { items, next_cursor: facts.next_cursor, total: None })?)
}

/// A token belongs to whoever acts by it, and to that agent's owner.
async fn may_read(oauth: &Oauth, by: &Allowance, jti: TokenId) -> Result<(), Refusal> {
    let inner = oauth.inner();
    let unknown = || Problem::new(&NOT_FOUND, "No such token left a trace here.");
    let holder = holder_of(oauth, by, jti).await?.ok_or_else(unknown)?;
    let owner = match holder {
        PrincipalId::Agent(agent) => {
            inner.agents.standing(agent).await?.map(|standing| standing.owner.uuid())
        }
        PrincipalId::User(_) => None,
    };
    Ok(by.check(&Object {
        selector: jti.to_string().into(),
        is: Some(holder.uuid()),
        owner,
        ..Object::default()
    })?)
}

/// The index follows the ledger by moments; a token that was issued just now is waited for.
async fn holder_of(oauth: &Oauth, by: &Allowance, jti: TokenId) -> Result<Option<PrincipalId>, Problem> {
    let inner = oauth.inner();
    let look = || inner.audit.holder_of_token(by, jti, &facts::TOKEN_ISSUED);
    let found = look().await?;
    let age = inner.world.now().since(issued_at(jti));
    if found.is_some() || age > JUST_NOW {
        return Ok(found);
    }
    // In vain or not, what is there then is the answer.
    let _ = tokio::time::timeout(JUST_NOW, inner.ledger.drain()).await;
    look().await
}

/// A UUIDv7 begins with its milliseconds.
fn issued_at(jti: TokenId) -> Timestamp {
    let (high, _) = jti.uuid().as_u64_pair();
    Timestamp::from_millis(i64::try_from(high >> 16).unwrap_or(0))
}
