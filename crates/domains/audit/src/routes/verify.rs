//! Verification against the database itself.

use axum::extract::State;
use ledger::{Verification, VerifyFrom};
use serde::{Deserialize, Serialize};
use serde_json::json;
use types::FactId;
use utoipa::ToSchema;
use web::{Allowed, Params, Rate, Refusal, Reply, Spec, leaves, operation};

use crate::{Audit, facts};

operation! {
    /// Checks the organization's records: each is the one that was recorded, none is missing, the log continues its
    /// checkpoints, and lists show every one of them as it is.
    pub Verify[VerifyRange] -> VerifyView =
        Spec::get("audit.verify", "/api/v1/audit/verify").needs("audit:read").rate(Rate::Heavy)
            .further_facts(leaves![facts::LISTS_REBUILT]);

    /// Checks the whole log of the instance.
    pub VerifyLog[LogRange] -> VerifyView =
        Spec::get("audit.verify_log", "/api/v1/audit/verify-log").needs("system:audit").rate(Rate::Heavy);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyRange {
    /// First place of the organization's order; the first record if left out.
    pub from: Option<u64>,
    /// Last place; the newest if left out.
    pub to: Option<u64>,
    /// Starts behind what an earlier check found whole.
    #[serde(default)]
    pub incremental: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogRange {
    /// Starts behind what an earlier check found whole.
    #[serde(default)]
    pub incremental: bool,
}

#[derive(Serialize, ToSchema)]
pub struct VerifyView {
    pub verified: bool,
    pub checked_count: u64,
    /// The first record that does not hold, where one can be named.
    pub broken_at_event_id: Option<FactId>,
    /// What is wrong, in words.
    pub reason: Option<String>,
    pub from: u64,
    pub to: u64,
    /// The signed checkpoint that the records were held against.
    pub checkpoint: Option<String>,
}

impl From<Verification> for VerifyView {
    fn from(found: Verification) -> Self {
        Self {
            verified: found.verified,
            checked_count: found.checked_count,
            broken_at_event_id: found.broken_at_event_id,
            reason: found.reason,
            from: found.from,
            to: found.to,
            checkpoint: found.checkpoint,
        }
    }
}

pub async fn verify(
    State(audit): State<Audit>,
    allowed: Allowed<Verify>,
    Params(range): Params<Verify>,
) -> Result<Reply, Refusal> {
    let from = match range.from {
        Some(number) => VerifyFrom::Number(number),
        None => start(range.incremental),
    };
    let (inner, scope) = (audit.inner(), allowed.scope());
    let mut found = inner.ledger.verify(&scope, from, range.to).await?;
    if found.verified
        && let Some(fact) = inner.hidden(&scope, found.from, found.to).await?
    {
        // First the fact: what was found must not be forgotten with the rows that showed it.
        let data = json!({ "fact": fact.to_string() });
        inner.ledger.append(allowed.fact(&facts::LISTS_REBUILT).data(data)).await?;
        inner.rebuild(&scope).await?;
        found.verified = false;
        found.broken_at_event_id = Some(fact);
        found.reason = Some(HIDDEN.to_owned());
    }
    Ok(Reply::of::<Verify>(&VerifyView::from(found))?)
}

pub async fn verify_log(
    State(audit): State<Audit>,
    _allowed: Allowed<VerifyLog>,
    Params(range): Params<VerifyLog>,
) -> Result<Reply, Refusal> {
    let found = audit.inner().ledger.verify_log(start(range.incremental)).await?;
    Ok(Reply::of::<VerifyLog>(&VerifyView::from(found))?)
}

const HIDDEN: &str = "the record is whole, but lists hid this one or showed it otherwise: somebody changed the index. It is \
                      being built anew";

fn start(incremental: bool) -> VerifyFrom {
    if incremental { VerifyFrom::LastVerified } else { VerifyFrom::Start }
}
