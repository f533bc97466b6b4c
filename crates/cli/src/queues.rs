//! `safeconduct queues …`

use clap::{Args, Subcommand};
use client::Queue;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, show};
use crate::runs;
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum QueuesCommand {
    /// List queues with how many runs stand where.
    List,
    /// List the dead letters of a queue: runs that were given up, newest first.
    Dead(Dead),
}

#[derive(Args, Clone, Debug)]
pub struct Dead {
    /// Name of the queue.
    #[arg(default_value = "function")]
    queue: String,
    /// 1 to 200.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Where the last page ended.
    #[arg(long)]
    cursor: Option<String>,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: QueuesCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    match command {
        QueuesCommand::List => show(&mut desk.screen, &client.queues().list().await?, &COLUMNS),
        QueuesCommand::Dead(Dead { queue, limit, cursor }) => {
            let page = client.queues().dead(&queue, Some(limit), cursor.as_deref()).await?;
            show(&mut desk.screen, &page, &runs::COLUMNS)
        }
    }
}

static COLUMNS: Columns<Queue> = Columns {
    id: |queue| &queue.name,
    columns: &[
        ("queue", |queue| Cell::toned(queue.name.as_str(), Tone::Strong)),
        ("ready", |queue| Cell::from(queue.ready.to_string())),
        ("rated", |queue| Cell::from(queue.rated.to_string())),
        ("delayed", |queue| Cell::from(queue.delayed.to_string())),
        ("running", |queue| Cell::from(queue.running.to_string())),
        ("awaiting", |queue| Cell::from(queue.awaiting.to_string())),
        ("dead", |queue| match queue.dead {
            0 => Cell::from("0"),
            some => Cell::toned(some.to_string(), Tone::Bad),
        }),
        ("oldest ready", |queue| Cell::from(queue.oldest_ready_at.as_ref().map_or("", |time| time.as_str()))),
    ],
};
