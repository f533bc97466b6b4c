//! The ledger's SQL. Both databases share each text, except where the order of insertion is read.

use db::{Bookkeeping, CommitError, Db, DbError, OrgScope, Row, Scope, Statement, SystemScope, Value, sql};
use evidence::Clear;
use merkle::{Hash, Tile, TileId};
use types::{CredentialId, FactId, Id, OrgId, RequestId, RunId, Timestamp, TokenId, TxnId, Uuid};

use crate::position::Position;

pub(crate) const SEQUENCER: SystemScope = SystemScope::new("sequencer");

/// The clear columns, in the order in which [`StoredFact::read`] takes them.
macro_rules! clear_columns {
    ($table:literal) => {
        concat!(
            $table,
            "id, ",
            $table,
            "org, ",
            $table,
            "occurred_at, ",
            $table,
            "kind, ",
            $table,
            "outcome, ",
            $table,
            "severity, ",
            $table,
            "actor_kind, ",
            $table,
            "actor_id, ",
            $table,
            "target_type, ",
            $table,
            "target_id, ",
            $table,
            "jti, ",
            $table,
            "txn, ",
            $table,
            "credential, ",
            $table,
            "run, ",
            $table,
            "request, ",
            $table,
            "cause, ",
            $table,
            "private_hash"
        )
    };
}

/// A fact as it lies in the table, without its private part.
#[derive(Clone, Debug)]
pub(crate) struct StoredFact {
    pub(crate) id: FactId,
    pub(crate) org: OrgId,
    pub(crate) occurred_at: Timestamp,
    pub(crate) kind: String,
    pub(crate) outcome: String,
    pub(crate) severity: String,
    pub(crate) actor_kind: String,
    pub(crate) actor_id: Option<String>,
    pub(crate) target_type: Option<String>,
    pub(crate) target_id: Option<String>,
    pub(crate) jti: Option<TokenId>,
    pub(crate) txn: Option<TxnId>,
    pub(crate) credential: Option<CredentialId>,
    pub(crate) run: Option<RunId>,
    pub(crate) request: Option<RequestId>,
    pub(crate) cause: Option<FactId>,
    pub(crate) private_hash: Hash,
}

impl StoredFact {
    /// None where a LEFT JOIN found no fact.
    pub(crate) fn read(row: &mut Row) -> Result<Option<Self>, DbError> {
        let Some(id) = row.optional_id()? else { return Ok(None) };
        Ok(Some(Self {
            id,
            org: row.id()?,
            occurred_at: row.next()?,
            kind: row.next()?,
            outcome: row.next()?,
            severity: row.next()?,
            actor_kind: row.next()?,
            actor_id: row.next()?,
            target_type: row.next()?,
            target_id: row.next()?,
            jti: row.optional_id()?,
            txn: row.optional_id()?,
            credential: row.optional_id()?,
            run: row.optional_id()?,
            request: row.optional_id()?,
            cause: row.optional_id()?,
            private_hash: row.next()?,
        }))
    }

    pub(crate) fn clear(&self) -> Clear<'_> {
        Clear {
            id: self.id,
            org: self.org,
            occurred_at: self.occurred_at,
            kind: &self.kind,
            outcome: &self.outcome,
            severity: &self.severity,
            actor_kind: &self.actor_kind,
            actor_id: self.actor_id.as_deref(),
            target_type: self.target_type.as_deref(),
            target_id: self.target_id.as_deref(),
            jti: self.jti,
            txn: self.txn,
            credential: self.credential,
            run: self.run,
            request: self.request,
            cause: self.cause,
            private_hash: self.private_hash,
        }
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) seq: u64,
    pub(crate) org: OrgId,
    pub(crate) org_seq: u64,
    pub(crate) fact: FactId,
    pub(crate) entry: Hash,
    pub(crate) previous: Hash,
}

/// Signed numbers of the database; ours are never negative.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn number(row: &mut Row) -> Result<u64, DbError> {
    let number: i64 = row.next()?;
    u64::try_from(number).map_err(|_| DbError::Internal(format!("{number} where a count is expected")))
}

// --- what the sequencer reads and writes --------------------------------------------------------------------------

