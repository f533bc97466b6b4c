//! From text to entries: the header, the sections in their order, each entry held against its shape. All that is wrong is told
//! at once, with its line.

use std::collections::{BTreeMap, HashMap, HashSet};

use crypto::hash::sha256;
use manifest::{Given, Kind, Node, Place, Refers, Wanted};

use crate::model::Finding;
use crate::service::Registered;
use crate::sinas;

pub(crate) const VERSION: &str = "safeconduct.dev/v1";
pub(crate) const KIND: &str = "Config";

/// Every section that a document may have some day, in the order in which their things are made.
pub(crate) const SECTIONS: [&str; 26] = [
    "roles",
    "groups",
    "users",
    "auth_providers",
    "model_providers",
    "secrets",
    "connections",
    "mcp_servers",
    "toolsets",
    "packages",
    "functions",
    "state_namespaces",
    "collections",
    "skills",
    "agents",
    "hooks",
    "schedules",
    "webhooks",
    "notifications",
    "policies",
    "trust_policies",
    "federation",
    "delegations",
    "budgets",
    "toolkits",
    "settings",
];
/// Things in one document.
const MOST: usize = 2_000;
/// Findings in one answer.
const TOLD: usize = 100;

/// What is sent: the text, and what stands for the names in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    pub(crate) text: String,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) files: BTreeMap<String, String>,
}

/// An entry and where it stands.
pub(crate) struct Item {
    /// Place in the list of registered sections.
    pub(crate) section: usize,
    pub(crate) wanted: Wanted,
    pub(crate) pointer: String,
    pub(crate) node: Node,
}

pub(crate) struct Document {
    pub(crate) manager: String,
    /// In the order of sections, then of the text.
    pub(crate) items: Vec<Item>,
    pub(crate) sha256: [u8; 32],
    pub(crate) warnings: Vec<Finding>,
}

impl Document {
    /// What it speaks of, by section and key.
    pub(crate) fn keys(&self) -> HashSet<(usize, &str)> {
        self.items.iter().map(|item| (item.section, item.wanted.key.as_str())).collect()
    }
}

impl Item {
    pub(crate) fn finding(&self, field: &str, message: impl Into<String>) -> Finding {
        Finding::below(&self.pointer, &self.node, field, message)
    }
}

pub(crate) fn read(sections: &[Registered], source: &Source) -> Result<Document, Vec<Finding>> {
    let fault = |fault: manifest::Fault| Finding::at("", fault.place, fault.reason);
    let mut nodes = manifest::read(&source.text).map_err(|found| vec![fault(found)])?;
    let given = Given { variables: source.variables.clone(), files: source.files.clone() };
    let mut reader =
        Reader { sections, findings: Vec::new(), items: Vec::new(), manager: None, warnings: Vec::new() };
    for node in &mut nodes {
        reader.untold(node);
        reader.findings.extend(given.fill(node).into_iter().map(fault));
        reader.document(node);
    }
    if nodes.is_empty() {
        reader.findings.push(Finding::at("", Place { line: 1, column: 1 }, "holds no document"));
    }
    reader.repeated();
    let Reader { mut findings, mut items, manager, warnings, .. } = reader;
    if items.len() > MOST {
        let message = format!("holds {} entries; at most {MOST} are applied at a time", items.len());
        findings.push(Finding::at("/spec", Place { line: 1, column: 1 }, message));
    }
    if !findings.is_empty() {
        findings.truncate(TOLD);
        return Err(findings);
    }
    items.sort_by_key(|item| item.section);
    let sha256 = sha256(source.text.as_bytes());
    Ok(Document { manager: manager.unwrap_or_default(), items, sha256, warnings })
}

struct Reader<'s> {
    sections: &'s [Registered],
    findings: Vec<Finding>,
    items: Vec<Item>,
    manager: Option<String>,
    warnings: Vec<Finding>,
}

