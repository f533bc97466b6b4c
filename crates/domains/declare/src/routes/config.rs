//! `/api/v1/config`.

use std::collections::BTreeMap;

use axum::extract::State;
use problem::{CONFIG_INVALID, CONFLICT, MANAGED_ELSEWHERE};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use web::{Allowed, Errand, Input, Nothing, Params, Rate, Refusal, Reply, Spec, leaves, operation, refuses};

use crate::apply::Manner;
use crate::document::Source;
use crate::model::{DriftView, ExportView, Finding, PlanView};
use crate::{Declare, DeclareError, facts};

operation! {
    /// Reads a document and says what is wrong with it, with lines. Nothing is changed.
    pub ValidateConfig(ConfigText) -> ValidationView = Spec::post("config.validate", "/api/v1/config/validate")
        .needs("config:read").not_idempotent()
        .example(r#"{"document": "apiVersion: safeconduct.dev/v1\nkind: Config\nmetadata: {name: example}\nspec:\n  roles:\n    - {name: example-reader, permissions: ['agents:read:all']}\n"}"#);

    /// Says what applying a document would change, field by field. Nothing is changed.
    pub PlanConfig(AppliedText) -> PlanView = Spec::post("config.plan", "/api/v1/config/plan")
        .needs("config:read").not_idempotent().errors(refuses![CONFIG_INVALID])
        .example(r#"{"document": "apiVersion: safeconduct.dev/v1\nkind: Config\nmetadata: {name: example}\nspec:\n  roles:\n    - {name: example-reader, permissions: ['agents:read:all']}\n"}"#);

    /// Brings about what a document says: all of it in one transaction, or nothing. Each change needs what its own operation
    /// needs, and leaves that operation's fact.
    pub ApplyConfig(AppliedText) -> PlanView = Spec::post("config.apply", "/api/v1/config/apply")
        .needs("config:update").in_person().rate(Rate::Heavy).stands_for_others()
        .facts(leaves![facts::CONFIG_APPLIED])
        .errors(refuses![CONFIG_INVALID, MANAGED_ELSEWHERE, CONFLICT])
        .example(r#"{"document": "apiVersion: safeconduct.dev/v1\nkind: Config\nmetadata: {name: example}\nspec:\n  roles:\n    - {name: example-reader, permissions: ['agents:read:all']}\n"}"#);

    /// Writes what is there as a document that changes nothing when it is applied. Without secrets.
    pub ExportConfig[ExportQuery] -> ExportView = Spec::get("config.export", "/api/v1/config/export")
        .needs("config:read").rate(Rate::Heavy);

    /// Says what was changed by hand since it came from a file.
    pub ConfigDrift[DriftQuery] -> DriftView = Spec::get("config.drift", "/api/v1/config/drift").needs("config:read");

    /// JSON Schema of documents, for editors.
    pub ConfigSchema -> Nothing = Spec::get("config.schema", "/api/v1/config/schema.json").needs("config:read");
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigText {
    /// YAML or JSON; several documents of one name are taken together.
    #[schema(max_length = 1048576)]
    pub document: String,
    /// What `${NAME}` in its texts stands for.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// What `${file:path}` in its texts stands for.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfigApplyText)]
pub struct AppliedText {
    /// YAML or JSON; several documents of one name are taken together.
    #[schema(max_length = 1048576)]
    pub document: String,
    /// What `${NAME}` in its texts stands for.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// What `${file:path}` in its texts stands for.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Removes what the file made and does not name any more.
    #[serde(default)]
    pub prune: bool,
    /// Takes over what comes from other files.
    #[serde(default)]
    pub force: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportQuery {
    /// Only what comes from the file of this name.
    pub manager: Option<String>,
    /// Only what comes from files.
    pub managed: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfigDriftQuery)]
pub struct DriftQuery {
    /// Only what comes from the file of this name.
    pub manager: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ConfigValidation)]
pub struct ValidationView {
    pub valid: bool,
    pub errors: Vec<Finding>,
    pub warnings: Vec<Finding>,
}

pub async fn validate(
    State(declare): State<Declare>,
    allowed: Allowed<ValidateConfig>,
    Input(sent): Input<ValidateConfig>,
) -> Result<Reply, Refusal> {
    let source = Source { text: sent.document, variables: sent.variables, files: sent.files };
    let checked = match declare.read(&source) {
        Err(findings) => Err(DeclareError::Invalid(findings)),
        Ok(document) => {
            let errand = Errand::new(&allowed);
            let plan = declare.plan(&errand, &document, false, true).await;
            errand.close().await?;
            plan.map(|_| document.warnings)
        }
    };
    let view = match checked {
        Ok(warnings) => ValidationView { valid: true, errors: Vec::new(), warnings },
        Err(DeclareError::Invalid(errors)) => ValidationView { valid: false, errors, warnings: Vec::new() },
        Err(error) => return Err(error.into()),
    };
    Ok(Reply::of::<ValidateConfig>(&view)?)
}

pub async fn plan(
    State(declare): State<Declare>,
    allowed: Allowed<PlanConfig>,
    Input(sent): Input<PlanConfig>,
) -> Result<Reply, Refusal> {
    let source = Source { text: sent.document, variables: sent.variables, files: sent.files };
    let document = declare.read(&source).map_err(DeclareError::Invalid)?;
    let errand = Errand::new(&allowed);
    let plan = declare.plan(&errand, &document, sent.prune, sent.force).await;
    errand.close().await?;
    Ok(Reply::of::<PlanConfig>(&declare.told(&document, &plan?))?)
}

pub async fn apply(
    State(declare): State<Declare>,
    allowed: Allowed<ApplyConfig>,
    Input(sent): Input<ApplyConfig>,
) -> Result<Reply, Refusal> {
    let source = Source { text: sent.document, variables: sent.variables, files: sent.files };
    let manner = Manner { prune: sent.prune, force: sent.force };
    declare.apply(&allowed, &source, manner).await
}

pub async fn export(
    State(declare): State<Declare>,
    allowed: Allowed<ExportConfig>,
    Params(query): Params<ExportConfig>,
) -> Result<Reply, Refusal> {
    let managed = query.managed.unwrap_or_default();
    Ok(Reply::of::<ExportConfig>(&declare.export(&allowed, query.manager.as_deref(), managed).await?)?)
}

pub async fn drift(
    State(declare): State<Declare>,
    allowed: Allowed<ConfigDrift>,
    Params(query): Params<ConfigDrift>,
) -> Result<Reply, Refusal> {
    Ok(Reply::of::<ConfigDrift>(&declare.drift(&allowed, query.manager.as_deref()).await?)?)
}

pub async fn schema(
    State(declare): State<Declare>,
    _: Allowed<ConfigSchema>,
) -> Result<axum::Json<Value>, Refusal> {
    Ok(axum::Json(declare.schema()))
}
