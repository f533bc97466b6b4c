//! `safeconduct runs …`

use clap::{Args, Subcommand};
use client::{Client, LogLine, Progress, Question, Run, RunFilter, RunMove, RunStatus};
use futures::StreamExt;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::files;
use crate::listing::{Columns, Listing, show, show_all};
use crate::screen::Form;
use crate::span;
use crate::table::{Cell, Tone, plain, plain_lines};

#[derive(Subcommand, Clone, Debug)]
pub enum RunsCommand {
    /// List runs, newest first.
    List(List),
    /// Show a run.
    Show(Show),
    /// Print the log of a run.
    Logs(Logs),
    /// Follow a run: its states and how far it is, until it ends.
    Watch {
        /// Id of the run.
        run: String,
    },
    /// Answer what a run asks, so that it goes on.
    Answer(Answer),
    /// End a run with everything that it has started.
    Cancel {
        /// Id of the run.
        run: String,
    },
    /// Put a run that failed, timed out or is dead back into the queue.
    Retry {
        /// Id of the run.
        run: String,
    },
    /// Run the same version with the same input once more, as a new run of your own.
    Replay {
        /// Id of the run.
        run: String,
    },
    /// Put a dead run aside, so that it is no dead letter any more.
    Flush {
        /// Id of the run.
        run: String,
    },
}

#[derive(Args, Clone, Debug)]
pub struct List {
    /// queued, leased, running, awaiting_input, succeeded, failed, cancelled, timed_out or dead.
    #[arg(long)]
    status: Option<String>,
    /// api, webhook, schedule, agent, mcp, toolkit or manual.
    #[arg(long)]
    trigger: Option<String>,
    /// Function, by id or as `namespace:name`.
    #[arg(long)]
    function: Option<String>,
    /// Agent that asked for it, by id.
    #[arg(long)]
    agent: Option<String>,
    /// Run that asked for it, by id.
    #[arg(long, value_name = "RUN")]
    parent: Option<String>,
    /// User or agent that asked for it, by id.
    #[arg(long)]
    principal: Option<String>,
    /// Time, or how long ago: 2026-11-01T09:30:00Z, 15m, 2h, 7d.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// As --from; not included.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Args, Clone, Debug)]
pub struct Show {
    /// Id of the run.
    run: String,
    /// Print the output and nothing else, however large.
    #[arg(long)]
    output: bool,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct runs list --status awaiting_input
  safeconduct runs answer \"$RUN\" --input true")]
pub struct Answer {
    /// Id of the run.
    run: String,
    /// JSON, or @FILE, or `-` for standard input.
    #[arg(long, value_name = "JSON")]
    input: String,
    /// Number of the question that is meant; the one that is open if left out.
    #[arg(long, value_name = "NUMBER")]
    question: Option<i64>,
}

#[derive(Args, Clone, Debug)]
pub struct Logs {
    /// Id of the run.
    run: String,
    /// Go on until the run ends.
    #[arg(long, short)]
    follow: bool,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: RunsCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    match command {
        RunsCommand::List(list) => list_some(desk, &client, &list).await,
        RunsCommand::Show(Show { run, output: true }) => print_output(desk, &client, &run).await,
        RunsCommand::Show(Show { run, output: false }) => shown(desk, &client.runs().get(&run).await?),
        RunsCommand::Logs(logs) => print_logs(desk, &client, &logs.run, logs.follow).await,
        RunsCommand::Watch { run } => watch(desk, &client, &run).await,
        RunsCommand::Answer(answer) => answer_one(desk, &client, &answer).await,
        RunsCommand::Cancel { run } => {
            desk.screen.confirm(&format!("Cancel {run}?"))?;
            shown(desk, &client.runs().cancel(&run).await?)
        }
        RunsCommand::Retry { run } => shown(desk, &client.runs().retry(&run).await?),
        RunsCommand::Replay { run } => shown(desk, &client.runs().replay(&run).await?),
        RunsCommand::Flush { run } => shown(desk, &client.runs().flush(&run).await?),
    }
}

/// The question is read first: an answer to one is none to the next.
async fn answer_one(desk: &mut Desk<'_>, client: &Client, answer: &Answer) -> Result<(), Failure> {
    let input = files::read_json(&mut desk.screen, &answer.input)?;
    let question = match answer.question {
        Some(number) => Some(number),
        None => client.runs().get(&answer.run).await?.question.map(|question| question.number),
    };
    shown(desk, &client.runs().answer(&answer.run, question, &input).await?)
}

