//! What is told of a document: findings, changes, drift.

use manifest::{FieldChange, Node, Place};
use serde::Serialize;
use utoipa::ToSchema;

/// Something about a document, and where.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ConfigFinding)]
pub struct Finding {
    /// JSON pointer into the document that it stands in.
    pub path: String,
    /// From 1; null where no line can be named.
    pub line: Option<usize>,
    /// From 1.
    pub column: Option<usize>,
    pub message: String,
    /// The code of the refusal, where one stands behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The permission that is missing, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
}

impl Finding {
    pub(crate) fn at(path: impl Into<String>, place: Place, message: impl Into<String>) -> Self {
        let (line, column) = (Some(place.line), Some(place.column));
        let (path, message) = (path.into(), message.into());
        Self { path, line, column, message, code: None, permission: None }
    }

    /// Below `pointer`, whose part of the document is `node`.
    pub(crate) fn below(pointer: &str, node: &Node, field: &str, message: impl Into<String>) -> Self {
        Self::at(format!("{pointer}{field}"), node.place_of(field), message)
    }

    pub(crate) fn told(&self) -> String {
        let Self { path, line, message, .. } = self;
        match (line, path.is_empty()) {
            (Some(line), true) => format!("line {line}: {message}"),
            (Some(line), false) => format!("line {line}, {path}: {message}"),
            (None, _) => format!("{path}: {message}"),
        }
    }
}

/// What is done to one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConfigAction)]
pub enum Action {
    Create,
    Update,
    Delete,
}

/// One thing that becomes another.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ConfigChange)]
pub struct ChangeView {
    pub action: Action,
    /// `roles`
    pub section: String,
    /// Its name, or `namespace/name`.
    pub key: String,
    /// Null of what is not there yet.
    pub id: Option<String>,
    /// Where the document speaks of it.
    pub line: Option<usize>,
    /// The file that it came from so far.
    pub managed_by: Option<String>,
    pub fields: Vec<FieldChange>,
    /// Whether somebody may do more or less afterwards.
    pub changes_rights: bool,
}

/// A thing that is as the document says and belongs to no file yet.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ConfigAdoption)]
pub struct Adoption {
    pub section: String,
    pub key: String,
    pub id: String,
}

/// What a document changes.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ConfigPlan)]
pub struct PlanView {
    /// `metadata.name` of the document.
    pub manager: String,
    /// In the order in which they are made. Empty: everything is as the document says.
    pub changes: Vec<ChangeView>,
    /// Belong to this file from then on, and stay as they are.
    pub adopted: Vec<Adoption>,
    /// Would change, but come from other files.
    pub conflicts: Vec<ChangeView>,
    /// Things of the document that are as it says.
    pub unchanged: usize,
    pub warnings: Vec<Finding>,
}

/// What became of a thing since its file was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConfigDriftKind)]
pub enum DriftKind {
    Changed,
    Gone,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ConfigDriftItem)]
pub struct DriftItem {
    pub manager: String,
    pub section: String,
    pub key: String,
    pub id: String,
    pub drift: DriftKind,
    /// From what the file said to what is.
    pub fields: Vec<FieldChange>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ConfigDrift)]
pub struct DriftView {
    pub items: Vec<DriftItem>,
    /// Things that are as their files said.
    pub in_step: usize,
    /// Sections that the caller may not read.
    pub unseen: Vec<Finding>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ConfigExport)]
pub struct ExportView {
    /// YAML; applied again it changes nothing.
    pub document: String,
    pub entries: usize,
    /// Sections that the caller may not read.
    pub unseen: Vec<Finding>,
}
