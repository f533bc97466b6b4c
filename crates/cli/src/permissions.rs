//! `safeconduct permissions …`

use clap::{Args, Subcommand};
use client::{HeldPermissions, PermissionResult};

use crate::desk::Desk;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::screen::Form;
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum PermissionsCommand {
    /// Show what you may do.
    Me,
    /// Ask whether you hold permissions; exit code 1 if not.
    Check(Check),
    /// Show what permissions can be about.
    Catalogue,
    /// Show what a person, an agent or a group holds, and where each comes from.
    Of {
        /// Id of a person, an agent or a group.
        principal: String,
    },
}

#[derive(Args, Clone, Debug)]
pub struct Check {
    /// Such as `agents:create`.
    #[arg(required = true)]
    permissions: Vec<String>,
    /// One of them is enough.
    #[arg(long)]
    any: bool,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: PermissionsCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    match command {
        PermissionsCommand::Me => {
            let mine = client.permissions().me().await?;
            match desk.screen.form {
                Form::Table | Form::Quiet => desk.screen.lines(&mine.permissions),
                Form::Json | Form::Jsonl => desk.screen.json(&mine),
            }
        }
        PermissionsCommand::Check(check) => {
            let logic = if check.any { "any" } else { "all" };
            let answer = client.permissions().check(&check.permissions, logic).await?;
            match desk.screen.form {
                Form::Json | Form::Jsonl => desk.screen.json(&answer)?,
                Form::Quiet => {}
                Form::Table => desk.screen.table(&["permission", "held"], &held(&answer.results))?,
            }
            if answer.allowed { Ok(()) } else { Err(Failure::Quietly(Exit::Refused)) }
        }
        PermissionsCommand::Of { principal } => {
            let held = client.permissions().of(&principal).await?;
            match desk.screen.form {
                Form::Json | Form::Jsonl => desk.screen.json(&held),
                Form::Quiet => desk.screen.lines(&held.permissions),
                Form::Table => desk.screen.table(&["permission", "by", "through"], &sources(&held)),
            }
        }
        PermissionsCommand::Catalogue => {
            let catalogue = client.permissions().catalogue().await?;
            if desk.screen.form != Form::Table {
                return desk.screen.json(&catalogue);
            }
            let rows: Vec<Vec<Cell>> = catalogue
                .items
                .iter()
                .map(|one| vec![Cell::from(&one.resource), Cell::from(&one.meaning)])
                .collect();
            desk.screen.table(&["resource", "what it is"], &rows)
        }
    }
}

/// A line for each permission of each grant.
fn sources(held: &HeldPermissions) -> Vec<Vec<Cell>> {
    let lines = held.sources.iter().flat_map(|source| {
        source.permissions.iter().map(|permission| {
            let by = source.role.as_deref().unwrap_or("a grant of its own");
            let through = source.group.as_deref().unwrap_or_default();
            vec![Cell::from(permission), Cell::from(by), Cell::from(through)]
        })
    });
    lines.collect()
}

fn held(results: &[PermissionResult]) -> Vec<Vec<Cell>> {
    let answer = |held| if held { Cell::toned("yes", Tone::Good) } else { Cell::toned("no", Tone::Bad) };
    results.iter().map(|one| vec![Cell::from(&one.permission), answer(one.allowed)]).collect()
}
