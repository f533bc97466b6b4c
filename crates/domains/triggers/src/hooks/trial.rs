//! Trying a hook: what a delivery would come to, without its coming to it. Nothing is run, kept or counted.

use std::collections::BTreeMap;

use functions::FunctionRef;
use problem::{FieldError, Problem};
use serde_json::Value;
use types::{DeliveryId, HookId, RunId};
use web::Allowance;

use super::input::{Read, Received, declined, read};
use super::model::{Hook, InputSettings, Outcome};
use super::receive::key_in;
use super::routing::{self, Declined, Route};
use super::store;
use super::words::{HookMethod, segments_of};
use crate::{TriggerError, Triggers};

/// A request that nobody sent, or one that somebody did; and settings to try in place of the hook's own.
pub(crate) struct Trial {
    pub(crate) delivery: Option<DeliveryId>,
    pub(crate) method: Option<HookMethod>,
    pub(crate) path: Option<String>,
    pub(crate) query: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<Value>,
    pub(crate) input: Option<InputSettings>,
    pub(crate) routes: Option<Vec<Route>>,
}

/// What it would come to.
pub(crate) struct Tried {
    pub(crate) outcome: Outcome,
    pub(crate) route: Option<usize>,
    pub(crate) declined: Vec<Declined>,
    pub(crate) input: Option<Value>,
    /// Where the input does not fit the function's schema; none where the caller may not execute the function.
    pub(crate) misfits: Option<Vec<FieldError>>,
    /// The run whose answer it would get.
    pub(crate) repeat_of: Option<RunId>,
}

impl Triggers {
    pub(crate) async fn try_hook(
        &self,
        by: &Allowance,
        id: HookId,
        trial: Trial,
    ) -> Result<Tried, TriggerError> {
        let inner = self.inner();
        let mut hook = self.find_hook(by, id).await?;
        let received = match trial.delivery {
            Some(delivery) => self.received_in(by, &hook, delivery).await?,
            None => made_up(&hook, &trial)?,
        };
        if let Some(routes) = trial.routes {
            routing::check(&routes)?;
            hook.routes = routes;
        }
        hook.input = trial.input.unwrap_or(hook.input);
        let Read { body, way } = read(&hook.input, &hook.routes, &received)?;
        let declined = declined(&hook.input, &hook.routes, &received)?;
        let Some(way) = way else {
            let outcome = Outcome::Ignored;
            return Ok(Tried { outcome, route: None, declined, input: None, misfits: None, repeat_of: None });
        };
        let key = hook
            .deduplication
            .as_ref()
            .and_then(|by| key_in(by, |name| received.headers.get(name).cloned(), &body));
        let repeat_of = match key {
            Some(key) => store::marked(&inner.db, &by.scope(), &hook, key, inner.world.now()).await?,
            None => None,
        };
        let misfits = match inner.functions.callable(by, &FunctionRef::Id(hook.function)).await {
            Ok(target) => Some(inner.functions.misfits(by, target.id, &way.input, "/input").await?),
            Err(problem) if matches!(problem.status(), 403 | 404) => None,
            Err(problem) => return Err(problem.into()),
        };
        let outcome = if repeat_of.is_some() { Outcome::Duplicate } else { Outcome::Accepted };
        Ok(Tried { outcome, route: way.route, declined, input: Some(way.input), misfits, repeat_of })
    }
}

/// A request to the hook as somebody might send it.
fn made_up(hook: &Hook, trial: &Trial) -> Result<Received, TriggerError> {
    let method = trial.method.or_else(|| hook.methods.first().copied()).unwrap_or(HookMethod::Post);
    if !hook.methods.contains(&method) {
        return Err(TriggerError::invalid("/method", "is none that the hook takes"));
    }
    // Parameters stand for themselves, if nobody says what they are.
    let path = trial.path.clone().unwrap_or_else(|| hook.path.as_str().replace(['{', '}'], ""));
    let path_params = segments_of(&path).and_then(|segments| hook.path.matched(&segments));
    let path_params = path_params.ok_or_else(|| TriggerError::invalid("/path", "is no path of the hook"))?;
    let mut headers: BTreeMap<String, String> =
        trial.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    let kind = headers.get("content-type").map(|kind| kind.to_ascii_lowercase());
    let is_json = kind.as_deref().is_none_or(|kind| kind.contains("json"));
    let body = match &trial.body {
        None => Vec::new(),
        // What is not to be JSON is sent as it is written.
        Some(Value::String(text)) if !is_json => text.clone().into_bytes(),
        Some(body) => serde_json::to_vec(body).map_err(Problem::internal)?,
    };
    if kind.is_none() && trial.body.is_some() {
        headers.insert("content-type".to_owned(), "application/json".to_owned());
    }
    Ok(Received {
        method: method.name().to_owned(),
        path,
        path_params,
        query: trial.query.clone(),
        headers,
        body,
    })
}
