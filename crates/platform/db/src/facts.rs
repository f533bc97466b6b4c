//! The row of a fact, as platform/ledger seals it. How facts enter the table is db's business, because both engines
//! batch them; what they mean is the ledger's.

use types::{FactId, Id, OrgId, Timestamp, Uuid};

use crate::{Statement, Value, sql};

/// Clear columns and the sealed private part. Made by `ledger` only.
#[derive(Clone, Debug)]
pub struct FactRow {
    pub id: FactId,
    pub org: OrgId,
    pub occurred_at: Timestamp,
    pub kind: &'static str,
    pub outcome: &'static str,
    pub severity: &'static str,
    pub actor_kind: &'static str,
    /// Typed id of the actor; none for the system itself and for anonymous callers.
    pub actor_id: Option<String>,
    pub target_type: Option<&'static str>,
    pub target_id: Option<String>,
    pub jti: Option<Uuid>,
    pub txn: Option<Uuid>,
    pub credential: Option<Uuid>,
    pub run: Option<Uuid>,
    pub request: Option<Uuid>,
    pub cause: Option<Uuid>,
    pub private_hash: [u8; 32],
    pub private: Vec<u8>,
}

const COLUMNS: &str = "id, org, occurred_at, kind, outcome, severity, actor_kind, actor_id, target_type, target_id, \
                       jti, txn, credential, run, request, cause, private_hash, private";

/// PostgreSQL array types of the columns, in their order.
const ARRAYS: [&str; 18] = [
    "uuid", "uuid", "bigint", "text", "text", "text", "text", "text", "text", "text", "uuid", "uuid", "uuid",
    "uuid", "uuid", "uuid", "bytea", "bytea",
];

pub(crate) fn insert_text() -> &'static str {
    static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    TEXT.get_or_init(|| {
        let places: Vec<String> = (1..=ARRAYS.len()).map(|number| format!("${number}")).collect();
        format!("INSERT INTO facts ({COLUMNS}) VALUES ({})", places.join(", "))
    })
}

/// One statement for many facts: each parameter is an array (PostgreSQL).
pub(crate) fn insert_many_text() -> &'static str {
    static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    TEXT.get_or_init(|| {
        let arrays: Vec<String> =
            ARRAYS.iter().enumerate().map(|(index, kind)| format!("${}::{kind}[]", index + 1)).collect();
        format!("INSERT INTO facts ({COLUMNS}) SELECT * FROM unnest({})", arrays.join(", "))
    })
}

impl FactRow {
    pub(crate) fn insert(self) -> Statement {
        sql(insert_text(), self.into_values().into())
    }

    pub(crate) fn into_values(self) -> [Value; 18] {
        [
            self.id.uuid().into(),
            self.org.uuid().into(),
            self.occurred_at.into(),
            self.kind.into(),
            self.outcome.into(),
            self.severity.into(),
            self.actor_kind.into(),
            self.actor_id.into(),
            self.target_type.into(),
            self.target_id.into(),
            self.jti.into(),
            self.txn.into(),
            self.credential.into(),
            self.run.into(),
            self.request.into(),
            self.cause.into(),
            self.private_hash.into(),
            self.private.into(),
        ]
    }
}
