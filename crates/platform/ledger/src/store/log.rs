//! Tiles, entries, checkpoints, and the log's own key.

use db::{Bookkeeping, CommitError, Db, DbError, Row, Value, sql};
use merkle::{Hash, TileId};
use types::Timestamp;

use super::head::renew;
use super::{SEQUENCER, int, number};

pub(crate) async fn tile(db: &Db, id: TileId) -> Result<Option<Vec<Hash>>, DbError> {
    let text = "SELECT hashes FROM tiles WHERE level = $1 AND tile = $2";
    let params = vec![i64::from(id.level()).into(), int(id.index()).into()];
    let Some(mut row) = db.read_one(SEQUENCER, sql(text, params)).await? else { return Ok(None) };
    let bytes: Vec<u8> = row.next()?;
    Ok(Some(bytes.as_chunks().0.to_vec()))
}

/// Several tiles in one read, in no order; what is not there is left out.
pub(crate) async fn tiles(db: &Db, ids: &[TileId]) -> Result<Vec<((u8, u64), Vec<Hash>)>, DbError> {
    // Few lengths, so that each text is prepared once; the rest of a length is filled with a tile that nothing has.
    let length = [8, 16, 32].into_iter().find(|length| *length >= ids.len()).unwrap_or(ids.len());
    let pairs: Vec<String> =
        (0..length).map(|pair| format!("(level = ${} AND tile = ${})", 2 * pair + 1, 2 * pair + 2)).collect();
    // Not `IN`: SQLite would read the whole table for pairs.
    let text = format!("SELECT level, tile, hashes FROM tiles WHERE {}", pairs.join(" OR "));
    let named = ids.iter().map(|id| (i64::from(id.level()), int(id.index())));
    let named = named.chain(std::iter::repeat((-1, -1))).take(length);
    let params = named.flat_map(|(level, tile)| [level.into(), tile.into()]).collect();
    let read = |mut row: Row| {
        let level = u8::try_from(row.next::<i64>()?).map_err(|error| DbError::Internal(error.to_string()))?;
        let tile = number(&mut row)?;
        Ok(((level, tile), row.next::<Vec<u8>>()?.as_chunks().0.to_vec()))
    };
    db.read(SEQUENCER, sql(text, params)).await?.into_iter().map(read).collect()
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

/// Kept once, however often it is signed; stale when another sequencer leads.
pub(crate) async fn keep_checkpoint(
    db: &Db,
    term: i64,
    (size, root, note): &StoredCheckpoint,
    at: Timestamp,
    until: Timestamp,
) -> Result<(), CommitError> {
    // The fence holds the head's row: a sequencer that was replaced does not sign beside its successor, nor does the
    // successor look for the newest checkpoint while one is being written. A log that did not grow since the last leader
    // signed it has the same note.
    let text = "INSERT INTO checkpoints (size, root, note, created_at) SELECT $1, $2, $3, $4 \
                WHERE NOT EXISTS (SELECT 1 FROM checkpoints WHERE size = $1)";
    let params = vec![int(*size).into(), (*root).into(), note.into(), at.into()];
    let books = Bookkeeping::new(SEQUENCER).statement(renew(term, until)).statement(sql(text, params));
    db.keep(books).await.map(drop)
}

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

async fn checkpoint(
    db: &Db,
    text: &'static str,
    params: Vec<Value>,
) -> Result<Option<StoredCheckpoint>, DbError> {
    let row = db.read_one(SEQUENCER, sql(text, params)).await?;
    row.map(|mut row| Ok((number(&mut row)?, row.next()?, row.next()?))).transpose()
}
