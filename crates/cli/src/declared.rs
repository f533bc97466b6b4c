//! `safeconduct config …`: an organization's configuration as files.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use clap::{Args, Subcommand};
use client::{
    ConfigChange, ConfigDriftItem, ConfigExportQuery, ConfigFieldChange, ConfigFinding, ConfigManner,
    ConfigPlan, ConfigText,
};
use serde_json::Value;

use crate::desk::Desk;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::screen::Form;
use crate::table::{Tone, plain};

#[derive(Subcommand, Clone, Debug)]
pub enum ConfigCommand {
    /// Say what is wrong with a file, with lines; exit code 1 if anything is.
    Validate(Source),
    /// Show what applying a file would change; exit code 2 if anything would.
    Plan(Planned),
    /// Bring about what a file says: all of it in one transaction, or nothing.
    Apply(Planned),
    /// Write what is there as a file that changes nothing when it is applied.
    Export(Export),
    /// Show what was changed by hand since it came from a file; exit code 2 if anything was.
    Drift(Drift),
}

#[derive(Args, Clone, Debug)]
pub struct Source {
    /// YAML file; `-` for standard input. `${NAME}` in its texts is taken from the environment, `${file:path}` from files
    /// beside it.
    file: PathBuf,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct config plan safeconduct.yaml
  safeconduct config apply safeconduct.yaml --prune --yes")]
pub struct Planned {
    #[command(flatten)]
    source: Source,
    /// Remove what the file made and does not name any more.
    #[arg(long)]
    prune: bool,
    /// Take over what comes from other files.
    #[arg(long)]
    force: bool,
}

#[derive(Args, Clone, Debug)]
pub struct Export {
    /// Only what comes from the file of this name.
    #[arg(long, value_name = "NAME")]
    manager: Option<String>,
    /// Only what comes from files.
    #[arg(long)]
    managed: bool,
}

#[derive(Args, Clone, Debug)]
pub struct Drift {
    /// Only what comes from the file of this name.
    #[arg(long, value_name = "NAME")]
    manager: Option<String>,
}

impl Planned {
    fn manner(&self) -> ConfigManner {
        ConfigManner { prune: self.prune, force: self.force }
    }
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Validate(source) => validate(desk, &source).await,
        ConfigCommand::Plan(planned) => plan(desk, &planned).await,
        ConfigCommand::Apply(planned) => apply(desk, &planned).await,
        ConfigCommand::Export(wanted) => export(desk, &wanted).await,
        ConfigCommand::Drift(wanted) => drift(desk, &wanted).await,
    }
}

async fn validate(desk: &mut Desk<'_>, source: &Source) -> Result<(), Failure> {
    let text = read(desk, source)?;
    let validation = desk.client()?.config().validate(&text).await?;
    match desk.screen.form {
        Form::Json | Form::Jsonl => desk.screen.json(&validation)?,
        Form::Quiet => {}
        Form::Table => {
            findings(desk, &validation.warnings)?;
            findings(desk, &validation.errors)?;
            if validation.valid {
                desk.screen.line("nothing to mend")?;
            }
        }
    }
    if validation.valid { Ok(()) } else { Err(Failure::Quietly(Exit::Refused)) }
}

async fn plan(desk: &mut Desk<'_>, planned: &Planned) -> Result<(), Failure> {
    let text = read(desk, &planned.source)?;
    let plan = desk.client()?.config().plan(&text, planned.manner()).await?;
    shown(desk, &plan, "to change")?;
    match plan.changes.is_empty() && plan.conflicts.is_empty() {
        true => Ok(()),
        false => Err(Failure::Quietly(Exit::Usage)),
    }
}

/// Shows the plan and asks before it is carried out.
async fn apply(desk: &mut Desk<'_>, planned: &Planned) -> Result<(), Failure> {
    let text = read(desk, &planned.source)?;
    let client = desk.client()?;
    if !desk.globals.yes {
        let plan = client.config().plan(&text, planned.manner()).await?;
        if desk.screen.form == Form::Table {
            shown(desk, &plan, "to change")?;
        }
        if !plan.changes.is_empty() {
            desk.screen.confirm("Apply these changes?")?;
        }
    }
    let done = client.config().apply(&text, planned.manner()).await?;
    match desk.screen.form {
        Form::Table if !desk.globals.yes => desk.screen.line("applied"),
        _ => shown(desk, &done, "changed"),
    }
}

