//! `safeconduct policies …`

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use client::{
    ChangedDecision, Client, FiredRule, Policy, PolicyBundle, PolicyFilter, PolicyModule, SimulatedResource,
    Simulation, WhatIf,
};

use crate::desk::Desk;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::listing::{Columns, Listing, show, show_all};
use crate::screen::Form;
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum PoliciesCommand {
    /// Write a version from `*.rego` files; it is not in force yet.
    Push(Push),
    /// Say what is wrong with `*.rego` files, without keeping them; exit code 1 if anything is.
    Validate(Source),
    /// List versions, newest first.
    List(Listing),
    /// Show a version; with --code its modules.
    Show(Show),
    /// Put a version in force.
    Activate(Named),
    /// Take the version out of force.
    Deactivate(Named),
    /// Ask whether something would be allowed, and which rules say so; exit code 1 if not.
    Simulate(Simulate),
    /// Put recorded decisions to a draft and list every answer that would change.
    WhatIf(Rehearse),
}

#[derive(Args, Clone, Debug)]
pub struct Named {
    /// Id of the version.
    policy: String,
}

#[derive(Args, Clone, Debug)]
pub struct Show {
    /// Id of the version.
    policy: String,
    /// Print the modules and nothing else.
    #[arg(long)]
    code: bool,
}

