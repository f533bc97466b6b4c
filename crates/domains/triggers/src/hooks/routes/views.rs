//! Hooks and deliveries as the outside sees them.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use types::{DeliveryId, FunctionId, HookId, RunId, Timestamp};
use utoipa::ToSchema;

use crate::hooks::deliveries::Opened;
use crate::hooks::input::Received;
use crate::hooks::manage::Shown;
use crate::hooks::model::{
    Authentication, Deduplication, Delivery, Hook, InputSettings, Outcome, ResponseMode,
};
use crate::hooks::routing::Route;
use crate::hooks::words::{HookMethod, HookPath};

/// What a hook sets off. Functions are all that there is so far.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HookTarget)]
pub struct Target {
    /// Its id, or `namespace:name`.
    #[schema(min_length = 1, max_length = 200)]
    pub function: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HookTargetView)]
pub struct TargetView {
    pub function: FunctionId,
    /// `namespace/name`.
    pub name: String,
}

#[derive(Serialize, ToSchema)]
pub struct HookView {
    pub id: HookId,
    /// Where everybody is believed the last segment is a secret: `…` to those who may not change the hook.
    pub path: HookPath,
    pub methods: Vec<HookMethod>,
    /// Where to send to; `{parameters}` stand for any segment.
    pub url: String,
    pub description: String,
    pub active: bool,
    pub target: TargetView,
    /// For whom it acts: `usr_…` or `agt_…`.
    pub owner: String,
    /// What its runs may do besides.
    pub permissions: Vec<String>,
    pub authentication: Authentication,
    /// Shown once: when it was made or changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub secret: Option<String>,
    /// Until when the secret of before is good as well.
    pub previous_secret_until: Option<Timestamp>,
    pub allowed_ips: Vec<String>,
    pub input: InputSettings,
    pub routes: Vec<Route>,
    pub response: ResponseMode,
    pub deduplication: Option<Deduplication>,
    /// Believed deliveries on each node.
    pub rate_per_minute: i64,
    pub concurrency: i64,
    pub max_body_bytes: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub revision: i64,
}

impl HookView {
    pub(crate) fn of(hook: Hook, public_url: &str) -> Self {
        Self {
            id: hook.id,
            url: format!("{public_url}/o/{}/hooks/{}", hook.slug, hook.path),
            path: hook.path,
            methods: hook.methods,
            description: hook.description,
            active: hook.active,
            target: TargetView { function: hook.function, name: hook.function_name },
            owner: hook.owner.to_string(),
            permissions: hook.permissions.iter().map(ToString::to_string).collect(),
            authentication: hook.authentication,
            secret: None,
            previous_secret_until: hook.secrets.previous_until,
            allowed_ips: hook.allowed_ips.iter().map(ToString::to_string).collect(),
            input: hook.input,
            routes: hook.routes,
            response: hook.response,
            deduplication: hook.deduplication,
            rate_per_minute: hook.limits.per_minute,
            concurrency: hook.limits.concurrency,
            max_body_bytes: hook.limits.body_bytes,
            created_at: hook.created_at,
            updated_at: hook.updated_at,
            revision: hook.revision,
        }
    }
}

impl From<Shown> for HookView {
    fn from(shown: Shown) -> Self {
        let secret = shown.secret.map(|secret| secret.reveal().clone());
        Self { secret, ..Self::of(shown.hook, &shown.public_url) }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = HookDelivery)]
pub struct DeliveryView {
    pub id: DeliveryId,
    pub hook: HookId,
    pub received_at: Timestamp,
    pub method: String,
    pub ip: Option<String>,
    pub outcome: Outcome,
    /// Why it was refused, in a word.
    pub reason: Option<String>,
    /// How many it stands for: refusals for one reason are summed up by the minute.
    pub count: i64,
    /// What it set off, or the run whose answer it got.
    pub run: Option<RunId>,
    /// The delivery that was sent through once more.
    pub replay_of: Option<DeliveryId>,
    /// Bytes of the body.
    pub size: i64,
    /// In single reads, to those who may change the hook, of what was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub request: Option<RequestView>,
}

/// What was sent, without what proved who sent it.
#[derive(Serialize, ToSchema)]
#[schema(as = HookRequest)]
pub struct RequestView {
    pub path: String,
    pub query: String,
    pub headers: BTreeMap<String, String>,
    /// In base64.
    pub body: String,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            hook: delivery.hook,
            received_at: delivery.received_at,
            method: delivery.method,
            ip: delivery.ip,
            outcome: delivery.outcome,
            reason: delivery.reason,
            count: delivery.count,
            run: delivery.run,
            replay_of: delivery.replay_of,
            size: delivery.size,
            request: None,
        }
    }
}

impl From<Opened> for DeliveryView {
    fn from(opened: Opened) -> Self {
        let request = opened.received.map(|Received { path, query, headers, body, .. }| RequestView {
            path,
            query,
            headers,
            body: STANDARD.encode(body),
        });
        Self { request, ..Self::from(opened.delivery) }
    }
}
