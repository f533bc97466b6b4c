//! Opening and closing: who is refused, and what stays usable.

use db::{Change, CommitError, Db, DbError, OpenError, PostgresSettings, Settings};
use testing::{TestDatabase, on_both_databases};

use crate::db;
use crate::shelf::Shelf;

async fn refused(database: &TestDatabase) -> String {
    match Db::open(database.settings()).await {
        Ok(_) => panic!("it opened"),
        Err(error) => error.to_string(),
    }
}

on_both_databases! {
    async fn a_schema_of_a_newer_or_altered_version_is_refused(database: TestDatabase) {
        let db = database.open().await;
        db.close().await;
        drop(db);
        let hand = database.tamper().await;
        hand.must("INSERT INTO schema_migrations VALUES (9999, 'future', 'x', 0)").await;
        assert!(refused(&database).await.contains("newer safeconduct"));
        hand.must("DELETE FROM schema_migrations WHERE number = 9999").await;
        hand.must("UPDATE schema_migrations SET checksum = 'x' WHERE number = 1").await;
        assert!(refused(&database).await.contains("differs from the one that was applied"));
    }

    async fn what_was_written_is_there_after_a_restart(database: TestDatabase) {
        {
            let shelf = Shelf::new(&database).await;
            shelf.db.commit(Change::new(shelf.scope(), shelf.fact()).statement(shelf.insert("a"))).await.unwrap();
            shelf.db.close().await;
        }
        let _db = database.open().await;
        assert_eq!(database.tamper().await.number("SELECT count(*) FROM things").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_one_file_is_refused() {
    let database = TestDatabase::sqlite();
    let first = database.open().await;
    let second = Db::open(database.settings()).await;
    assert!(matches!(second, Err(OpenError::Locked(_))));
    first.close().await;
    drop(first);
    database.open().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_writer_says_so() {
    let database = TestDatabase::sqlite();
    let shelf = Shelf::new(&database).await;
    shelf.db.close().await;
    let late = shelf.db.commit(Change::new(shelf.scope(), shelf.fact())).await;
    assert!(matches!(late, Err(CommitError::Db(DbError::Unavailable(_)))));
}

/// Row-level security does not bind a superuser, so one must not serve requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_superuser_is_refused() {
    let database = TestDatabase::postgres().await;
    let Settings::Postgres(settings) = database.settings() else { panic!("PostgreSQL was asked for") };
    let app_url = settings.app_url.replace("safeconduct_app:safeconduct_app", "postgres:postgres");
    let powerful = PostgresSettings { app_url, ..settings };
    let Err(refused) = Db::open(Settings::Postgres(powerful)).await else { panic!("it opened") };
    assert!(refused.to_string().contains("row-level security does not bind"), "{refused}");
}

/// Neither an open umask nor an older, readable database lets a neighbour on the machine read along.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("safeconduct.db");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let settings = db::SqliteSettings { directory: directory.path().to_owned(), readers: 1 };
    let db = Db::open(Settings::Sqlite(settings)).await.unwrap();
    let files = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap());
    let modes: std::collections::BTreeMap<_, _> = files
        .map(|entry| (entry.file_name(), entry.metadata().unwrap().permissions().mode() & 0o777))
        .collect();
    assert!(modes.len() >= 3 && modes.values().all(|mode| *mode == 0o600), "{modes:?}");
    db.close().await;
}
