//! Opening: the lock that refuses a second server, pragmas, migrations.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};

use super::statements::failed;
use crate::{DbError, OpenError, migrate};

pub(super) fn lock(directory: &Path) -> Result<File, OpenError> {
    let path = directory.join("lock");
    let io = |error| OpenError::Io { path: path.display().to_string(), error };
    // A directory that is there already stays as its owner made it; the files in it are ours.
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(io)?;
    let file = own_file(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(path.display().to_string())),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

/// Nobody else reads the database, whatever umask and directory say; SQLite gives its journals the same mode. Only before the
/// first connection: closing a file that SQLite has open would drop its locks.
pub(super) fn keep_private(path: &Path) -> Result<(), OpenError> {
    own_file(path).map(drop).map_err(|error| OpenError::Io { path: path.display().to_string(), error })
}

fn own_file(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

pub(super) fn writer(path: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open(path).map_err(failed)?;
    let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
        PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; PRAGMA busy_timeout = 5000;
        PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;";
    connection.execute_batch(pragmas).map_err(failed)?;
    keep_plans(&connection).map_err(failed)?;
    // Exclusive transactions read here, too.
    teach_selectors(&connection).map_err(failed)?;
    teach_json(&connection).map_err(failed)?;
    Ok(connection)
}

pub(super) fn reader(path: &Path) -> Result<Connection, DbError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    let pragmas = "PRAGMA query_only = ON; PRAGMA busy_timeout = 5000; PRAGMA cache_size = -8192;
        PRAGMA mmap_size = 268435456; PRAGMA trusted_schema = OFF;";
    connection.execute_batch(pragmas).map_err(failed)?;
    keep_plans(&connection).map_err(failed)?;
    teach_selectors(&connection).map_err(failed)?;
    teach_json(&connection).map_err(failed)?;
    Ok(connection)
}

/// Statements are prepared once: without the planner's guarantee of stability a new value of a parameter would have many
/// of them parsed and planned again, for statistics (ANALYZE) that we do not keep.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(256);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// `selector_covers(pattern, path)`: what `authority::Selector` says, for lists. PostgreSQL has a function of this name.
fn teach_selectors(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("selector_covers", 2, flags, |context| {
        let pattern: String = context.get(0)?;
        let path: String = context.get(1)?;
        Ok(authority::Selector::text_covers(&pattern, &path))
    })
}

/// `json_matches(document, pointer, wanted)`: what stands at an RFC 6901 pointer is this JSON; anything, if `wanted` is
/// empty. PostgreSQL has a function of this name.
fn teach_json(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("json_matches", 3, flags, |context| {
        let (document, pointer): (String, String) = (context.get(0)?, context.get(1)?);
        let wanted: String = context.get(2)?;
        Ok(json_matches(&document, &pointer, &wanted))
    })
}

fn json_matches(document: &str, pointer: &str, wanted: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    let Some(document) = read(document) else { return false };
    match document.pointer(pointer) {
        None => false,
        Some(_) if wanted.is_empty() => true,
        Some(found) => read(wanted).is_some_and(|wanted| same_json(found, &wanted)),
    }
}

/// 1 and 1.0 are one number, as for PostgreSQL's `jsonb`.
fn same_json(left: &serde_json::Value, right: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (left, right) {
        (Number(left), Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Array(left), Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same_json(left, right))
        }
        (Object(left), Object(right)) => {
            let same = |(name, value)| right.get(name).is_some_and(|right| same_json(value, right));
            left.len() == right.len() && left.iter().all(same)
        }
        (left, right) => left == right,
    }
}

pub(super) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    connection.execute_batch(migrate::TABLE).map_err(failed)?;
    let applied = applied(connection).map_err(failed)?;
    for migration in migrate::pending(&applied)? {
        let transaction = connection.transaction().map_err(failed)?;
        transaction.execute_batch(migration.common).map_err(failed)?;
        transaction.execute_batch(migration.sqlite).map_err(failed)?;
        let row = (migration.number, migration.name, migration.checksum());
        transaction
            .execute("INSERT INTO schema_migrations VALUES (?1, ?2, ?3, unixepoch() * 1000)", row)
            .map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
    Ok(())
}

fn applied(connection: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut statement =
        connection.prepare("SELECT number, checksum FROM schema_migrations ORDER BY number")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_compared_at_pointers() {
        let document = r#"{"a": [{"b/c": 1.0}], "~": null, "text": "x"}"#;
        for (pointer, wanted, matches) in [
            ("/a/0/b~1c", "1", true),
            ("/a/0/b~1c", "2", false),
            ("/~0", "null", true),
            ("/~0", "", true),
            ("/b", "", false),
            ("/a/-1", "", false),
            ("/a/00", "", false),
            ("/text", "\"x\"", true),
            ("/text", "x", false),
            ("", r#"{"text": "x", "~": null, "a": [{"b/c": 1}]}"#, true),
        ] {
            assert_eq!(json_matches(document, pointer, wanted), matches, "{pointer} {wanted}");
        }
    }
}
