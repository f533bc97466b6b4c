//! Inclusion proofs out of a ledger of ten million leaves on disk: look-up of the fact, its tiles, its private part.
//!
//! A thousand facts are recorded and sealed as ever; the leaves between them, which no proof of a fact looks at except as
//! hashes in tiles, are made up.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use crypto::hash::sha256;
use db::{Db, OrgScope, SqliteSettings};
use evidence::{Clear, entry};
use ledger::{Actor, Fact, Ledger, LedgerSettings};
use merkle::{Hash, Tree, leaf_hash, tiles_for_inclusion};
use rusqlite::{Connection, params};
use secrets::{KeySource, Keyring};
use types::{FactId, Id, OrgId, Timestamp, Uuid, World};

use crate::Settings;
use crate::row::{Row, whole};
use crate::spread::{Spread, Times};

const LEAVES: u64 = 10_000_000;
const FACTS: u64 = 1_000;
const BATCH: u64 = 10_000;

pub(crate) fn measure(settings: &Settings) -> Result<()> {
    anyhow::ensure!(!settings.postgres, "this figure is about the embedded database");
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(all(settings))
}

async fn all(settings: &Settings) -> Result<()> {
    let directory = settings.directory()?;
    let leaves = settings.count.unwrap_or(LEAVES).max(FACTS);
    let world = World::system();
    let org: OrgId = world.id();
    let (db, ledger) = open(directory.path(), &world).await?;
    let mut facts = Vec::new();
    for number in 0..FACTS {
        facts.push(ledger.append(fact(org, number)).await?);
    }
    db.close().await;
    drop((db, ledger));
    let places = grow(directory.path(), org, leaves)?;
    let (db, ledger) = open(directory.path(), &world).await?;
    ledger.drive().await?.sign().await?;
    let scope = OrgScope::proven(org);
    let (mut p50, mut p99, mut bare) = (Spread::default(), Spread::default(), Spread::default());
    for _ in 0..settings.runs {
        let mut times = Times::default();
        for fact in &facts {
            let begun = Instant::now();
            let proof = ledger.prove(&scope, *fact).await?;
            times.add(begun.elapsed());
            anyhow::ensure!(proof.tree_size == leaves, "a proof in a tree of {}", proof.tree_size);
        }
        p50.add(times.percentile(50.0));
        p99.add(times.percentile(99.0));
        bare.add(bare_reads(directory.path(), &places, leaves)?);
    }
    let row = Row {
        figure: format!("inclusion proof at {} leaves", whole(leaves as f64)),
        goal: "< 200 µs",
        measured: format!("p50 {} µs; p99 {} µs", p50.text(), p99.text()),
        floor: format!("reading the same tiles by bare SQLite p50 {} µs", bare.text()),
        beside: format!("{FACTS} facts spread over the log, one proof at a time, with the fact opened"),
    };
    row.print();
    db.close().await;
    Ok(())
}

async fn open(directory: &Path, world: &World) -> Result<(Db, Ledger)> {
    let settings = SqliteSettings { directory: directory.to_owned(), readers: 2 };
    let db = Db::open(db::Settings::Sqlite(settings)).await?;
    let keyring = Keyring::open(db.clone(), world.clone(), &KeySource::File(directory.join("key"))).await?;
    let ledger = Ledger::new(db.clone(), keyring, world.clone(), LedgerSettings::default());
    Ok((db, ledger))
}

fn fact(org: OrgId, number: u64) -> Fact {
    ledger::fact_kinds! {
        MEASURED = "bench.measured", Info, "A fact to be proven.", { number: Integer };
    }
    Fact::new(&MEASURED, org, Actor::system("bench")).data(serde_json::json!({ "number": number }))
}

