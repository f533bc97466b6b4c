//! What would have been decided otherwise: recorded decisions, put to a draft.

use std::time::Duration;

use rego::Term;
use types::{DecisionId, Timestamp};
use web::Allowance;

use crate::PolicyError;
use crate::in_force::{Layers, ask};
use crate::model::{Kept, Outcome, PolicyBundle, Recorded};
use crate::service::Policies;
use crate::store;

/// Decisions that are read at a time.
const PAGE: i64 = 500;
/// Changed answers that are listed; the rest is counted.
const LISTED: usize = 500;

#[derive(Default)]
pub(crate) struct WhatIf {
    pub(crate) examined: u64,
    pub(crate) changed: u64,
    pub(crate) items: Vec<Changed>,
    /// There were more decisions than were to be examined.
    pub(crate) more: bool,
}

pub(crate) struct Changed {
    pub(crate) id: DecisionId,
    pub(crate) at: Timestamp,
    pub(crate) principal: String,
    pub(crate) operation: String,
    pub(crate) permission: String,
    pub(crate) object: Option<String>,
    pub(crate) before: Outcome,
    pub(crate) after: Outcome,
    /// Why it was refused before, if it was; and why it would be now.
    pub(crate) reasons_before: Vec<String>,
    pub(crate) reasons_after: Vec<String>,
}

impl Policies {
    pub(crate) async fn what_if(
        &self,
        by: &Allowance,
        draft: &PolicyBundle,
        days: u32,
        most: u64,
    ) -> Result<WhatIf, PolicyError> {
        let inner = self.inner();
        let layers = self.layers(by, Some(draft)).await?;
        // What was decided a moment ago belongs to it.
        inner.write_decisions().await?;
        let since = inner.world.now().minus(Duration::from_secs(u64::from(days) * 24 * 3600));
        let (mut found, mut before) = (WhatIf::default(), None);
        loop {
            let page = store::decisions(&inner.db, &by.scope(), since, before, PAGE).await?;
            let Some(last) = page.last() else { return Ok(found) };
            before = Some(last.id);
            for recorded in page {
                if found.examined >= most {
                    found.more = true;
                    return Ok(found);
                }
                let kept = inner.open_decision(by.org(), &recorded).await?;
                found.weigh(&layers, recorded, &kept);
            }
            // Others have requests, too.
            tokio::task::yield_now().await;
        }
    }
}

impl WhatIf {
    fn weigh(&mut self, layers: &Layers, recorded: Recorded, kept: &Kept) {
        self.examined += 1;
        let input = Term::json(&kept.input).unwrap_or(Term::NULL);
        let answer = ask(layers.about(&kept.slice), &kept.slice, &input);
        let after = answer.outcome();
        if after == recorded.outcome {
            return;
        }
        self.changed += 1;
        if self.items.len() >= LISTED {
            return;
        }
        let object = kept.input["resource"]["selector"].as_str().map(str::to_owned);
        self.items.push(Changed {
            id: recorded.id,
            at: recorded.at,
            principal: recorded.principal,
            operation: recorded.operation,
            permission: recorded.permission,
            object,
            before: recorded.outcome,
            after,
            reasons_before: kept.reasons.clone(),
            reasons_after: answer.denials.into_iter().chain(answer.approvers).chain(answer.failure).collect(),
        });
    }
}
