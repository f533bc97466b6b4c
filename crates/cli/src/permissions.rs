//! `safeconduct permissions …`

use clap::{Args, Subcommand};
use client::{HeldPermissions, OpenedOperation, PermissionResult, ReachingAgent};

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
    /// Show which operations permissions would open to whoever held them.
    Opens {
        /// Such as `agents:write:own`.
        #[arg(required = true)]
        permissions: Vec<String>,
    },
    /// Show what permissions can be about.
    Catalogue,
    /// Show what a person, an agent or a group holds, and where each comes from.
    Of {
        /// Id of a person, an agent or a group.
        principal: String,
    },
    /// List the agents that reach a permission, and by what.
    Graph {
        /// Such as `functions:execute`, or with an object: `functions/ops/greet:execute`.
        permission: String,
    },
    /// Show what an agent was given and does not use, and the least that would be enough.
    Advice(Advice),
}

#[derive(Args, Clone, Debug)]
pub struct Advice {
    /// Id, or `namespace:name`.
    agent: String,
    /// How far back uses are looked at.
    #[arg(long, value_name = "N", default_value_t = 30)]
    days: u32,
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
        PermissionsCommand::Opens { permissions } => {
            let opened = client.permissions().opens(&permissions).await?;
            match desk.screen.form {
                Form::Json | Form::Jsonl => desk.screen.json(&opened),
                Form::Quiet => {
                    let ids: Vec<String> = opened.items.into_iter().map(|one| one.operation.id).collect();
                    desk.screen.lines(&ids)
                }
                Form::Table => {
                    let rows: Vec<Vec<Cell>> = opened.items.iter().map(opening).collect();
                    desk.screen.table(&["operation", "permission", "reach"], &rows)
                }
            }
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
        PermissionsCommand::Graph { permission } => {
            let graph = client.access().graph(&permission).await?;
            if desk.screen.form != Form::Table {
                return desk.screen.json(&graph);
            }
            let rows: Vec<Vec<Cell>> = graph.items.iter().map(reaching).collect();
            desk.screen.table(&["agent", "reach", "by", "roles", "stands"], &rows)
        }
        PermissionsCommand::Advice(wanted) => {
            let advice = client.access().advice(&wanted.agent, Some(wanted.days)).await?;
            if desk.screen.form != Form::Table {
                return desk.screen.json(&advice);
            }
            let list = |items: &[String]| Cell::from(items.join("  "));
            let rows = [
                ("agent", Cell::from(&advice.agent)),
                ("since", Cell::from(advice.since.as_str())),
                ("granted", list(&advice.granted)),
                ("unused", Cell::toned(advice.unused.join("  "), Tone::Warn)),
                ("enough", Cell::toned(advice.suggested.join("  "), Tone::Good)),
            ];
            desk.screen.record(&advice, &advice.agent, &rows)
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

fn opening(opened: &OpenedOperation) -> Vec<Cell> {
    let reach = opened.reach.as_deref().unwrap_or("only what is named");
    vec![Cell::from(&opened.operation.id), Cell::from(&opened.operation.permission), Cell::from(reach)]
}

fn held(results: &[PermissionResult]) -> Vec<Vec<Cell>> {
    let answer = |held| if held { Cell::toned("yes", Tone::Good) } else { Cell::toned("no", Tone::Bad) };
    results.iter().map(|one| vec![Cell::from(&one.permission), answer(one.allowed)]).collect()
}

fn reaching(agent: &ReachingAgent) -> Vec<Cell> {
    let stands = if agent.active { Cell::toned("yes", Tone::Good) } else { Cell::toned("no", Tone::Warn) };
    vec![
        Cell::from(&agent.path),
        Cell::from(&agent.reach),
        Cell::from(agent.grants.join("  ")),
        Cell::from(agent.roles.join(", ")),
        stands,
    ]
}
