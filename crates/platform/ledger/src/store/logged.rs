//! Facts by their place in the log.

use db::{Db, DbError, OrgScope, Row, Scope, Statement, Value, sql};
use types::{FactId, Id, OrgId, Uuid};

use super::{Leaf, SEQUENCER, StoredFact, int, number, read_leaf};

/// A leaf with its fact and the sealed private part, if they are there and can be read: nothing is believed yet.
pub(crate) struct LoggedFact {
    pub(crate) leaf: Leaf,
    pub(crate) fact: Option<(StoredFact, Vec<u8>)>,
}

const LOGGED: &str = concat!(
    "SELECT l.seq, l.org, l.org_seq, l.fact, l.leaf_hash, l.previous_hash, f.private, ",
    clear_columns!("f."),
    " FROM leaves l LEFT JOIN facts f ON f.id = l.fact AND f.org = l.org "
);

/// A run of an organization's own order.
pub(crate) async fn run_of(
    db: &Db,
    scope: &OrgScope,
    first: u64,
    last: u64,
    limit: i64,
) -> Result<Vec<Option<LoggedFact>>, DbError> {
    let text =
        format!("{LOGGED} WHERE l.org = $1 AND l.org_seq BETWEEN $2 AND $3 ORDER BY l.org_seq LIMIT {limit}");
    let params = vec![scope.org().uuid().into(), int(first).into(), int(last).into()];
    logged(db, scope.into(), sql(text, params)).await
}

/// A run of the whole log.
pub(crate) async fn run_of_log(db: &Db, from: u64, limit: i64) -> Result<Vec<Option<LoggedFact>>, DbError> {
    let text = format!("{LOGGED} WHERE l.seq >= $1 ORDER BY l.seq LIMIT {limit}");
    logged(db, SEQUENCER.into(), sql(text, vec![int(from).into()])).await
}

/// One fact by its id.
pub(crate) async fn logged_fact(
    db: &Db,
    scope: &OrgScope,
    fact: FactId,
) -> Result<Option<LoggedFact>, DbError> {
    let text = format!("{LOGGED} WHERE l.fact = $1 AND l.org = $2");
    let params = vec![fact.uuid().into(), scope.org().uuid().into()];
    Ok(logged(db, scope.into(), sql(text, params)).await?.pop().flatten())
}

/// Several facts by their ids, in no order; what is not there is left out.
pub(crate) async fn logged_facts(
    db: &Db,
    scope: &OrgScope,
    facts: &[FactId],
) -> Result<Vec<LoggedFact>, DbError> {
    // Few lengths, so that each text is prepared once; the rest of a length is filled with an id that nothing has.
    let length = [8, 64].into_iter().find(|length| *length >= facts.len()).unwrap_or(256).max(facts.len());
    let places: Vec<String> = (2..length + 2).map(|place| format!("${place}")).collect();
    let text = format!("{LOGGED} WHERE l.org = $1 AND l.fact IN ({})", places.join(", "));
    let ids = facts.iter().map(|fact| fact.uuid()).chain(std::iter::repeat(Uuid::nil())).take(length);
    let params = std::iter::once(scope.org().uuid()).chain(ids).map(Value::from).collect();
    Ok(logged(db, scope.into(), sql(text, params)).await?.into_iter().flatten().collect())
}

/// The facts of purges, with their sealed private parts; sequenced or not. That of an organization's end stands in the
/// ledger of another.
pub(crate) async fn purge_facts(db: &Db, org: OrgId) -> Result<Vec<(StoredFact, Vec<u8>)>, DbError> {
    let text = concat!(
        "SELECT f.private, ",
        clear_columns!("f."),
        " FROM purges p JOIN facts f ON f.id = p.fact WHERE p.org = $1"
    );
    let rows = db.read(SEQUENCER, sql(text, vec![org.uuid().into()])).await?;
    let read = |mut row: Row| Some((row.next::<Vec<u8>>().ok()?, StoredFact::read(&mut row).ok()??));
    Ok(rows.into_iter().filter_map(read).map(|(sealed, fact)| (fact, sealed)).collect())
}

/// The last leaf of an organization.
pub(crate) async fn last_leaf(db: &Db, org: OrgId) -> Result<Option<Leaf>, DbError> {
    let text = "SELECT seq, org, org_seq, fact, leaf_hash, previous_hash FROM leaves \
                WHERE org = $1 ORDER BY org_seq DESC LIMIT 1";
    let row = db.read_one(SEQUENCER, sql(text, vec![org.uuid().into()])).await?;
    row.map(|mut row| read_leaf(&mut row)).transpose()
}

/// Its last leaf among the first `size` of the log.
pub(crate) async fn last_leaf_before(db: &Db, org: OrgId, size: u64) -> Result<Option<Leaf>, DbError> {
    let text = "SELECT seq, org, org_seq, fact, leaf_hash, previous_hash FROM leaves \
                WHERE org = $1 AND seq < $2 ORDER BY org_seq DESC LIMIT 1";
    let row = db.read_one(SEQUENCER, sql(text, vec![org.uuid().into(), int(size).into()])).await?;
    row.map(|mut row| read_leaf(&mut row)).transpose()
}

/// Leaves from `from` to before `to`.
pub(crate) async fn count_between(db: &Db, from: u64, to: u64) -> Result<u64, DbError> {
    let text = "SELECT count(*) FROM leaves WHERE seq >= $1 AND seq < $2";
    let row = db.read_one(SEQUENCER, sql(text, vec![int(from).into(), int(to).into()])).await?;
    row.map_or(Ok(0), |mut row| number(&mut row))
}

/// None for a leaf that cannot be read.
async fn logged(db: &Db, scope: Scope, statement: Statement) -> Result<Vec<Option<LoggedFact>>, DbError> {
    let read = |mut row: Row| {
        let leaf = read_leaf(&mut row).ok()?;
        let private: Result<Option<Vec<u8>>, DbError> = row.next();
        let fact = match (private, StoredFact::read(&mut row)) {
            (Ok(Some(private)), Ok(Some(fact))) => Some((fact, private)),
            _ => None,
        };
        Some(LoggedFact { leaf, fact })
    };
    Ok(db.read(scope, statement).await?.into_iter().map(read).collect())
}