async fn export(desk: &mut Desk<'_>, wanted: &Export) -> Result<(), Failure> {
    let query =
        ConfigExportQuery { manager: wanted.manager.clone(), managed: wanted.managed.then_some(true) };
    let export = desk.client()?.config().export(&query).await?;
    for finding in &export.unseen {
        desk.screen.warn(&told(finding))?;
    }
    match desk.screen.form {
        Form::Json | Form::Jsonl => desk.screen.json(&export),
        Form::Table | Form::Quiet => desk.screen.raw(export.document.as_bytes()),
    }
}

async fn drift(desk: &mut Desk<'_>, wanted: &Drift) -> Result<(), Failure> {
    let drift = desk.client()?.config().drift(wanted.manager.as_deref()).await?;
    match desk.screen.form {
        Form::Json | Form::Jsonl => desk.screen.json(&drift)?,
        Form::Quiet => drift.items.iter().try_for_each(|item| desk.screen.line(&item.id))?,
        Form::Table => {
            drift.items.iter().try_for_each(|item| drifted(desk, item))?;
            findings(desk, &drift.unseen)?;
            let (count, in_step) = (drift.items.len(), drift.in_step);
            desk.screen.note(&format!("{count} changed by hand, {in_step} as their files say"))?;
        }
    }
    if drift.items.is_empty() { Ok(()) } else { Err(Failure::Quietly(Exit::Usage)) }
}

fn shown(desk: &mut Desk<'_>, plan: &ConfigPlan, done: &str) -> Result<(), Failure> {
    match desk.screen.form {
        Form::Json | Form::Jsonl => return desk.screen.json(plan),
        Form::Quiet => {
            let name = |change: &ConfigChange| plain(&format!("{}/{}", change.section, change.key));
            return plan.changes.iter().try_for_each(|change| desk.screen.line(&name(change)));
        }
        Form::Table => {}
    }
    plan.changes.iter().try_for_each(|change| changed(desk, change, None))?;
    for change in &plan.conflicts {
        changed(desk, change, change.managed_by.as_deref())?;
    }
    for one in &plan.adopted {
        desk.screen
            .line(&plain(&format!("= {}/{} belongs to this file from now on", one.section, one.key)))?;
    }
    findings(desk, &plan.warnings)?;
    let (count, held) = (plan.changes.len(), plan.conflicts.len());
    let held = if held == 0 { String::new() } else { format!(", {held} held by other files") };
    desk.screen.note(&format!("{count} {done}{held}, {} unchanged", plan.unchanged))
}

/// `~ roles/reader`, and its fields below it. What widens or narrows rights stands out.
fn changed(desk: &mut Desk<'_>, change: &ConfigChange, held_by: Option<&str>) -> Result<(), Failure> {
    let (mark, tone) = match change.action.as_str() {
        "create" => ("+", Tone::Good),
        "delete" => ("-", Tone::Bad),
        _ => ("~", Tone::Warn),
    };
    let mut head = format!("{mark} {}/{}", plain(&change.section), plain(&change.key));
    if let Some(line) = change.line {
        head.push_str(&format!("  (line {line})"));
    }
    if let Some(manager) = held_by {
        head.push_str(&format!("  held by {}", plain(manager)));
    }
    let head = desk.screen.painted(&head, tone);
    desk.screen.line(&head)?;
    change.fields.iter().try_for_each(|field| of_field(desk, field, &change.action))
}

