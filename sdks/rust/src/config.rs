//! Configuration as files: what a document says is planned, brought about whole, and written again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Client, Error};

/// A document and what stands for the names in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConfigText {
    /// YAML or JSON.
    pub document: String,
    /// What `${NAME}` stands for.
    pub variables: BTreeMap<String, String>,
    /// What `${file:path}` stands for.
    pub files: BTreeMap<String, String>,
}

/// How far a document goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConfigManner {
    /// Removes what the file made and does not name any more.
    pub prune: bool,
    /// Takes over what comes from other files.
    pub force: bool,
}

/// Something about a document, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigFinding {
    /// JSON pointer into the document.
    pub path: String,
    pub line: Option<u64>,
    pub column: Option<u64>,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigValidation {
    pub valid: bool,
    pub errors: Vec<ConfigFinding>,
    pub warnings: Vec<ConfigFinding>,
}

/// What a document changes, or has changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigPlan {
    /// `metadata.name` of the document.
    pub manager: String,
    /// In the order in which they are made.
    pub changes: Vec<ConfigChange>,
    /// Belong to the file from then on, and stay as they are.
    pub adopted: Vec<ConfigAdoption>,
    /// Would change, but come from other files.
    pub conflicts: Vec<ConfigChange>,
    pub unchanged: u64,
    pub warnings: Vec<ConfigFinding>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigChange {
    /// `create`, `update` or `delete`.
    pub action: String,
    pub section: String,
    /// Its name, or `namespace/name`.
    pub key: String,
    pub id: Option<String>,
    pub line: Option<u64>,
    /// The file that it came from so far.
    pub managed_by: Option<String>,
    pub fields: Vec<ConfigFieldChange>,
    /// Whether somebody may do more or less afterwards.
    pub changes_rights: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigFieldChange {
    /// JSON pointer within the entry.
    pub field: String,
    pub before: Value,
    pub after: Value,
    /// Of lists of rights: what comes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gained: Vec<String>,
    /// Of lists of rights: what goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigAdoption {
    pub section: String,
    pub key: String,
    pub id: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigDrift {
    pub items: Vec<ConfigDriftItem>,
    /// Things that are as their files said.
    pub in_step: u64,
    /// Sections that the caller may not read.
    pub unseen: Vec<ConfigFinding>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigDriftItem {
    pub manager: String,
    pub section: String,
    pub key: String,
    pub id: String,
    /// `changed` or `gone`.
    pub drift: String,
    /// From what the file said to what is.
    pub fields: Vec<ConfigFieldChange>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigExport {
    /// YAML.
    pub document: String,
    pub entries: u64,
    /// Sections that the caller may not read.
    pub unseen: Vec<ConfigFinding>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConfigExportQuery {
    /// Only what comes from the file of this name.
    pub manager: Option<String>,
    /// Only what comes from files.
    pub managed: Option<bool>,
}

#[derive(Serialize)]
struct Sent<'a> {
    #[serde(flatten)]
    text: &'a ConfigText,
    #[serde(flatten)]
    manner: ConfigManner,
}

#[derive(Serialize)]
struct OfManager<'a> {
    manager: Option<&'a str>,
}

/// `client.config()`.
#[derive(Clone, Copy)]
pub struct Config<'a>(&'a Client);

impl Client {
    pub fn config(&self) -> Config<'_> {
        Config(self)
    }
}

impl Config<'_> {
    /// Says what is wrong; changes nothing.
    pub async fn validate(&self, text: &ConfigText) -> Result<ConfigValidation, Error> {
        self.0.post(&["api", "v1", "config", "validate"]).json(text).answer().await
    }

    /// Says what would change; changes nothing.
    pub async fn plan(&self, text: &ConfigText, manner: ConfigManner) -> Result<ConfigPlan, Error> {
        self.0.post(&["api", "v1", "config", "plan"]).json(&Sent { text, manner }).answer().await
    }

    /// All of it, or nothing.
    pub async fn apply(&self, text: &ConfigText, manner: ConfigManner) -> Result<ConfigPlan, Error> {
        self.0.post(&["api", "v1", "config", "apply"]).json(&Sent { text, manner }).once().answer().await
    }

    /// What is there, as a document that changes nothing.
    pub async fn export(&self, query: &ConfigExportQuery) -> Result<ConfigExport, Error> {
        self.0.get(&["api", "v1", "config", "export"]).query(query).answer().await
    }

    /// What was changed by hand since it came from a file, or from the one of this name.
    pub async fn drift(&self, manager: Option<&str>) -> Result<ConfigDrift, Error> {
        self.0.get(&["api", "v1", "config", "drift"]).query(&OfManager { manager }).answer().await
    }

    /// JSON Schema of documents.
    pub async fn schema(&self) -> Result<Value, Error> {
        self.0.get(&["api", "v1", "config", "schema.json"]).answer().await
    }
}
