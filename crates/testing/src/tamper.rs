//! Raw SQL past every wall of ours: what an administrator of the database, or a thief of its files, could do.

use std::path::Path;

use rusqlite::types::ValueRef;
use tokio::sync::Mutex;
use tokio_postgres::SimpleQueryMessage;

use crate::{Engine, postgres};

pub enum Tamper {
    /// Without any of our pragmas.
    Sqlite(Mutex<rusqlite::Connection>),
    Postgres(tokio_postgres::Client),
}

/// A column as text: bytes and UUIDs in lower-case hexadecimal without dashes.
pub type Cell = Option<String>;

impl Tamper {
    /// Into the embedded database of a data directory, also while its server runs.
    pub fn of_directory(directory: &Path) -> Self {
        Self::sqlite(&directory.join("safeconduct.db"))
    }

    pub(crate) fn sqlite(path: &Path) -> Self {
        let connection = rusqlite::Connection::open(path).expect("the database file opens");
        connection.busy_timeout(std::time::Duration::from_secs(20)).expect("a timeout can be set");
        Self::Sqlite(Mutex::new(connection))
    }

    pub(crate) async fn postgres(url: &str) -> Self {
        Self::Postgres(postgres::connect(url).await)
    }

    pub fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs statements; the database's refusal as text.
    pub async fn run(&self, text: &str) -> Result<(), String> {
        match self {
            Self::Sqlite(connection) => {
                connection.lock().await.execute_batch(text).map_err(|error| error.to_string())
            }
            Self::Postgres(client) => {
                client.batch_execute(text).await.map_err(|error| match error.as_db_error() {
                    Some(error) => error.message().to_owned(),
                    None => error.to_string(),
                })
            }
        }
    }

    /// Runs statements that must succeed.
    pub async fn must(&self, text: &str) {
        if let Err(refusal) = self.run(text).await {
            panic!("{text}: {refusal}");
        }
    }

    pub async fn rows(&self, text: &str) -> Vec<Vec<Cell>> {
        match self {
            Self::Sqlite(connection) => sqlite_rows(&*connection.lock().await, text),
            Self::Postgres(client) => {
                let messages =
                    client.simple_query(text).await.unwrap_or_else(|error| panic!("{text}: {error}"));
                messages.into_iter().filter_map(postgres_row).collect()
            }
        }
    }

    /// The one cell of the first row.
    pub async fn cell(&self, text: &str) -> Cell {
        self.rows(text).await.into_iter().next().unwrap_or_else(|| panic!("{text}: no row")).remove(0)
    }

    /// As [`Tamper::cell`], a number.
    pub async fn number(&self, text: &str) -> i64 {
        let cell = self.cell(text).await;
        cell.and_then(|cell| cell.parse().ok()).unwrap_or_else(|| panic!("{text}: no number"))
    }

    /// A literal of bytes.
    pub fn bytes(&self, bytes: &[u8]) -> String {
        match self {
            Self::Sqlite(_) => format!("x'{}'", hex::encode(bytes)),
            Self::Postgres(_) => format!("'\\x{}'::bytea", hex::encode(bytes)),
        }
    }

    /// A literal of a UUID.
    pub fn uuid(&self, id: types::Uuid) -> String {
        match self {
            Self::Sqlite(_) => self.bytes(id.as_bytes()),
            Self::Postgres(_) => format!("'{id}'::uuid"),
        }
    }

    /// What somebody with every right does first: the triggers of the table are gone.
    pub async fn drop_triggers(&self, table: &str) {
        let names = match self {
            Self::Sqlite(_) => {
                format!("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = '{table}'")
            }
            Self::Postgres(_) => {
                format!(
                    "SELECT tgname FROM pg_trigger WHERE tgrelid = '{table}'::regclass AND NOT tgisinternal"
                )
            }
        };
        for name in self.rows(&names).await.into_iter().flatten().flatten() {
            match self {
                Self::Sqlite(_) => self.must(&format!("DROP TRIGGER {name}")).await,
                Self::Postgres(_) => self.must(&format!("DROP TRIGGER {name} ON {table}")).await,
            }
        }
    }

    /// Names and types of a table's columns, in their order; types in lower case.
    pub async fn columns(&self, table: &str) -> Vec<(String, String)> {
        let text = match self {
            Self::Sqlite(_) => format!("SELECT name, lower(type) FROM pragma_table_info('{table}')"),
            Self::Postgres(_) => format!(
                "SELECT column_name, data_type FROM information_schema.columns \
                 WHERE table_name = '{table}' ORDER BY ordinal_position"
            ),
        };
        let pair = |row: Vec<Cell>| match &row[..] {
            [Some(name), Some(kind)] => (name.clone(), kind.clone()),
            _ => panic!("{table}: a column without name or type"),
        };
        self.rows(&text).await.into_iter().map(pair).collect()
    }
}

fn sqlite_rows(connection: &rusqlite::Connection, text: &str) -> Vec<Vec<Cell>> {
    let mut statement = connection.prepare(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let width = statement.column_count();
    let mut rows = statement.raw_query();
    let mut all = Vec::new();
    while let Some(row) = rows.next().unwrap_or_else(|error| panic!("{text}: {error}")) {
        let cell = |index| match row.get_ref(index).expect("the column exists") {
            ValueRef::Null => None,
            ValueRef::Integer(number) => Some(number.to_string()),
            ValueRef::Real(number) => Some(number.to_string()),
            ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Some(hex::encode(bytes)),
        };
        all.push((0..width).map(cell).collect());
    }
    all
}

fn postgres_row(message: SimpleQueryMessage) -> Option<Vec<Cell>> {
    let SimpleQueryMessage::Row(row) = message else { return None };
    let cell = |index: usize| {
        let text = row.get(index)?;
        let uuid = text.len() == 36 && text.parse::<types::Uuid>().is_ok();
        Some(match text.strip_prefix("\\x") {
            Some(hex) => hex.to_owned(),
            None if uuid => text.replace('-', ""),
            None => text.to_owned(),
        })
    };
    Some((0..row.len()).map(cell).collect())
}
