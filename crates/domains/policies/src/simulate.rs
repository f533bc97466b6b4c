//! Would this be allowed, and which rules say so?

use std::sync::Arc;

use problem::{POLICY_FAILED, Problem};
use rego::{Fired, Limits};
use serde_json::Value;
use web::Allowance;

use crate::PolicyError;
use crate::hypothesis::{Hypothesis, too_large};
use crate::in_force::{Layer, Layers, Own, ask, compile};
use crate::model::{Answer, PolicyBundle};
use crate::service::Policies;

pub(crate) struct Simulated {
    /// Whether the permissions alone would allow it.
    pub(crate) permitted: bool,
    pub(crate) answer: Answer,
    pub(crate) fired: Vec<Fired>,
    pub(crate) input: Value,
}

impl Policies {
    /// Asks a draft – or what is in force, if there is none – beside the operator's rules.
    pub(crate) async fn simulate(
        &self,
        by: &Allowance,
        asked: &Hypothesis<'_>,
        draft: Option<&PolicyBundle>,
    ) -> Result<Simulated, PolicyError> {
        let (inner, org) = (self.inner(), by.org());
        let permitted = inner.permits(org, asked).await?;
        let layers = self.layers(by, draft).await?;
        let Some(posed) = inner.pose(org, asked).await? else {
            return Ok(Simulated { permitted, answer: too_large(), fired: Vec::new(), input: Value::Null });
        };
        let input = posed.input.to_json();
        // Asking each rule by itself takes its time: not on a thread that others wait for.
        let work = tokio::task::spawn_blocking(move || {
            let answer = ask(layers.about(&posed.slice), &posed.slice, &posed.input);
            let fired = layers
                .about(&posed.slice)
                .flat_map(|layer| layer.compiled.explain(&posed.slice, &posed.input));
            (answer, fired.flatten().collect())
        });
        let (answer, fired) = work.await.map_err(problem::Problem::internal)?;
        Ok(Simulated { permitted, answer, fired, input })
    }

    /// The operator's rules, then the draft's or those in force.
    pub(crate) async fn layers(
        &self,
        by: &Allowance,
        draft: Option<&PolicyBundle>,
    ) -> Result<Layers, PolicyError> {
        let own = match draft {
            Some(draft) => {
                let compiled = compile(draft.bundle(), Limits::TENANT).await?;
                Some(Arc::new(Layer { version: None, compiled }))
            }
            None => match self.inner().own(by.org()).await? {
                Own::Rules(layer) => Some(layer),
                Own::None => None,
                Own::Broken(why) => {
                    let detail = format!(
                        "The version in force cannot be read here: {why}. Name a version or send a bundle."
                    );
                    return Err(Problem::new(&POLICY_FAILED, detail).into());
                }
            },
        };
        Ok(Layers { files: self.inner().files.layer(), own })
    }
}