fn of_field(desk: &mut Desk<'_>, field: &ConfigFieldChange, action: &str) -> Result<(), Failure> {
    let name = plain(field.field.trim_start_matches('/'));
    if !field.gained.is_empty() || !field.lost.is_empty() {
        let rights = |mark: &str, tone, of: &[String]| -> Vec<(String, Tone)> {
            of.iter().map(|right| (format!("    ! {name} {mark} {}", plain(right)), tone)).collect()
        };
        let gained = rights("+", Tone::Bad, &field.gained);
        return gained.into_iter().chain(rights("-", Tone::Warn, &field.lost)).try_for_each(
            |(text, tone)| {
                let text = desk.screen.painted(&text, tone);
                desk.screen.line(&text)
            },
        );
    }
    let text = match action {
        "create" => format!("    {name}: {}", short(&field.after)),
        "delete" => return Ok(()),
        _ => format!("    {name}: {} -> {}", short(&field.before), short(&field.after)),
    };
    desk.screen.line(&text)
}

fn drifted(desk: &mut Desk<'_>, item: &ConfigDriftItem) -> Result<(), Failure> {
    let tone = if item.drift == "gone" { Tone::Bad } else { Tone::Warn };
    let head = plain(&format!("{} {}/{}  ({})", item.drift, item.section, item.key, item.manager));
    let head = desk.screen.painted(&head, tone);
    desk.screen.line(&head)?;
    item.fields.iter().try_for_each(|field| of_field(desk, field, "update"))
}

fn findings(desk: &mut Desk<'_>, findings: &[ConfigFinding]) -> Result<(), Failure> {
    findings.iter().try_for_each(|finding| desk.screen.line(&plain(&told(finding))))
}

fn told(finding: &ConfigFinding) -> String {
    let ConfigFinding { path, line, message, .. } = finding;
    match (line, path.is_empty()) {
        (Some(line), true) => format!("line {line}: {message}"),
        (Some(line), false) => format!("line {line}, {path}: {message}"),
        (None, _) => format!("{path}: {message}"),
    }
}

/// A value on one line.
fn short(value: &Value) -> String {
    const MOST: usize = 60;
    let text = match value {
        Value::Null => return "none".to_owned(),
        Value::String(text) if text.is_empty() => return "(empty)".to_owned(),
        Value::String(text) if text.contains('\n') => return format!("({} lines)", text.lines().count()),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let shown: String = text.chars().take(MOST).collect();
    let shown = plain(&shown);
    if text.chars().nth(MOST).is_some() { format!("{shown}…") } else { shown }
}

/// The document with everything that it names: the server reads neither our environment nor our files.
fn read(desk: &mut Desk<'_>, source: &Source) -> Result<ConfigText, Failure> {
    let document = files::read_text(&mut desk.screen, &source.file)?;
    let beside = source.file.parent().map(Path::to_path_buf).unwrap_or_default();
    let (mut variables, mut contents) = (BTreeMap::new(), BTreeMap::new());
    for name in names(&document) {
        if let Some(path) = name.strip_prefix("file:") {
            let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
            if !inside {
                return Err(Failure::usage(format!(
                    "${{file:{path}}} must name a file below the folder of the document."
                )));
            }
            contents.insert(path.to_owned(), files::read_text(&mut desk.screen, &beside.join(path))?);
        } else if let Some(value) = desk.environment.get(name) {
            variables.insert(name.to_owned(), value.to_owned());
        }
    }
    Ok(ConfigText { document, variables, files: contents })
}

/// What stands in `${…}`; `$${` is no name.
fn names(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices("${") {
        if text[..at].ends_with('$') {
            continue;
        }
        let inside = &text[at + 2..];
        let Some(end) = inside.find('}') else { continue };
        let name = &inside[..end];
        let is_variable =
            name.bytes().all(|one| one.is_ascii_uppercase() || one.is_ascii_digit() || one == b'_');
        if !name.is_empty() && (is_variable || name.starts_with("file:")) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_found_where_they_are_meant() {
        let text = "a: ${TOKEN} $${NOT} ${file:code/a.py} ${lower} ${} ${OPEN";
        assert_eq!(names(text), ["TOKEN", "file:code/a.py"]);
    }

    #[test]
    fn values_stand_on_one_line() {
        assert_eq!(short(&json!("a\nb\n")), "(2 lines)");
        assert_eq!(short(&json!(null)), "none");
        assert_eq!(short(&json!({ "a": [1] })), r#"{"a":[1]}"#);
        assert_eq!(short(&json!("x".repeat(100))).chars().count(), 61);
    }
}