async fn list_some(desk: &mut Desk<'_>, client: &Client, list: &List) -> Result<(), Failure> {
    let time = |text: &Option<String>| text.as_deref().map(|text| span::time(text, &desk.world)).transpose();
    // Runs are listed by the function's id.
    let function = match &list.function {
        Some(name) if name.contains(':') => Some(client.functions().get(name).await?.summary.id),
        other => other.clone(),
    };
    let filter = RunFilter {
        status: list.status.clone(),
        trigger: list.trigger.clone(),
        function,
        agent: list.agent.clone(),
        parent: list.parent.clone(),
        principal: list.principal.clone(),
        from: time(&list.from)?,
        to: time(&list.to)?,
        limit: Some(if list.listing.all { 200 } else { list.listing.limit }),
        cursor: list.listing.cursor.clone(),
    };
    match list.listing.all {
        true => show_all(&mut desk.screen, client.runs().all(&filter), &COLUMNS).await,
        false => show(&mut desk.screen, &client.runs().list(&filter).await?, &COLUMNS),
    }
}

/// What a finished run gave: its output as data, or why there is none.
pub(crate) async fn result(desk: &mut Desk<'_>, client: &Client, run: &Run) -> Result<(), Failure> {
    let took = run.usage.as_ref().map_or_else(String::new, |usage| format!(" in {} ms", usage.wall_ms));
    match desk.screen.form {
        Form::Json | Form::Jsonl => desk.screen.json(run)?,
        Form::Quiet => desk.screen.line(&run.id)?,
        Form::Table => {
            match &run.output {
                Some(output) => desk.screen.json(output)?,
                None if run.output_size.is_some() => print_output(desk, client, &run.id).await?,
                None => {}
            }
            desk.screen.note(&format!("{} {}{took}", run.id, run.status))?;
        }
    }
    if run.status == RunStatus::Succeeded { Ok(()) } else { Err(failed(run)) }
}

async fn print_output(desk: &mut Desk<'_>, client: &Client, run: &str) -> Result<(), Failure> {
    let mut output = client.runs().output(run).await?;
    while let Some(bytes) = output.next().await? {
        desk.screen.raw(&bytes)?;
    }
    desk.screen.raw(b"\n")
}

pub(crate) fn failed(run: &Run) -> Failure {
    let Some(error) = &run.error else {
        return Failure::RunFailed { title: format!("The run {} {}", run.id, run.status), lines: Vec::new() };
    };
    let what = match (&error.exception, &error.message) {
        (Some(exception), Some(message)) => format!("{exception}: {message}"),
        (None, Some(message)) => message.clone(),
        (_, None) => error.kind.clone(),
    };
    let title = format!("The run {} {}: {what} ({})", run.id, run.status, error.kind);
    let mut lines: Vec<String> =
        error.violations.iter().map(|one| format!("{}: {}", one.field, one.reason)).collect();
    lines.extend(error.traceback.as_deref().unwrap_or_default().lines().map(str::to_owned));
    Failure::RunFailed { title, lines }
}

pub(crate) async fn print_logs(
    desk: &mut Desk<'_>,
    client: &Client,
    run: &str,
    follow: bool,
) -> Result<(), Failure> {
    let runs = client.runs();
    let mut silent = true;
    if follow {
        let mut lines = runs.follow_logs(run);
        while let Some(line) = lines.next().await? {
            silent = false;
            print_line(desk, &line)?;
        }
    } else {
        let mut lines = std::pin::pin!(runs.all_logs(run));
        while let Some(line) = lines.next().await {
            silent = false;
            print_line(desk, &line?)?;
        }
    }
    match (silent, desk.screen.form) {
        (true, Form::Table) => desk.screen.note("it has said nothing"),
        _ => Ok(()),
    }
}

/// A line for each move; then as [`result`] ends.
async fn watch(desk: &mut Desk<'_>, client: &Client, run: &str) -> Result<(), Failure> {
    let mut moves = client.runs().watch(run);
    let mut last = None;
    while let Some(step) = moves.next().await? {
        match (&step, desk.screen.form) {
            (_, Form::Json | Form::Jsonl) => desk.screen.item(&step, "", &[])?,
            (_, Form::Quiet) => {}
            (RunMove::State(run), Form::Table) => {
                let since = run.ended_at.as_ref().or(run.started_at.as_ref()).unwrap_or(&run.queued_at);
                desk.screen.line(&format!("{since}  {}", run.status))?;
                if let Some(asked) = &run.question {
                    say_question(desk, &run.id, asked)?;
                }
            }
            (RunMove::Progress(progress), Form::Table) => {
                desk.screen.line(&format!("{}  {}", progress.at, far(progress)))?;
            }
        }
        if let RunMove::State(run) = step {
            last = Some(run);
        }
    }
    match (last, desk.screen.form) {
        (Some(run), Form::Json | Form::Jsonl) if run.status == RunStatus::Succeeded => Ok(()),
        (Some(run), Form::Json | Form::Jsonl) => Err(failed(&run)),
        (Some(run), _) => result(desk, client, &run).await,
        (None, _) => Ok(()),
    }
}

