//! SQL of the index.

use db::{Db, DbError, Select, Value};
use types::{FactId, Id, RunId, Timestamp, TokenId, TxnId};
use web::{Allowance, Columns, SelectorColumn};

/// What a list is narrowed by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) actor: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) outcome: Option<&'static str>,
    pub(crate) severity: Option<&'static str>,
    pub(crate) target: Option<String>,
    pub(crate) run: Option<RunId>,
    pub(crate) jti: Option<TokenId>,
    pub(crate) txn: Option<TxnId>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    /// Keyed hashes that a fact must all have.
    pub(crate) terms: Vec<Vec<u8>>,
}

/// Where a page begins: time and number of the last row before it.
pub(crate) type Before = Option<(i64, i64)>;

const COLUMNS: Columns = Columns {
    selector: SelectorColumn::id::<FactId>("fact"),
    owner: None,
    is: None,
    // A caller's own facts are those of its own acts.
    named: Some("actor_id"),
};

fn narrowed(head: &'static str, by: &Allowance, filter: &Filter) -> Select {
    let mut select = Select::new(head)
        .and("org = {}", by.org().uuid())
        .and_some("actor_id = {}", filter.actor.clone())
        .and_some("kind = {}", filter.kind.clone())
        .and_some("outcome = {}", filter.outcome)
        .and_some("severity = {}", filter.severity)
        .and_some("target_id = {}", filter.target.clone())
        .and_some("run = {}", filter.run.map(Id::uuid))
        .and_some("jti = {}", filter.jti.map(Id::uuid))
        .and_some("txn = {}", filter.txn.map(Id::uuid))
        .and_some("occurred_at >= {}", filter.from)
        .and_some("occurred_at < {}", filter.to);
    for term in &filter.terms {
        let values: [Value; 2] = [by.org().uuid().into(), term.clone().into()];
        select = select
            .and_all("org_seq IN (SELECT org_seq FROM audit_terms WHERE org = {} AND term = {})", values);
    }
    by.narrow(select, &COLUMNS)
}

/// Newest first.
pub(crate) async fn facts(
    db: &Db,
    by: &Allowance,
    filter: &Filter,
    before: Before,
    limit: i64,
) -> Result<Vec<FactId>, DbError> {
    let mut select = narrowed("SELECT fact FROM audit_index", by, filter);
    if let Some((at, number)) = before {
        select = select.and_all("(occurred_at, org_seq) < ({}, {})", [at.into(), number.into()]);
    }
    let rows = db.read(by.scope(), select.order("occurred_at DESC, org_seq DESC").limit(limit)).await?;
    rows.into_iter().map(|mut row| row.id()).collect()
}

pub(crate) async fn count(db: &Db, by: &Allowance, filter: &Filter) -> Result<i64, DbError> {
    let row = db.read_one(by.scope(), narrowed("SELECT count(*) FROM audit_index", by, filter)).await?;
    row.map_or(Ok(0), |mut row| row.next())
}
