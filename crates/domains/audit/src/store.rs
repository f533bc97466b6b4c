//! SQL of the index. Every list walks one index from its newest end, so that a page costs the same however long the record
//! is: the index of a column, or the rarest of the terms that were asked for.

use db::{Db, DbError, OrgScope, Row, Select, Value, sql};
use ledger::FactKind;
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
    group: None,
    visible: None,
};

/// The beginning of a SELECT, by what is walked.
struct Heads {
    index: &'static str,
    // CROSS JOIN keeps SQLite from turning the walk around.
    terms: &'static str,
}

const FACTS: Heads = Heads {
    index: "SELECT i.fact FROM audit_index i",
    terms: "SELECT i.fact FROM audit_terms t CROSS JOIN audit_index i",
};
const COUNT: Heads = Heads {
    index: "SELECT count(*) FROM audit_index i",
    terms: "SELECT count(*) FROM audit_terms t CROSS JOIN audit_index i",
};

/// Newest first.
pub(crate) async fn facts(
    db: &Db,
    by: &Allowance,
    filter: &Filter,
    before: Before,
    limit: i64,
) -> Result<Vec<FactId>, DbError> {
    let walk = Walk::choose(db, by, filter).await?;
    let at = walk.table;
    let mut select = walk.narrowed(&FACTS, by, filter);
    if let Some((time, number)) = before {
        let condition = format!("({at}.occurred_at, {at}.org_seq) < ({{}}, {{}})");
        select = select.and_text(condition, [time.into(), number.into()]);
    }
    let select = select.order(walk.order()).limit(limit);
    db.read(by.scope(), select).await?.into_iter().map(|mut row| row.id()).collect()
}

pub(crate) async fn count(db: &Db, by: &Allowance, filter: &Filter) -> Result<i64, DbError> {
    let walk = Walk::choose(db, by, filter).await?;
    let row = db.read_one(by.scope(), walk.narrowed(&COUNT, by, filter)).await?;
    row.map_or(Ok(0), |mut row| row.next())
}

/// A term of fewer facts than this is rare.
const FEW: i64 = 1_000;

/// Which table is walked: `i`, the index, or `t`, the facts of one term.
struct Walk {
    table: &'static str,
    /// Rarest first.
    terms: Vec<Vec<u8>>,
}

impl Walk {
    /// A rare term is walked. A common one only where no column narrows further: then facts that fit come soon.
    async fn choose(db: &Db, by: &Allowance, filter: &Filter) -> Result<Self, DbError> {
        let mut counted = Vec::with_capacity(filter.terms.len());
        for term in &filter.terms {
            counted.push((how_many(db, by, term).await?, term.clone()));
        }
        counted.sort();
        let rarest = counted.first().map(|(count, _)| *count);
        let walked = rarest.is_some_and(|rarest| rarest < FEW || !filter.names_column());
        let terms = counted.into_iter().map(|(_, term)| term).collect();
        Ok(Self { table: if walked { "t" } else { "i" }, terms })
    }

    fn order(&self) -> &'static str {
        match self.table {
            "t" => "t.occurred_at DESC, t.org_seq DESC",
            _ => "i.occurred_at DESC, i.org_seq DESC",
        }
    }

    fn narrowed(&self, heads: &Heads, by: &Allowance, filter: &Filter) -> Select {
        let (at, org): (_, Value) = (self.table, by.org().uuid().into());
        let (mut select, looked_up) = match self.terms.split_first().filter(|_| at == "t") {
            Some((rarest, others)) => {
                let join = "t.org = {} AND t.term = {} AND i.org = t.org AND i.org_seq = t.org_seq";
                (Select::new(heads.terms).and_all(join, [org, rarest.clone().into()]), others)
            }
            None => (Select::new(heads.index).and("i.org = {}", org), &self.terms[..]),
        };
        for term in looked_up {
            let condition = format!(
                "EXISTS (SELECT 1 FROM audit_terms u WHERE u.org = {at}.org AND u.term = {{}} \
                 AND u.occurred_at = {at}.occurred_at AND u.org_seq = {at}.org_seq)"
            );
            select = select.and_text(condition, [term.clone().into()]);
        }
        by.narrow(filter.narrow(select, at), &COLUMNS)
    }
}

impl Filter {
    fn names_column(&self) -> bool {
        self.actor.is_some()
            || self.kind.is_some()
            || self.outcome.is_some()
            || self.severity.is_some()
            || self.target.is_some()
            || self.run.is_some()
            || self.jti.is_some()
            || self.txn.is_some()
    }

    /// `at`: the walked table, whose times bound the walk.
    fn narrow(&self, select: Select, at: &'static str) -> Select {
        let mut select = select
            .and_some("actor_id = {}", self.actor.clone())
            .and_some("kind = {}", self.kind.clone())
            .and_some("outcome = {}", self.outcome)
            .and_some("severity = {}", self.severity)
            .and_some("target_id = {}", self.target.clone())
            .and_some("run = {}", self.run.map(Id::uuid))
            .and_some("jti = {}", self.jti.map(Id::uuid))
            .and_some("txn = {}", self.txn.map(Id::uuid));
        // The common words have no index; these conditions tell that one of the others is meant.
        if self.outcome.is_some_and(|outcome| outcome != "success") {
            select = select.and_all("outcome <> 'success'", []);
        }
        if self.severity.is_some_and(|severity| severity != "info") {
            select = select.and_all("severity <> 'info'", []);
        }
        for (comparison, time) in [(">=", self.from), ("<", self.to)] {
            if let Some(time) = time {
                select = select.and_text(format!("{at}.occurred_at {comparison} {{}}"), [time.into()]);
            }
        }
        select
    }
}

/// Facts of the term, as far as counting them is cheap.
async fn how_many(db: &Db, by: &Allowance, term: &[u8]) -> Result<i64, DbError> {
    let text =
        "SELECT count(*) FROM (SELECT 1 FROM audit_terms WHERE org = $1 AND term = $2 LIMIT $3) AS counted";
    let params = vec![by.org().uuid().into(), term.into(), FEW.into()];
    let row = db.read_one(by.scope(), sql(text, params)).await?;
    row.map_or(Ok(0), |mut row| row.next())
}

/// Who did the first thing by the token: its issue, or what it was used for – not what was done to it.
pub(crate) async fn first_actor(
    db: &Db,
    scope: &OrgScope,
    jti: TokenId,
    issued: &FactKind,
) -> Result<Option<String>, DbError> {
    let used = "kind = {} OR target_id IS NULL OR target_id <> {}";
    let select = Select::new("SELECT actor_id FROM audit_index")
        .and("org = {}", scope.org().uuid())
        .and("jti = {}", jti.uuid())
        .and_all(used, [issued.name.into(), jti.to_string().into()])
        .order("org_seq")
        .limit(1);
    db.read_one(scope, select).await?.map_or(Ok(None), |mut row| row.next())
}

/// Facts that name the token, newest first, behind `before` in the organization's order.
pub(crate) async fn facts_of_token(
    db: &Db,
    scope: &OrgScope,
    jti: TokenId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<(i64, FactId)>, DbError> {
    let select = Select::new("SELECT org_seq, fact FROM audit_index")
        .and("org = {}", scope.org().uuid())
        .and("jti = {}", jti.uuid())
        .and_some("org_seq < {}", before)
        .order("org_seq DESC")
        .limit(limit);
    let read = |mut row: Row| Ok((row.next()?, row.id()?));
    db.read(scope, select).await?.into_iter().map(read).collect()
}
