//! `/api/v1/hooks/{hook}/deliveries`: what came in, and once more.

use axum::extract::State;
use problem::{
    DELIVERY_NOT_KEPT, DELIVERY_NOT_ROUTED, INPUT_INVALID, INVALID_CURSOR, PERMISSION_DENIED, Problem,
    SANDBOX_UNAVAILABLE, TRIGGER_ORPHANED,
};
use serde::Deserialize;
use serde_json::json;
use types::{DeliveryId, HookId};
use utoipa::ToSchema;
use web::{
    Allowed, Page, Params, Refusal, Reply, Segment, Segments, Spec, leaves, operation, page, page_size,
    refuses,
};

use super::views::DeliveryView;
use crate::hooks::model::{Delivery, Outcome};
use crate::{TriggerError, Triggers, facts};

operation! {
    /// Lists what came in to a hook, newest first: the last 200 of seven days, and the last 50 that were refused or ignored.
    pub ListDeliveries[DeliveryFilter] -> Page<DeliveryView> =
        Spec::get("hooks.deliveries.list", "/api/v1/hooks/{hook}/deliveries")
        .needs("hooks:read").errors(refuses![INVALID_CURSOR]);

    /// Shows a delivery; with what was sent, for those who may change the hook.
    pub GetDelivery -> DeliveryView =
        Spec::get("hooks.deliveries.get", "/api/v1/hooks/{hook}/deliveries/{delivery}").needs("hooks:read");

    /// Sends a delivery through once more: a new run, for the hook's owner, with what was sent then.
    pub ReplayDelivery -> DeliveryView =
        Spec::post("hooks.deliveries.replay", "/api/v1/hooks/{hook}/deliveries/{delivery}/replay")
        .needs("hooks:update").in_person().status(202)
        .facts(leaves![facts::HOOK_DELIVERY_REPLAYED])
        .further_facts(leaves![
            runs::facts::RUN_SUCCEEDED, runs::facts::RUN_FAILED, runs::facts::RUN_TIMED_OUT,
            runs::facts::RUN_CANCELLED, runs::facts::RUN_DEAD
        ])
        .errors(refuses![DELIVERY_NOT_KEPT, DELIVERY_NOT_ROUTED, INPUT_INVALID, PERMISSION_DENIED, TRIGGER_ORPHANED, SANDBOX_UNAVAILABLE]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HookDeliveryFilter)]
pub struct DeliveryFilter {
    pub outcome: Option<Outcome>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

pub async fn list(
    State(triggers): State<Triggers>,
    allowed: Allowed<ListDeliveries>,
    Segment(hook): Segment<HookId>,
    Params(filter): Params<ListDeliveries>,
) -> Result<Reply, Refusal> {
    let limit = page_size(filter.limit)?;
    let before = allowed.after::<DeliveryId>(filter.cursor.as_deref())?;
    let rows = triggers.list_deliveries(&allowed, hook, filter.outcome, before, limit + 1).await?;
    let cursor = |delivery: &Delivery| allowed.cursor(&[json!(delivery.id)]);
    Ok(Reply::of::<ListDeliveries>(&page(rows, limit, cursor, DeliveryView::from))?)
}

pub async fn get(
    State(triggers): State<Triggers>,
    allowed: Allowed<GetDelivery>,
    Segments(path): Segments<(String, String)>,
) -> Result<Reply, Refusal> {
    let (hook, id) = named(&path)?;
    let opened = triggers.open_delivery(&allowed, hook, id).await?;
    Ok(Reply::of::<GetDelivery>(&DeliveryView::from(opened))?)
}

pub async fn replay(
    State(triggers): State<Triggers>,
    allowed: Allowed<ReplayDelivery>,
    Segments(path): Segments<(String, String)>,
) -> Result<Reply, Refusal> {
    let (hook, id) = named(&path)?;
    allowed.settle::<ReplayDelivery, _, _, _>(|| triggers.replay_delivery(&allowed, hook, id)).await
}

/// What is no id belongs to nothing.
fn named((hook, delivery): &(String, String)) -> Result<(HookId, DeliveryId), Problem> {
    let hook = hook.parse().map_err(|_| TriggerError::UnknownHook)?;
    Ok((hook, delivery.parse().map_err(|_| TriggerError::UnknownDelivery)?))
}
