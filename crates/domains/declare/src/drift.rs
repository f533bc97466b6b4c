//! What became of things since their files were applied: somebody changed them by hand, or removed them.

use std::collections::HashMap;

use manifest::{Standing, differences};
use web::{Allowance, Errand};

use crate::model::{DriftItem, DriftKind, DriftView, Finding};
use crate::plan::{refused, with_loose};
use crate::service::Registered;
use crate::store::{self, Managed};
use crate::{Declare, DeclareError};

impl Declare {
    pub(crate) async fn drift(
        &self,
        by: &Allowance,
        manager: Option<&str>,
    ) -> Result<DriftView, DeclareError> {
        let errand = Errand::new(by);
        let view = self.compare(&errand, manager).await;
        errand.close().await?;
        view
    }

    async fn compare(&self, errand: &Errand, manager: Option<&str>) -> Result<DriftView, DeclareError> {
        let (inner, by) = (self.inner(), errand.allowance());
        let managed = store::all(&inner.db, &by.scope(), manager).await?;
        let mut view = DriftView { items: Vec::new(), in_step: 0, unseen: Vec::new() };
        for registered in &inner.sections {
            let name = registered.section.name();
            let mine: Vec<&Managed> = managed.iter().filter(|one| one.section == name).collect();
            if mine.is_empty() {
                continue;
            }
            let Some(standing) = seen(registered, errand, &mut view.unseen).await? else { continue };
            for one in mine {
                let said = one.said(&inner.keyring, by.org()).await?;
                let there = standing.get(&one.key).filter(|there| there.id == one.object);
                let (drift, fields) = match there {
                    None => (DriftKind::Gone, Vec::new()),
                    Some(there) => {
                        let said = with_loose(registered.section.loose(), &there.entry, said);
                        (DriftKind::Changed, differences(&said, &there.entry))
                    }
                };
                if drift == DriftKind::Changed && fields.is_empty() {
                    view.in_step += 1;
                    continue;
                }
                view.items.push(DriftItem {
                    manager: one.manager.clone(),
                    section: name.to_owned(),
                    key: one.key.clone(),
                    id: one.object.clone(),
                    drift,
                    fields,
                });
            }
        }
        Ok(view)
    }
}

/// What is there of a section; none, and a finding, if the caller may not read it.
pub(crate) async fn seen(
    registered: &Registered,
    errand: &Errand,
    unseen: &mut Vec<Finding>,
) -> Result<Option<HashMap<String, Standing>>, DeclareError> {
    match registered.section.standing(errand).await {
        Ok(found) => Ok(Some(found.into_iter().map(|one| (one.key.clone(), one)).collect())),
        Err(problem) if problem.status() == 403 => {
            unseen.push(refused(&problem, &format!("/spec/{}", registered.section.name())));
            Ok(None)
        }
        Err(problem) => Err(problem.into()),
    }
}