/// Fills the log up: the recorded facts at even distances, made-up leaves between. The places of the facts.
fn grow(directory: &Path, org: OrgId, leaves: u64) -> Result<Vec<u64>> {
    let mut connection = Connection::open(directory.join("safeconduct.db"))?;
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -262144;")?;
    let ids: Vec<FactId> = connection
        .prepare("SELECT id FROM facts ORDER BY position")?
        .query_map([], |row| row.get::<_, Vec<u8>>(0))?
        .map(|id| Ok(FactId::from_uuid(Uuid::from_slice(&id?)?)))
        .collect::<Result<_>>()?;
    let (every, org) = (leaves / FACTS, org.uuid());
    let (mut tree, mut places, mut ids) = (Tree::new(), Vec::new(), ids.into_iter());
    for start in (0..leaves).step_by(BATCH as usize) {
        let transaction = connection.transaction()?;
        let mut hashes = Vec::new();
        for seq in start..(start + BATCH).min(leaves) {
            let recorded = if seq % every == every / 2 { ids.next() } else { None };
            let (fact, entry) = match recorded {
                Some(fact) => {
                    places.push(seq);
                    (fact.uuid(), entry_of(&transaction, fact, seq + 1)?)
                }
                None => (Uuid::from_u128(u128::from(seq) << 64 | 1), sha256(&seq.to_be_bytes())),
            };
            let text = "INSERT INTO leaves (seq, org, org_seq, fact, leaf_hash, previous_hash) \
                        VALUES (?1, ?2, ?3, ?4, ?5, ?5)";
            let row = params![seq as i64, org.as_bytes(), seq as i64 + 1, fact.as_bytes(), entry];
            transaction.prepare_cached(text)?.execute(row)?;
            hashes.push(leaf_hash(&entry));
        }
        for tile in tree.append(&hashes).tiles {
            let text = "INSERT INTO tiles (level, tile, hashes) VALUES (?1, ?2, ?3) \
                        ON CONFLICT (level, tile) DO UPDATE SET hashes = excluded.hashes";
            let row = params![i64::from(tile.level), tile.index as i64, tile.hashes.concat()];
            transaction.prepare_cached(text)?.execute(row)?;
        }
        transaction.execute("UPDATE log_head SET size = ?1", params![tree.size() as i64])?;
        transaction.commit()?;
    }
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    anyhow::ensure!(places.len() as u64 == FACTS, "{} of {FACTS} facts have a place", places.len());
    Ok(places)
}

/// The leaf entry of a recorded fact at this number of its organization.
fn entry_of(connection: &Connection, fact: FactId, org_seq: u64) -> Result<Hash> {
    let text =
        "SELECT org, occurred_at, kind, outcome, severity, actor_kind, private_hash FROM facts WHERE id = ?1";
    connection
        .prepare_cached(text)?
        .query_row(params![fact.uuid().as_bytes()], |row| {
            let (org, hash): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(6)?);
            let (kind, outcome): (String, String) = (row.get(2)?, row.get(3)?);
            let (severity, actor_kind): (String, String) = (row.get(4)?, row.get(5)?);
            let clear = Clear {
                id: fact,
                org: OrgId::from_uuid(Uuid::from_slice(&org).unwrap_or_default()),
                occurred_at: Timestamp::from_millis(row.get(1)?),
                kind: &kind,
                outcome: &outcome,
                severity: &severity,
                actor_kind: &actor_kind,
                actor_id: None,
                target_type: None,
                target_id: None,
                jti: None,
                txn: None,
                credential: None,
                run: None,
                request: None,
                cause: None,
                private_hash: hash.try_into().unwrap_or_default(),
            };
            Ok(entry(&clear.canonical(org_seq)))
        })
        .context("a recorded fact")
}

/// Median microseconds of reading what one proof needs, on one connection with a prepared statement.
fn bare_reads(directory: &Path, places: &[u64], leaves: u64) -> Result<f64> {
    let connection = Connection::open(directory.join("safeconduct.db"))?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA mmap_size = 268435456;")?;
    let mut read = connection.prepare("SELECT hashes FROM tiles WHERE level = ?1 AND tile = ?2")?;
    let mut times = Times::default();
    for place in places {
        let begun = Instant::now();
        for tile in tiles_for_inclusion(*place, leaves)? {
            let hashes: Vec<u8> =
                read.query_row(params![i64::from(tile.level()), tile.index() as i64], |row| row.get(0))?;
            std::hint::black_box(hashes);
        }
        times.add(begun.elapsed());
    }
    Ok(times.percentile(50.0))
}