pub(crate) struct Head {
    pub(crate) size: u64,
    pub(crate) term: i64,
    pub(crate) position: String,
}

/// Makes `holder` the sequencer, unless another one still holds the log; with `by_force` also then.
pub(crate) async fn take_over(
    db: &Db,
    holder: Uuid,
    now: Timestamp,
    until: Timestamp,
    by_force: bool,
) -> Result<Option<Head>, CommitError> {
    let text = "UPDATE log_head SET term = term + 1, holder = $1, held_until = $2 \
                WHERE singleton = 1 AND (held_until <= $3 OR holder = $1 OR $4) RETURNING size, term, position";
    let params: Vec<Value> = vec![holder.into(), until.into(), now.into(), by_force.into()];
    let answers = db.keep(Bookkeeping::new(SEQUENCER).statement(sql(text, params))).await?;
    let Some(mut row) = answers.into_iter().flatten().next() else { return Ok(None) };
    Ok(Some(Head { size: number(&mut row)?, term: row.next()?, position: row.next()? }))
}

/// Stays the sequencer until then; stale when another took over.
pub(crate) async fn hold(db: &Db, term: i64, until: Timestamp) -> Result<(), CommitError> {
    let text = "UPDATE log_head SET held_until = $1 WHERE singleton = 1 AND term = $2";
    let renew = sql(text, vec![until.into(), term.into()]).fresh();
    db.keep(Bookkeeping::new(SEQUENCER).statement(renew)).await.map(drop)
}

/// PostgreSQL: partitions of `facts` for today and the days to come.
pub(crate) async fn make_days(db: &Db, now: Timestamp) -> Result<(), CommitError> {
    let today = now.seconds().div_euclid(86_400);
    let text = "SELECT safeconduct_partition_facts(date '1970-01-01' + $1::integer)";
    let make = |books: Bookkeeping, day: i64| books.statement(sql(text, vec![day.into()]));
    db.keep((today..today + 4).fold(Bookkeeping::new(SEQUENCER), make)).await.map(drop)
}

