//! `/api/v1/hooks/{hook}/try`: what would come of a delivery.

use std::collections::BTreeMap;

use axum::extract::State;
use problem::{
    BODY_TOO_LARGE, DELIVERY_NOT_KEPT, FieldError, INPUT_INVALID, MALFORMED_JSON, MALFORMED_REQUEST,
    UNSUPPORTED_MEDIA_TYPE,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::{DeliveryId, HookId, RunId};
use utoipa::ToSchema;
use web::{Allowed, Input, Refusal, Reply, Segment, Spec, operation, refuses};

use crate::Triggers;
use crate::hooks::model::{InputSettings, Outcome};
use crate::hooks::routing::{Declined, Route};
use crate::hooks::trial::{Trial, Tried};
use crate::hooks::words::HookMethod;

operation! {
    /// Says what a delivery would come to – its route, the function's input, whether that fits – without running, keeping or
    /// counting anything. Who sent it is not asked.
    pub TryHook(HookTrial) -> HookTried = Spec::post("hooks.try", "/api/v1/hooks/{hook}/try")
        .needs("hooks:update")
        .errors(refuses![
            DELIVERY_NOT_KEPT, MALFORMED_JSON, MALFORMED_REQUEST, UNSUPPORTED_MEDIA_TYPE, INPUT_INVALID, BODY_TOO_LARGE
        ])
        .example(r#"{"body": {"action": "opened"}, "routes": [{"when": [{"at": "/body/action", "is": "equal_to", "value": "opened"}]}]}"#);
}

/// A request to a hook, or a delivery of before.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HookTrial {
    /// What was sent then, in place of all that is said of the request.
    pub delivery: Option<DeliveryId>,
    /// The hook's first, if left out.
    pub method: Option<HookMethod>,
    /// With values in place of `{parameters}`; they stand for themselves, if left out.
    #[schema(max_length = 2000)]
    pub path: Option<String>,
    #[serde(default)]
    #[schema(max_length = 8000)]
    pub query: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Sent as JSON; text as it is, where `content-type` says that it is none.
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    pub body: Option<Value>,
    /// In place of the hook's own.
    pub input: Option<InputSettings>,
    /// In place of the hook's own.
    #[schema(max_items = 20)]
    pub routes: Option<Vec<Route>>,
}

#[derive(Serialize, ToSchema)]
pub struct HookTried {
    /// `accepted`, `ignored` or `duplicate`.
    pub outcome: Outcome,
    /// The place of the route that takes it; null where the hook has none, or none takes it.
    pub route: Option<usize>,
    /// Routes before it that decline it, each with its first test that does not hold.
    pub declined: Vec<Declined>,
    /// What the function would be given.
    #[schema(value_type = Option<Value>)]
    pub input: Option<Value>,
    /// Where that does not fit the function's schema; null where it is not yours to execute, or nothing would be run.
    pub misfits: Option<Vec<FieldError>>,
    /// Of a repeat: the run whose answer it would get.
    pub repeat_of: Option<RunId>,
}

impl From<Tried> for HookTried {
    fn from(tried: Tried) -> Self {
        let Tried { outcome, route, declined, input, misfits, repeat_of } = tried;
        Self { outcome, route, declined, input, misfits, repeat_of }
    }
}

pub async fn attempt(
    State(triggers): State<Triggers>,
    allowed: Allowed<TryHook>,
    Segment(id): Segment<HookId>,
    Input(trial): Input<TryHook>,
) -> Result<Reply, Refusal> {
    let HookTrial { delivery, method, path, query, headers, body, input, routes } = trial;
    let trial = Trial { delivery, method, path, query, headers, body, input, routes };
    let tried = triggers.try_hook(&allowed, id, trial).await?;
    Ok(Reply::of::<TryHook>(&HookTried::from(tried))?)
}