/// What a run asks, and how it is answered.
pub(crate) fn say_question(desk: &mut Desk<'_>, run: &str, asked: &Question) -> Result<(), Failure> {
    let prompt = plain_lines(&asked.prompt);
    desk.screen.note(&format!("{run} asks: {prompt}"))?;
    if let Some(schema) = &asked.schema {
        desk.screen.note(&format!("the answer must match {}", plain_lines(&schema.to_string())))?;
    }
    desk.screen.note(&format!("safeconduct runs answer {run} --input JSON"))
}

/// `40 %  four of ten`: a function's words are not ours, and a terminal must not obey them.
fn far(progress: &Progress) -> String {
    let fraction = progress.fraction.map(|fraction| format!("{:3.0} %", fraction * 100.0));
    let message = progress.message.as_deref().map(plain);
    [fraction, message].into_iter().flatten().collect::<Vec<_>>().join("  ")
}

fn print_line(desk: &mut Desk<'_>, line: &LogLine) -> Result<(), Failure> {
    match desk.screen.form {
        Form::Table => {
            let fields = line.fields.as_ref().map_or_else(String::new, |fields| format!("  {fields}"));
            // What a function prints is not ours; a terminal must not obey it.
            let text = plain_lines(line.text.trim_end_matches('\n'));
            let head = format!("{}  {:7}", line.at, plain_lines(&line.level));
            desk.screen.line(&format!("{head}  {text}{}", plain_lines(&fields)))
        }
        Form::Quiet => desk.screen.line(&plain_lines(line.text.trim_end_matches('\n'))),
        Form::Json | Form::Jsonl => desk.screen.item(line, "", &[]),
    }
}

pub(crate) static COLUMNS: Columns<Run> = Columns {
    id: |run| &run.id,
    columns: &[
        ("run", |run| Cell::from(&run.id)),
        ("status", |run| status(run)),
        ("queued", |run| Cell::from(run.queued_at.as_str())),
        ("took", |run| {
            Cell::from(run.usage.as_ref().map_or_else(String::new, |usage| format!("{} ms", usage.wall_ms)))
        }),
        ("who", |run| Cell::from(&run.principal.id)),
        ("function", |run| Cell::from(&run.function)),
    ],
};

pub(crate) fn shown(desk: &mut Desk<'_>, run: &Run) -> Result<(), Failure> {
    let text = |text: &Option<String>| Cell::from(text.as_deref().unwrap_or_default());
    let time = |time: &Option<client::Time>| Cell::from(time.as_ref().map_or("", |time| time.as_str()));
    let error = run.error.as_ref().map(|error| {
        let message = error.message.as_deref().unwrap_or_default();
        format!("{}: {message}", error.kind)
    });
    let usage = run.usage.as_ref().map(|usage| {
        format!(
            "{} ms, {} ms of CPU, {} MB at most",
            usage.wall_ms,
            usage.cpu_ms,
            usage.peak_memory / 1_000_000
        )
    });
    let output = run.output.as_ref().map(ToString::to_string);
    let rows = [
        ("run", Cell::from(&run.id)),
        ("status", status(run)),
        ("function", Cell::from(&run.function)),
        ("version", text(&run.version)),
        ("who", Cell::from(&run.principal.id)),
        ("token", text(&run.jti)),
        ("chain", text(&run.txn)),
        ("trigger", Cell::from(&run.trigger)),
        ("parent", text(&run.parent)),
        ("replay of", text(&run.replay_of)),
        ("attempts", Cell::from(format!("{} of {}", run.attempts, run.max_attempts))),
        ("not before", time(&run.due_at)),
        ("queued", Cell::from(run.queued_at.as_str())),
        ("started", time(&run.started_at)),
        ("ended", time(&run.ended_at)),
        ("progress", Cell::from(run.progress.as_ref().map_or_else(String::new, far))),
        ("asks", Cell::from(run.question.as_ref().map_or_else(String::new, |asked| plain(&asked.prompt)))),
        (
            "answer",
            text(&run.question.as_ref().and_then(|asked| asked.schema.as_ref().map(ToString::to_string))),
        ),
        ("used", text(&usage)),
        ("error", Cell::toned(error.unwrap_or_default(), Tone::Bad)),
        ("output", text(&output)),
    ];
    desk.screen.record(run, &run.id, &rows)
}

fn status(run: &Run) -> Cell {
    Cell::toned(run.status.as_str(), Tone::of_status(run.status.as_str()))
}
