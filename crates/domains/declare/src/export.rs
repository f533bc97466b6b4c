//! What is there as a document that changes nothing when it is applied. Without secrets: sections never tell them.

use std::collections::HashSet;

use manifest::{Standing, escaped, written};
use serde_json::{Map, Value, json};
use web::{Allowance, Errand};

use crate::document::{KIND, VERSION};
use crate::drift::seen;
use crate::model::ExportView;
use crate::{Declare, DeclareError, store};

/// The name of a document that no file stands behind.
const EXPORTED: &str = "exported";

impl Declare {
    /// Everything, or what comes from files, or from one.
    pub(crate) async fn export(
        &self,
        by: &Allowance,
        manager: Option<&str>,
        only_managed: bool,
    ) -> Result<ExportView, DeclareError> {
        let errand = Errand::new(by);
        let view = self.gather(&errand, manager, only_managed || manager.is_some()).await;
        errand.close().await?;
        view
    }

    async fn gather(
        &self,
        errand: &Errand,
        manager: Option<&str>,
        only_managed: bool,
    ) -> Result<ExportView, DeclareError> {
        let inner = self.inner();
        let managed = store::all(&inner.db, &errand.allowance().scope(), manager).await?;
        let managed: HashSet<(String, String)> =
            managed.into_iter().map(|one| (one.section, one.object)).collect();
        let (mut spec, mut unseen, mut entries) = (Map::new(), Vec::new(), 0);
        for registered in &inner.sections {
            let name = registered.section.name();
            let Some(standing) = seen(registered, errand, &mut unseen).await? else { continue };
            let is_meant =
                |one: &Standing| !only_managed || managed.contains(&(name.to_owned(), one.id.clone()));
            let mut meant: Vec<Standing> = standing.into_values().filter(is_meant).collect();
            meant.sort_by(|one, other| one.key.cmp(&other.key));
            entries += meant.len();
            if !meant.is_empty() {
                let told: Vec<Value> = meant.into_iter().map(|one| literal(one.entry)).collect();
                spec.insert(name.to_owned(), Value::Array(told));
            }
        }
        let document = written(&json!({
            "apiVersion": VERSION,
            "kind": KIND,
            "metadata": { "name": manager.unwrap_or(EXPORTED) },
            "spec": spec,
        }));
        Ok(ExportView { document, entries, unseen })
    }
}

/// Texts that stand for themselves, and nothing that is not there.
fn literal(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(escaped(&text)),
        Value::Array(items) => items.into_iter().map(literal).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, literal(value))).collect(),
        other => other,
    }
}
