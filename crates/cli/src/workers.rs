//! `safeconduct workers …`

use clap::Subcommand;
use client::Worker;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, show};
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum WorkersCommand {
    /// List the processes that work on runs, the oldest first.
    List,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: WorkersCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    match command {
        WorkersCommand::List => show(&mut desk.screen, &client.workers().list().await?, &COLUMNS),
    }
}

static COLUMNS: Columns<Worker> = Columns {
    id: |worker| &worker.id,
    columns: &[
        ("worker", |worker| Cell::from(&worker.id)),
        ("machine", |worker| Cell::from(&worker.name)),
        ("status", |worker| Cell::toned(worker.status.as_str(), Tone::of_status(&worker.status))),
        ("queues", |worker| Cell::from(worker.queues.join(", "))),
        ("running", |worker| Cell::from(format!("{} of {}", worker.running, worker.slots))),
        ("last heard", |worker| Cell::from(worker.seen_at.as_str())),
    ],
};