/// Facts behind `position` that nothing can come before any more. A row that cannot be read is skipped: it never becomes a
/// leaf, and verification names it.
pub(crate) async fn unsequenced(
    db: &Db,
    position: &Position,
    limit: i64,
) -> Result<Vec<(Position, Option<StoredFact>)>, DbError> {
    let rows = db.read(SEQUENCER, position.after(limit)).await?;
    let read = |mut row: Row| -> Result<_, DbError> {
        let position = position.read(&mut row)?;
        let fact = StoredFact::read(&mut row).unwrap_or_else(|error| {
            tracing::error!(%error, ?position, "a fact cannot be read and stays out of the log; verify the ledger");
            None
        });
        Ok((position, fact))
    };
    rows.into_iter().map(read).collect()
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

pub(crate) fn read_leaf(row: &mut Row) -> Result<Leaf, DbError> {
    Ok(Leaf {
        seq: number(row)?,
        org: row.id()?,
        org_seq: number(row)?,
        fact: row.id()?,
        entry: row.next()?,
        previous: row.next()?,
    })
}

/// The batch whole, if this term still leads and the log is as long as it thinks; else stale.
pub(crate) async fn append(
    db: &Db,
    term: i64,
    size: u64,
    position: &Position,
    until: Timestamp,
    leaves: &[Leaf],
    tiles: &[Tile],
) -> Result<(), CommitError> {
    let fence = "UPDATE log_head SET size = $1, position = $2, held_until = $3 \
                 WHERE singleton = 1 AND size = $4 AND term = $5";
    let after = size + leaves.len() as u64;
    let params = vec![int(after).into(), position.text().into(), until.into(), int(size).into(), term.into()];
    let mut books = Bookkeeping::new(SEQUENCER).statement(sql(fence, params).fresh());
    for statement in insert_leaves(leaves) {
        books = books.statement(statement);
    }
    for tile in tiles {
        books = books.statement(put_tile(tile));
    }
    db.keep(books).await.map(drop)
}

/// Many rows share a statement; few sizes, so that each is prepared once.
fn insert_leaves(leaves: &[Leaf]) -> Vec<Statement> {
    let row = |leaf: &Leaf| -> Vec<Value> {
        vec![
            int(leaf.seq).into(),
            leaf.org.uuid().into(),
            int(leaf.org_seq).into(),
            leaf.fact.uuid().into(),
            leaf.entry.into(),
            leaf.previous.into(),
        ]
    };
    let head = "INSERT INTO leaves (seq, org, org_seq, fact, leaf_hash, previous_hash) VALUES ";
    crate::many::insert(head, "", leaves.iter().map(row).collect())
}

fn put_tile(tile: &Tile) -> Statement {
    let text = "INSERT INTO tiles (level, tile, hashes) VALUES ($1, $2, $3) \
                ON CONFLICT (level, tile) DO UPDATE SET hashes = excluded.hashes";
    sql(text, vec![i64::from(tile.level).into(), int(tile.index).into(), tile.to_bytes().into()])
}

pub(crate) async fn put_tiles(db: &Db, tiles: &[Tile]) -> Result<(), CommitError> {
    let books = tiles.iter().fold(Bookkeeping::new(SEQUENCER), |books, tile| books.statement(put_tile(tile)));
    db.keep(books).await.map(drop)
}

/// Whether any fact still waits for its place.
pub(crate) async fn has_unsequenced(db: &Db) -> Result<bool, DbError> {
    let position = Position::of(db, &head(db).await?).await?;
    Ok(db.read_one(SEQUENCER, position.behind()).await?.is_some())
}

pub(crate) async fn head(db: &Db) -> Result<Head, DbError> {
    let text = "SELECT size, term, position FROM log_head WHERE singleton = 1";
    let row = db.read_one(SEQUENCER, sql(text, vec![])).await?;
    let mut row = row.ok_or_else(|| DbError::Internal("log_head has lost its row".into()))?;
    Ok(Head { size: number(&mut row)?, term: row.next()?, position: row.next()? })
}

// --- tiles and checkpoints ----------------------------------------------------------------------------------------

pub(crate) async fn tile(db: &Db, id: TileId) -> Result<Option<Vec<Hash>>, DbError> {
    let text = "SELECT hashes FROM tiles WHERE level = $1 AND tile = $2";
    let params = vec![i64::from(id.level()).into(), int(id.index()).into()];
    let Some(mut row) = db.read_one(SEQUENCER, sql(text, params)).await? else { return Ok(None) };
    let bytes: Vec<u8> = row.next()?;
    Ok(Some(bytes.as_chunks().0.to_vec()))
}

/// Entries of the leaves from `seq` on, in order.
///
/// # Errors
/// Also when a leaf is missing or cannot be read: the log is broken there.
pub(crate) async fn entries(db: &Db, seq: u64, limit: i64) -> Result<Vec<Hash>, DbError> {
    let text = "SELECT seq, leaf_hash FROM leaves WHERE seq >= $1 ORDER BY seq LIMIT $2";
    let rows = db.read(SEQUENCER, sql(text, vec![int(seq).into(), limit.into()])).await?;
    let read = |(expected, mut row): (u64, Row)| match number(&mut row)? {
        found if found == expected => row.next(),
        found => Err(DbError::Internal(format!("leaf {expected} is missing, {found} comes next"))),
    };
    (seq..).zip(rows).map(read).collect()
}

/// `(size, root, note)`.
pub(crate) type StoredCheckpoint = (u64, Hash, String);

pub(crate) async fn newest_checkpoint(db: &Db) -> Result<Option<StoredCheckpoint>, DbError> {
    checkpoint(db, "SELECT size, root, note FROM checkpoints ORDER BY size DESC LIMIT 1", vec![]).await
}

/// The first one that covers so many leaves.
pub(crate) async fn checkpoint_covering(db: &Db, size: u64) -> Result<Option<StoredCheckpoint>, DbError> {
    let text = "SELECT size, root, note FROM checkpoints WHERE size >= $1 ORDER BY size LIMIT 1";
    checkpoint(db, text, vec![int(size).into()]).await
}

pub(crate) async fn checkpoint_of(db: &Db, size: u64) -> Result<Option<StoredCheckpoint>, DbError> {
    checkpoint(db, "SELECT size, root, note FROM checkpoints WHERE size = $1", vec![int(size).into()]).await
}

/// Size and root of those that are larger than `from` and not larger than `to`.
pub(crate) async fn checkpoints_between(db: &Db, from: u64, to: u64) -> Result<Vec<(u64, Hash)>, DbError> {
    let text = "SELECT size, root FROM checkpoints WHERE size > $1 AND size <= $2 ORDER BY size";
    let rows = db.read(SEQUENCER, sql(text, vec![int(from).into(), int(to).into()])).await?;
    rows.into_iter().map(|mut row| Ok((number(&mut row)?, row.next()?))).collect()
}

async fn checkpoint(
    db: &Db,
    text: &'static str,
    params: Vec<Value>,
) -> Result<Option<StoredCheckpoint>, DbError> {
    let row = db.read_one(SEQUENCER, sql(text, params)).await?;
    row.map(|mut row| Ok((number(&mut row)?, row.next()?, row.next()?))).transpose()
}

pub(crate) async fn keep_checkpoint(
    db: &Db,
    term: i64,
    (size, root, note): &StoredCheckpoint,
    at: Timestamp,
) -> Result<(), CommitError> {
    // The fence again: a sequencer that was replaced must not sign beside its successor.
    let text = "INSERT INTO checkpoints (size, root, note, created_at) \
                SELECT $1, $2, $3, $4 FROM log_head WHERE singleton = 1 AND term = $5";
    let params = vec![int(*size).into(), (*root).into(), note.into(), at.into(), term.into()];
    db.keep(Bookkeeping::new(SEQUENCER).statement(sql(text, params).fresh())).await.map(drop)
}

// --- the log's own key --------------------------------------------------------------------------------------------

/// `(origin, sealed key)`.
pub(crate) async fn log_key(db: &Db) -> Result<Option<(String, Vec<u8>)>, DbError> {
    let text = "SELECT origin, sealed FROM log_keys WHERE version = 1";
    let row = db.read_one(SEQUENCER, sql(text, vec![])).await?;
    row.map(|mut row| Ok((row.next()?, row.next()?))).transpose()
}

/// Of two nodes that try at once, one succeeds.
pub(crate) async fn keep_log_key(
    db: &Db,
    origin: &str,
    sealed: Vec<u8>,
    at: Timestamp,
) -> Result<(), CommitError> {
    let text = "INSERT INTO log_keys (version, origin, sealed, created_at) VALUES (1, $1, $2, $3) \
                ON CONFLICT (version) DO NOTHING";
    let params = vec![origin.into(), sealed.into(), at.into()];
    db.keep(Bookkeeping::new(SEQUENCER).statement(sql(text, params))).await.map(drop)
}

// --- facts by their place in the log ------------------------------------------------------------------------------

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
        format!("{LOGGED} WHERE l.org = $1 AND l.org_seq BETWEEN $2 AND $3 ORDER BY l.org_seq LIMIT $4");
    let params = vec![scope.org().uuid().into(), int(first).into(), int(last).into(), limit.into()];
    logged(db, scope.into(), sql(text, params)).await
}

/// A run of the whole log.
pub(crate) async fn run_of_log(db: &Db, from: u64, limit: i64) -> Result<Vec<Option<LoggedFact>>, DbError> {
    let text = format!("{LOGGED} WHERE l.seq >= $1 ORDER BY l.seq LIMIT $2");
    logged(db, SEQUENCER.into(), sql(text, vec![int(from).into(), limit.into()])).await
}

/// The facts of purges, with their sealed private parts; sequenced or not.
pub(crate) async fn purge_facts(db: &Db, org: OrgId) -> Result<Vec<(StoredFact, Vec<u8>)>, DbError> {
    let text = concat!(
        "SELECT f.private, ",
        clear_columns!("f."),
        " FROM purges p JOIN facts f ON f.id = p.fact AND f.org = p.org WHERE p.org = $1"
    );
    let rows = db.read(SEQUENCER, sql(text, vec![org.uuid().into()])).await?;
    let read = |mut row: Row| Some((row.next::<Vec<u8>>().ok()?, StoredFact::read(&mut row).ok()??));
    Ok(rows.into_iter().filter_map(read).map(|(sealed, fact)| (fact, sealed)).collect())
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
