//! `safeconduct pools …`

use clap::Subcommand;
use client::WarmInterpreter;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, show};
use crate::table::Cell;

#[derive(Subcommand, Clone, Debug)]
pub enum PoolsCommand {
    /// List the interpreters that the server keeps warm, the last used first.
    List,
    /// Give up warm interpreters; calls that run are not touched.
    Recycle {
        /// Id of a function, or `namespace:name`; all if left out.
        function: Option<String>,
    },
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: PoolsCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    match command {
        PoolsCommand::List => show(&mut desk.screen, &client.pools().list().await?, &COLUMNS),
        PoolsCommand::Recycle { function } => {
            let function = match function {
                Some(name) if name.contains(':') => Some(client.functions().get(&name).await?.summary.id),
                other => other,
            };
            let recycled = client.pools().recycle(function.as_deref()).await?;
            let count = recycled.recycled.to_string();
            desk.screen.record(&recycled, &count, &[("recycled", Cell::from(count.as_str()))])
        }
    }
}

static COLUMNS: Columns<WarmInterpreter> = Columns {
    id: |one| &one.version,
    columns: &[
        ("function", |one| Cell::from(&one.function)),
        ("version", |one| Cell::from(&one.version)),
        ("status", |one| Cell::from(&one.status)),
        ("calls", |one| Cell::from(one.calls.to_string())),
        ("age", |one| Cell::from(format!("{} s", one.age_seconds))),
        ("idle", |one| Cell::from(format!("{} s", one.idle_seconds))),
        ("memory", |one| {
            Cell::from(one.memory.map_or_else(String::new, |bytes| format!("{} MB", bytes / 1_000_000)))
        }),
    ],
};
