//! What the sequencer reads and writes: `log_head`, facts in the order of insertion, leaves and tiles.

use db::{Bookkeeping, CommitError, Db, DbError, Row, Statement, Value, sql};
use merkle::Tile;
use types::{Id, Timestamp, Uuid};

use super::{Leaf, SEQUENCER, StoredFact, int, number};
use crate::position::Position;

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
    db.keep(Bookkeeping::new(SEQUENCER).statement(renew(term, until))).await.map(drop)
}

/// The fence of whatever a leader writes beside the log.
pub(super) fn renew(term: i64, until: Timestamp) -> Statement {
    let text = "UPDATE log_head SET held_until = $1 WHERE singleton = 1 AND term = $2";
    sql(text, vec![until.into(), term.into()]).fresh()
}

pub(crate) async fn head(db: &Db) -> Result<Head, DbError> {
    let text = "SELECT size, term, position FROM log_head WHERE singleton = 1";
    let row = db.read_one(SEQUENCER, sql(text, vec![])).await?;
    let mut row = row.ok_or_else(|| DbError::Internal("log_head has lost its row".into()))?;
    Ok(Head { size: number(&mut row)?, term: row.next()?, position: row.next()? })
}

/// Facts behind `position` that nothing can come before any more; none in place of one that is a leaf already, and of one
/// that cannot be read, which never becomes a leaf and which verification names.
pub(crate) async fn unsequenced(
    db: &Db,
    position: &Position,
    limit: i64,
) -> Result<Vec<(Position, Option<StoredFact>)>, DbError> {
    let rows = db.read(SEQUENCER, position.after(limit)).await?;
    let read = |mut row: Row| -> Result<_, DbError> {
        let position = position.read(&mut row)?;
        if row.next::<bool>()? {
            return Ok((position, None));
        }
        let fact = StoredFact::read(&mut row).unwrap_or_else(|error| {
            tracing::error!(%error, ?position, "a fact cannot be read and stays out of the log; verify the ledger");
            None
        });
        Ok((position, fact))
    };
    rows.into_iter().map(read).collect()
}

/// Whether any fact still waits for its place.
pub(crate) async fn has_unsequenced(db: &Db) -> Result<bool, DbError> {
    let position = Position::of(db, &head(db).await?).await?;
    Ok(db.read_one(SEQUENCER, position.behind()).await?.is_some())
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

/// PostgreSQL: partitions of `facts` for today and the days to come.
pub(crate) async fn make_days(db: &Db, now: Timestamp) -> Result<(), CommitError> {
    let today = now.seconds().div_euclid(86_400);
    let text = "SELECT safeconduct_partition_facts(date '1970-01-01' + $1::integer)";
    let make = |books: Bookkeeping, day: i64| books.statement(sql(text, vec![day.into()]));
    db.keep((today..today + 4).fold(Bookkeeping::new(SEQUENCER), make)).await.map(drop)
}

pub(crate) async fn put_tiles(db: &Db, tiles: &[Tile]) -> Result<(), CommitError> {
    let books = tiles.iter().fold(Bookkeeping::new(SEQUENCER), |books, tile| books.statement(put_tile(tile)));
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
