//! Looking for what must not be left anywhere: in a file, in a directory, in every row.

use std::path::Path;

use testing::{Engine, Tamper};

pub(crate) fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}

/// Every file of a directory and of those in it.
pub(crate) fn look_through(directory: &Path, look: &mut impl FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let entry = entry.expect("an entry");
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            look_through(&entry.path(), look);
        } else if kind.is_file() {
            look(&entry.path(), &std::fs::read(entry.path()).expect("a file"));
        }
    }
}

/// Every row of every table, a line for each; bytes in hexadecimal.
pub(crate) async fn every_row(tamper: &Tamper) -> String {
    let tables = match tamper.engine() {
        Engine::Sqlite => "SELECT name FROM sqlite_schema WHERE type = 'table'",
        Engine::Postgres => "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    };
    let mut lines = Vec::new();
    for table in tamper.rows(tables).await.into_iter().flatten().flatten() {
        for row in tamper.rows(&format!("SELECT * FROM \"{table}\"")).await {
            let cells: Vec<String> = row.into_iter().map(Option::unwrap_or_default).collect();
            lines.push(format!("{table} {}", cells.join(" ")));
        }
    }
    lines.join("\n")
}
