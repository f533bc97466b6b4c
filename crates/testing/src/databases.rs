//! Fresh databases: a directory for SQLite, a copy of a migrated template for PostgreSQL.

use std::path::Path;
use std::time::Duration;

use db::{Db, PostgresSettings, Settings, SqliteSettings};
use tempfile::TempDir;

use crate::postgres::Database;
use crate::{Tamper, postgres};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// One empty, migrated database and a data directory beside it; both go when this does.
pub struct TestDatabase {
    directory: TempDir,
    postgres: Option<Database>,
}

impl TestDatabase {
    pub fn sqlite() -> Self {
        Self { directory: directory(), postgres: None }
    }

    pub async fn postgres() -> Self {
        Self { directory: directory(), postgres: Some(Database::fresh().await) }
    }

    pub fn engine(&self) -> Engine {
        if self.postgres.is_some() { Engine::Postgres } else { Engine::Sqlite }
    }

    /// Where a server would keep its files.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn settings(&self) -> Settings {
        match &self.postgres {
            None => Settings::Sqlite(SqliteSettings { directory: self.directory().to_owned(), readers: 2 }),
            Some(Database { name }) => Settings::Postgres(PostgresSettings {
                app_url: postgres::url("safeconduct_app", name),
                system_url: postgres::url("safeconduct_system", name),
                owner_url: postgres::url("safeconduct_owner", name),
                app_connections: 6,
                system_connections: 4,
                connect_timeout: Duration::from_secs(10),
            }),
        }
    }

    /// The login of a role; none with SQLite.
    pub fn url(&self, role: &str) -> Option<String> {
        self.postgres.as_ref().map(|database| postgres::url(role, &database.name))
    }

    /// Opens it; on PostgreSQL as often as wanted (each is a node), on SQLite once at a time.
    pub async fn open(&self) -> Db {
        Db::open(self.settings()).await.expect("a fresh database opens")
    }

    /// The hand of somebody with every right on the database.
    pub async fn tamper(&self) -> Tamper {
        match &self.postgres {
            None => Tamper::sqlite(&self.directory().join("safeconduct.db")),
            Some(Database { name }) => Tamper::postgres(&postgres::url("postgres", name)).await,
        }
    }

    /// As one of the PostgreSQL roles (`safeconduct_app` …), past our own code; none with SQLite.
    pub async fn as_role(&self, role: &str) -> Option<Tamper> {
        Some(Tamper::postgres(&self.url(role)?).await)
    }
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}
