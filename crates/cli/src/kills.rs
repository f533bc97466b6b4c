//! `safeconduct kills …`

use clap::Subcommand;
use client::Kill;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::screen::Form;
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum KillsCommand {
    /// Show the receipt of a kill.
    Show {
        /// Id of the kill.
        kill: String,
    },
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: KillsCommand) -> Result<(), Failure> {
    let KillsCommand::Show { kill } = command;
    let kill = desk.client()?.kills().get(&kill).await?;
    shown(desk, &kill)
}

/// The receipt: what died, where, in how many milliseconds.
pub(crate) fn shown(desk: &mut Desk<'_>, kill: &Kill) -> Result<(), Failure> {
    desk.screen.record(kill, &kill.id, &rows(kill))?;
    if desk.screen.form == Form::Table && !kill.nodes.is_empty() {
        desk.screen.line("")?;
        let nodes: Vec<Vec<Cell>> = kill
            .nodes
            .iter()
            .map(|node| {
                vec![
                    Cell::from(&node.id),
                    Cell::toned(&node.state, Tone::of_status(&node.state)),
                    Cell::from(node.applied_ms.map_or_else(String::new, |ms| format!("{ms} ms"))),
                ]
            })
            .collect();
        desk.screen.table(&["node", "state", "after"], &nodes)?;
    }
    Ok(())
}

pub(crate) fn rows(kill: &Kill) -> Vec<(&'static str, Cell)> {
    let number = |number: u64| Cell::from(number.to_string());
    vec![
        ("kill", Cell::from(&kill.id)),
        ("agent", Cell::from(&kill.agent)),
        ("reason", Cell::from(kill.reason.as_deref().unwrap_or_default())),
        ("requested", Cell::from(kill.requested_at.as_str())),
        (
            "confirmed",
            match &kill.confirmed_at {
                Some(time) => Cell::from(time.as_str()),
                None => Cell::toned("not by every node yet", Tone::Warn),
            },
        ),
        ("dead tokens", number(kill.tokens.count)),
        ("stopped runs", number(kill.runs)),
        ("ended sessions", number(kill.sessions)),
        ("revision", Cell::from(kill.revision.map_or_else(String::new, |revision| revision.to_string()))),
    ]
}
