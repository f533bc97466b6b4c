//! What a resource consists of, said once: `/Schemas`, filters, patches and answers all read these tables.

use serde_json::{Value, json};
use types::Uuid;

/// A kind of resource (RFC 7643 §6).
#[derive(Debug)]
pub(crate) struct ResourceType {
    pub(crate) name: &'static str,
    pub(crate) endpoint: &'static str,
    pub(crate) schema: &'static str,
    pub(crate) about: &'static str,
    /// What every resource has (§3.1); not part of the schema.
    pub(crate) common: &'static [Attribute],
    pub(crate) attributes: &'static [Attribute],
    /// Attributes of the standard schemas that directories send by habit and this server does not keep.
    pub(crate) not_kept: &'static [&'static str],
}

/// RFC 7643 §7, and where its value stands in the database.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) kind: Kind,
    pub(crate) multi: bool,
    pub(crate) required: bool,
    pub(crate) mutability: Mutability,
    pub(crate) always_returned: bool,
    pub(crate) case_exact: bool,
    unique: bool,
    pub(crate) canonical: &'static [&'static str],
    references: &'static [&'static str],
    pub(crate) subs: &'static [Self],
    pub(crate) column: Column,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Flag,
    Time,
    Reference,
    Complex,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutability {
    ReadWrite,
    ReadOnly,
    Immutable,
}

/// What a filter becomes in SQL; the expressions are nullable where the attribute may be absent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    /// Not to be filtered by; of a complex attribute: its parts stand in the row itself.
    Inline,
    Text(&'static str),
    /// A UUID column and how ids of this kind are read.
    Id(&'static str, fn(&str) -> Option<Uuid>),
    /// A condition.
    Flag(&'static str),
    /// Milliseconds since 1970.
    Time(&'static str),
    /// Values are rows of another table: `EXISTS (SELECT … AND`, to be closed behind the condition on them.
    Rows(&'static str),
}

impl ResourceType {
    pub(crate) fn all(&self) -> impl Iterator<Item = &'static Attribute> {
        self.common.iter().chain(self.attributes)
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.all().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn description(&self, base: &str) -> Value {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": self.name,
            "name": self.name,
            "description": self.about,
            "endpoint": self.endpoint,
            "schema": self.schema,
            "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{}", self.name) },
        })
    }

    pub(crate) fn schema_description(&self, base: &str) -> Value {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": self.schema,
            "name": self.name,
            "description": self.about,
            "attributes": self.attributes.iter().map(Attribute::description).collect::<Vec<_>>(),
            "meta": { "resourceType": "Schema", "location": format!("{base}/Schemas/{}", self.schema) },
        })
    }
}

impl Attribute {
    const fn new(name: &'static str, about: &'static str, kind: Kind) -> Self {
        Self {
            name,
            about,
            kind,
            multi: false,
            required: false,
            mutability: Mutability::ReadWrite,
            always_returned: false,
            case_exact: false,
            unique: false,
            canonical: &[],
            references: &[],
            subs: &[],
            column: Column::Inline,
        }
    }

    pub(crate) const fn text(name: &'static str, about: &'static str) -> Self {
        Self::new(name, about, Kind::Text)
    }

    pub(crate) const fn flag(name: &'static str, about: &'static str) -> Self {
        Self::new(name, about, Kind::Flag)
    }

    pub(crate) const fn time(name: &'static str, about: &'static str) -> Self {
        Self { mutability: Mutability::ReadOnly, ..Self::new(name, about, Kind::Time) }
    }

    pub(crate) const fn reference(
        name: &'static str,
        about: &'static str,
        to: &'static [&'static str],
    ) -> Self {
        Self { references: to, case_exact: true, ..Self::new(name, about, Kind::Reference) }
    }

    pub(crate) const fn complex(name: &'static str, about: &'static str, subs: &'static [Self]) -> Self {
        Self { subs, ..Self::new(name, about, Kind::Complex) }
    }

    pub(crate) const fn multi(mut self) -> Self {
        self.multi = true;
        self
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) const fn read_only(mut self) -> Self {
        self.mutability = Mutability::ReadOnly;
        self
    }

    pub(crate) const fn immutable(mut self) -> Self {
        self.mutability = Mutability::Immutable;
        self
    }

    pub(crate) const fn always(mut self) -> Self {
        self.always_returned = true;
        self
    }

    pub(crate) const fn exact(mut self) -> Self {
        self.case_exact = true;
        self
    }

    pub(crate) const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    pub(crate) const fn one_of(mut self, canonical: &'static [&'static str]) -> Self {
        self.canonical = canonical;
        self
    }

    pub(crate) const fn column(mut self, column: Column) -> Self {
        self.column = column;
        self
    }

    pub(crate) fn sub(&self, name: &str) -> Option<&'static Self> {
        self.subs.iter().find(|sub| sub.name.eq_ignore_ascii_case(name))
    }

    /// What a comparison with the attribute itself means: a complex one stands for its `value`.
    pub(crate) fn compared(&'static self) -> Option<&'static Self> {
        if self.kind == Kind::Complex { self.sub("value") } else { Some(self) }
    }

    fn description(&self) -> Value {
        let mut described = json!({
            "name": self.name,
            "type": match self.kind {
                Kind::Text => "string",
                Kind::Flag => "boolean",
                Kind::Time => "dateTime",
                Kind::Reference => "reference",
                Kind::Complex => "complex",
            },
            "multiValued": self.multi,
            "description": self.about,
            "required": self.required,
            "mutability": match self.mutability {
                Mutability::ReadWrite => "readWrite",
                Mutability::ReadOnly => "readOnly",
                Mutability::Immutable => "immutable",
            },
            "returned": if self.always_returned { "always" } else { "default" },
        });
        if matches!(self.kind, Kind::Text | Kind::Reference) {
            described["caseExact"] = self.case_exact.into();
            described["uniqueness"] = if self.unique { "server" } else { "none" }.into();
        }
        if !self.canonical.is_empty() {
            described["canonicalValues"] = json!(self.canonical);
        }
        if !self.references.is_empty() {
            described["referenceTypes"] = json!(self.references);
        }
        if !self.subs.is_empty() {
            described["subAttributes"] = self.subs.iter().map(Self::description).collect();
        }
        described
    }
}