impl Reader<'_> {
    fn find(&mut self, path: &str, place: Place, message: impl Into<String>) {
        self.findings.push(Finding::at(path, place, message));
    }

    fn document(&mut self, node: &Node) {
        if sinas::is_one(node) {
            return self.foreign(node);
        }
        let Some(members) = node.members() else {
            return self.find("", node.place, "must be a mapping with apiVersion, kind, metadata and spec");
        };
        for member in members {
            if !["apiVersion", "kind", "metadata", "spec"].contains(&member.name.as_str()) {
                self.find(&format!("/{}", member.name), member.place, "is not known here");
            }
        }
        self.word(node, "apiVersion", VERSION);
        self.word(node, "kind", KIND);
        self.metadata(node);
        match node.get("spec") {
            None => self.find("/spec", node.place, "is missing"),
            Some(Node { kind: Kind::Null, .. }) => {}
            Some(spec) => self.spec(spec),
        }
    }

    /// Of another's format, told in our words.
    fn foreign(&mut self, node: &Node) {
        let converted = sinas::convert(node);
        self.findings.extend(converted.errors);
        self.warnings.extend(converted.warnings);
        if let Some((name, place)) = converted.manager {
            self.managed_by(&name, place);
        }
        for entry in converted.entries {
            match self.sections.iter().position(|one| one.section.name() == entry.section) {
                Some(section) => self.entry(section, entry.pointer, &entry.node),
                None => {
                    let message = format!("the section `{}` is not there yet", entry.section);
                    self.find(&entry.pointer, entry.node.place, message);
                }
            }
        }
    }

    fn word(&mut self, node: &Node, name: &str, expected: &str) {
        let path = format!("/{name}");
        match node.get(name) {
            None => self.find(&path, node.place, format!("is missing; write `{name}: {expected}`")),
            Some(value) if value.text() == Some(expected) => {}
            Some(value) => self.find(&path, value.place, format!("must be `{expected}`")),
        }
    }

    /// `metadata.name` says which file this is: what it makes is managed by that name.
    fn metadata(&mut self, node: &Node) {
        let Some(metadata) = node.get("metadata") else {
            return self.find("/metadata", node.place, "is missing: `name` says which file this is");
        };
        for member in metadata.members().unwrap_or_default() {
            if !["name", "description"].contains(&member.name.as_str()) {
                self.find(&format!("/metadata/{}", member.name), member.place, "is not known here");
            }
        }
        let Some(name) = metadata.get("name").and_then(Node::text).filter(|name| is_name(name)) else {
            let message = "must be 1 to 63 of a-z, 0-9, `-`, `_` and `.`, and begin with a letter";
            return self.find("/metadata/name", metadata.place_of("/name"), message);
        };
        self.managed_by(name, metadata.place_of("/name"));
    }

    fn managed_by(&mut self, name: &str, place: Place) {
        match &self.manager {
            None => self.manager = Some(name.to_owned()),
            Some(first) if first == name => {}
            Some(first) => {
                let message = format!("must be {first:?}, as in the first document of this text");
                self.find("/metadata/name", place, message);
            }
        }
    }

    fn spec(&mut self, spec: &Node) {
        let Some(members) = spec.members() else {
            return self.find("/spec", spec.place, "must be a mapping of sections");
        };
        for member in members {
            let path = format!("/spec/{}", member.name);
            let known = self.sections.iter().position(|one| one.section.name() == member.name);
            match (known, SECTIONS.contains(&member.name.as_str())) {
                (Some(section), _) => self.section(section, &path, &member.value),
                (None, true) => {
                    let message = format!(
                        "the section `{}` is not there yet: this version cannot apply it",
                        member.name
                    );
                    self.find(&path, member.place, message);
                }
                (None, false) => {
                    let known: Vec<&str> = self.sections.iter().map(|one| one.section.name()).collect();
                    self.find(&path, member.place, format!("is no section; there are {}", known.join(", ")));
                }
            }
        }
    }

    fn section(&mut self, section: usize, path: &str, node: &Node) {
        let items = match &node.kind {
            Kind::List(items) => items,
            Kind::Null => return,
            _ => return self.find(path, node.place, "must be a list"),
        };
        for (at, item) in items.iter().enumerate() {
            self.entry(section, format!("{path}/{at}"), item);
        }
    }

    fn entry(&mut self, section: usize, pointer: String, node: &Node) {
        let value = node.to_value();
        let Registered { section: known, shape } = &self.sections[section];
        let complaints = shape.complaints(&value, TOLD);
        let understood = match complaints.is_empty() {
            true => known.understand(value).map_err(|complaint| vec![complaint]),
            false => Err(complaints),
        };
        match understood {
            Ok(wanted) => self.items.push(Item { section, wanted, pointer, node: node.clone() }),
            Err(complaints) => {
                let told = |complaint: problem::FieldError| {
                    Finding::below(&pointer, node, &complaint.field, complaint.reason)
                };
                self.findings.extend(complaints.into_iter().map(told));
            }
        }
    }

    /// Secrets come by reference: who may read the file must not learn them. Looked at before names are filled in.
    fn untold(&mut self, document: &Node) {
        let spec = document.get("spec");
        for Registered { section, .. } in self.sections {
            let path = format!("/spec/{}", section.name());
            let entries = spec.and_then(|spec| spec.get(section.name())).and_then(Node::items);
            for (at, entry) in entries.unwrap_or_default().iter().enumerate() {
                for name in section.untold() {
                    let Some(value) = entry.get(name) else { continue };
                    let by_reference =
                        value.text().is_some_and(|text| text.starts_with("${") && text.ends_with('}'));
                    if !by_reference {
                        let message =
                            "is a secret: write `${NAME}` or `${file:path}` and send the value along";
                        self.findings.push(Finding::at(format!("{path}/{at}/{name}"), value.place, message));
                    }
                }
            }
        }
    }

    fn repeated(&mut self) {
        let mut seen: HashMap<(usize, &str), usize> = HashMap::new();
        let mut findings = Vec::new();
        for item in &self.items {
            let line = item.node.place.line;
            if let Some(first) = seen.insert((item.section, &item.wanted.key), line) {
                let message = format!("`{}` stands here twice; first in line {first}", item.wanted.key);
                // Hooks and policies have no name: there it is the whole entry.
                let at = if item.node.get("name").is_some() { "/name" } else { "" };
                findings.push(item.finding(at, message));
            }
        }
        self.findings.extend(findings);
    }
}

/// References of an item whose section the document may hold.
pub(crate) fn references(item: &Item) -> &[Refers] {
    &item.wanted.refers
}

fn is_name(text: &str) -> bool {
    let fits = |one: u8| one.is_ascii_lowercase() || one.is_ascii_digit() || b"-_.".contains(&one);
    text.len() <= 63 && text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(fits)
}
