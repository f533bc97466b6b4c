//! `/api/v1/tokens/{jti}/activity`: what a token was used for, from the ledger.

use std::time::Duration;

use axum::extract::State;
use ledger::{Actor, Event, Outcome};
use problem::{NOT_FOUND, Problem};
use serde::{Deserialize, Serialize};
use serde_json::json;
use types::{FactId, Id, RequestId, RunId, Timestamp, TokenId, TxnId};
use utoipa::ToSchema;
use web::{
    Allowance, Allowed, Object, Page, Params, PrincipalId, Refusal, Reply, Segment, Spec, operation,
    page_size,
};

use crate::{Oauth, store};

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
    pub actor: ActorView,
    /// Type, id and name of what was acted upon.
    pub target: Option<TargetView>,
    pub request: Option<RequestId>,
    pub run: Option<RunId>,
    pub txn: Option<TxnId>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TokenActor)]
pub struct ActorView {
    /// `user`, `agent`, `system` or `anonymous`.
    pub kind: &'static str,
    pub id: Option<String>,
    pub display: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TokenTarget)]
pub struct TargetView {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
    pub name: String,
}

impl From<Event> for TokenAct {
    fn from(event: Event) -> Self {
        let Actor { kind, id, display } = event.actor;
        let target =
            |target: ledger::EventTarget| TargetView { kind: target.kind, id: target.id, name: target.name };
        Self {
            id: event.id,
            occurred_at: event.occurred_at,
            kind: event.kind,
            outcome: event.outcome,
            actor: ActorView { kind: kind.name(), id, display },
            target: event.target.map(target),
            request: event.request,
            run: event.run,
            txn: event.txn,
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
    let inner = oauth.inner();
    let limit = page_size(filter.limit)?;
    let before = allowed.keys_after(filter.cursor.as_deref())?.first().and_then(serde_json::Value::as_i64);
    let mut places = store::facts_of_token(&inner.db, &allowed.scope(), jti, before, limit + 1).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = places.len() > wanted;
    places.truncate(wanted);
    let ids: Vec<FactId> = places.iter().map(|(_, fact)| *fact).collect();
    // Purged facts are left out; the place of the last one still says where the next page begins.
    let events = inner.ledger.events(&allowed.scope(), &ids).await?;
    let last = places.last().filter(|_| more);
    let next_cursor = last.map(|(place, _)| allowed.cursor(&[json!(place)]));
    let items = events.into_iter().map(TokenAct::from).collect();
    Ok(Reply::of::<TokenActivity>(&Page { items, next_cursor, total: None })?)
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
    Ok(by.check(&Object { selector: jti.to_string().into(), is: Some(holder.uuid()), owner, group: None })?)
}

/// The index follows the ledger by moments; a token that was issued just now is waited for.
async fn holder_of(oauth: &Oauth, by: &Allowance, jti: TokenId) -> Result<Option<PrincipalId>, Problem> {
    let inner = oauth.inner();
    let scope = by.scope();
    let look = || store::holder_of_token(&inner.db, &scope, jti);
    let found = look().await?;
    let age = inner.world.now().since(issued_at(jti));
    if found.is_some() || age > JUST_NOW {
        return Ok(found);
    }
    // In vain or not, what is there then is the answer.
    let _ = tokio::time::timeout(JUST_NOW, inner.ledger.drain()).await;
    Ok(look().await?)
}

/// A UUIDv7 begins with its milliseconds.
fn issued_at(jti: TokenId) -> Timestamp {
    let (high, _) = jti.uuid().as_u64_pair();
    Timestamp::from_millis(i64::try_from(high >> 16).unwrap_or(0))
}