#[derive(Args, Clone, Debug)]
pub struct Source {
    /// `*.rego` files, or a directory of them; its `data.json` is what the rules read as `data`.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// File with what the rules read as `data`.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct policies push policies/
  safeconduct policies push agents.rego --activate --description 'kills need on-call'")]
pub struct Push {
    #[command(flatten)]
    source: Source,
    #[arg(long)]
    description: Option<String>,
    /// Put it in force at once.
    #[arg(long)]
    activate: bool,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct policies simulate agents:delete --resource prod/billing
  safeconduct policies simulate functions:execute --as agt_01h… --resource ops/greet --files draft.rego")]
pub struct Simulate {
    /// Such as `agents:delete`.
    permission: String,
    /// Who would do it; you if left out.
    #[arg(long = "as", value_name = "ID")]
    principal: Option<String>,
    /// The operation, if rules look at it: `agents.kill`.
    #[arg(long)]
    operation: Option<String>,
    /// `namespace/name`, or the id.
    #[arg(long)]
    resource: Option<String>,
    /// What else is known of the object; may be repeated.
    #[arg(long = "attribute", value_name = "KEY=VALUE")]
    attributes: Vec<String>,
    /// Ask this version instead of what is in force.
    #[arg(long)]
    policy: Option<String>,
    /// Ask these files instead of what is in force.
    #[arg(long, value_name = "FILE", conflicts_with = "policy")]
    files: Vec<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub struct Rehearse {
    /// Id of a version.
    #[arg(long)]
    policy: Option<String>,
    /// Files of a draft.
    #[arg(value_name = "FILE", conflicts_with = "policy")]
    files: Vec<PathBuf>,
    /// How far back.
    #[arg(long, value_name = "N", default_value_t = 7)]
    days: u32,
}

const COLUMNS: Columns<Policy> = Columns {
    id: |policy| &policy.id,
    columns: &[
        ("id", |policy| Cell::from(&policy.id)),
        ("version", |policy| Cell::from(policy.number.to_string())),
        ("in force", |policy| in_force(policy)),
        ("rules", |policy| Cell::from(policy.rules.to_string())),
        ("description", |policy| Cell::from(&policy.description)),
        ("created", |policy| Cell::from(policy.created_at.as_str())),
    ],
};

fn in_force(policy: &Policy) -> Cell {
    if policy.active { Cell::toned("yes", Tone::Good) } else { Cell::from("") }
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: PoliciesCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let policies = client.policies();
    match command {
        PoliciesCommand::Push(push) => push_one(desk, &client, &push).await,
        PoliciesCommand::Validate(source) => validate(desk, &client, &source).await,
        PoliciesCommand::List(listing) => {
            let filter = PolicyFilter { limit: Some(listing.limit), cursor: listing.cursor.clone() };
            if listing.all {
                return show_all(&mut desk.screen, policies.all(&filter), &COLUMNS).await;
            }
            show(&mut desk.screen, &policies.list(&filter).await?, &COLUMNS)
        }
        PoliciesCommand::Show(wanted) => {
            let found = policies.get(&wanted.policy).await?;
            if wanted.code {
                let texts =
                    found.bundle.modules.iter().map(|module| format!("# {}\n{}", module.path, module.text));
                return desk.screen.raw(texts.collect::<Vec<_>>().join("\n").as_bytes());
            }
            match desk.screen.form {
                Form::Json | Form::Jsonl => desk.screen.json(&found),
                Form::Table | Form::Quiet => shown(desk, &found.policy),
            }
        }
        PoliciesCommand::Activate(Named { policy }) => {
            desk.screen.confirm("Put this version in force for everybody in the organization?")?;
            shown(desk, &policies.activate(&policy).await?)
        }
        PoliciesCommand::Deactivate(Named { policy }) => {
            desk.screen.confirm("Take the organization's policy out of force?")?;
            shown(desk, &policies.deactivate(&policy).await?)
        }
        PoliciesCommand::Simulate(question) => simulate(desk, &client, &question).await,
        PoliciesCommand::WhatIf(question) => what_if(desk, &client, &question).await,
    }
}

async fn push_one(desk: &mut Desk<'_>, client: &Client, push: &Push) -> Result<(), Failure> {
    let bundle = bundle(desk, &push.source)?;
    let mut policy = client.policies().create(&bundle, push.description.as_deref()).await?;
    if push.activate {
        policy = client.policies().activate(&policy.id).await?;
    }
    shown(desk, &policy)
}

async fn validate(desk: &mut Desk<'_>, client: &Client, source: &Source) -> Result<(), Failure> {
    let bundle = bundle(desk, source)?;
    let validity = client.policies().validate(&bundle).await?;
    match desk.screen.form {
        Form::Json | Form::Jsonl => desk.screen.json(&validity)?,
        Form::Quiet => {}
        Form::Table if validity.valid => {
            desk.screen.line(&format!("{} rules, nothing to mend", validity.rules))?;
        }
        Form::Table => {
            let row = |error: &client::FieldError| vec![Cell::from(&error.field), Cell::from(&error.reason)];
            let rows: Vec<Vec<Cell>> = validity.errors.iter().map(row).collect();
            desk.screen.table(&["where", "what to mend"], &rows)?;
        }
    }
    if validity.valid { Ok(()) } else { Err(Failure::Quietly(Exit::Refused)) }
}

async fn simulate(desk: &mut Desk<'_>, client: &Client, asked: &Simulate) -> Result<(), Failure> {
    let attributes = match asked.attributes.is_empty() {
        true => None,
        false => Some(files::pairs(&asked.attributes)?.into()),
    };
    let question = Simulation {
        principal: asked.principal.clone(),
        permission: asked.permission.clone(),
        operation: asked.operation.clone(),
        resource: Some(SimulatedResource { selector: asked.resource.clone(), attributes }),
        policy: asked.policy.clone(),
        bundle: draft(desk, &asked.files)?,
        ..Simulation::default()
    };
    let answer = client.policies().simulate(&question).await?;
    let word = |yes| if yes { Cell::toned("yes", Tone::Good) } else { Cell::toned("no", Tone::Bad) };
    let rows = [
        ("allowed", word(answer.allowed)),
        ("permitted", word(answer.permitted)),
        ("policy", Cell::from(&answer.outcome)),
        ("reasons", Cell::from(answer.reasons.join("; "))),
        ("approvers", Cell::from(answer.approvers.join(", "))),
        ("failure", Cell::from(answer.failure.as_deref().unwrap_or_default())),
    ];
    desk.screen.record(&answer, &answer.outcome, &rows)?;
    if desk.screen.form == Form::Table && !answer.rules.is_empty() {
        desk.screen.line("")?;
        let rows: Vec<Vec<Cell>> = answer.rules.iter().map(fired).collect();
        desk.screen.table(&["rule", "where", "says"], &rows)?;
    }
    if answer.allowed { Ok(()) } else { Err(Failure::Quietly(Exit::Refused)) }
}

fn fired(rule: &FiredRule) -> Vec<Cell> {
    vec![
        Cell::from(format!("{}.{}", rule.package, rule.rule)),
        Cell::from(format!("{}:{}", rule.path, rule.line)),
        Cell::from(rule.says.join("; ")),
    ]
}

async fn what_if(desk: &mut Desk<'_>, client: &Client, asked: &Rehearse) -> Result<(), Failure> {
    let bundle = draft(desk, &asked.files)?;
    let question = WhatIf { days: Some(asked.days), policy: asked.policy.clone(), bundle, limit: None };
    let answer = client.policies().what_if(&question).await?;
    if desk.screen.form != Form::Table {
        return desk.screen.json(&answer);
    }
    let rows: Vec<Vec<Cell>> = answer.items.iter().map(changed).collect();
    desk.screen.table(&["at", "principal", "operation", "object", "before", "after", "why"], &rows)?;
    desk.screen.note(&format!("{} of {} decisions would change", answer.changed, answer.examined))
}

fn changed(one: &ChangedDecision) -> Vec<Cell> {
    vec![
        Cell::from(one.at.as_str()),
        Cell::from(&one.principal),
        Cell::from(&one.operation),
        Cell::from(one.object.as_deref().unwrap_or_default()),
        Cell::from(&one.before),
        Cell::from(&one.after),
        Cell::from(one.reasons_after.join("; ")),
    ]
}

fn shown(desk: &mut Desk<'_>, policy: &Policy) -> Result<(), Failure> {
    let rows = [
        ("id", Cell::from(&policy.id)),
        ("version", Cell::from(policy.number.to_string())),
        ("in force", in_force(policy)),
        ("description", Cell::from(&policy.description)),
        ("modules", Cell::from(policy.modules.to_string())),
        ("rules", Cell::from(policy.rules.to_string())),
        ("sha256", Cell::from(&policy.sha256)),
        ("author", Cell::from(&policy.author)),
        ("created", Cell::from(policy.created_at.as_str())),
    ];
    desk.screen.record(policy, &policy.id, &rows)
}

fn draft(desk: &mut Desk<'_>, files: &[PathBuf]) -> Result<Option<PolicyBundle>, Failure> {
    if files.is_empty() {
        return Ok(None);
    }
    bundle(desk, &Source { files: files.to_vec(), data: None }).map(Some)
}

/// Tests (`*_test.rego`) stay here.
fn bundle(desk: &mut Desk<'_>, source: &Source) -> Result<PolicyBundle, Failure> {
    let mut bundle = PolicyBundle::default();
    let mut data = source.data.clone();
    for given in &source.files {
        let mut paths = vec![given.clone()];
        if given.is_dir() {
            paths = in_directory(given)?;
            let beside = given.join("data.json");
            data = data.or_else(|| beside.is_file().then_some(beside));
        }
        for path in paths {
            let text = files::read_text(&mut desk.screen, &path)?;
            let name = path.file_name().map_or_else(|| "policy.rego".into(), |name| name.to_string_lossy());
            bundle.modules.push(PolicyModule { path: name.into_owned(), text });
        }
    }
    if let Some(path) = data {
        bundle.data = Some(files::read_json(&mut desk.screen, &format!("@{}", path.display()))?);
    }
    Ok(bundle)
}

fn in_directory(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(directory).map_err(|error| Failure::file(directory, error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| Failure::file(directory, error))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(".rego") && !name.ends_with("_test.rego") {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        return Err(Failure::usage(format!("{} holds no *.rego files.", directory.display())));
    }
    Ok(paths)
}
