//! `safeconduct audit …`

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use client::{ExportQuery, Fact, FactFilter, VerifyRange};
use evidence::{Report, Trust, verify_reader};
use serde::Serialize;
use serde_json::json;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, Listing, show, show_all};
use crate::screen::Form;
use crate::span;
use crate::table::{Cell, Tone};
use crate::trust::{self, Believed, Source};

#[derive(Subcommand, Clone, Debug)]
pub enum AuditCommand {
    /// List what happened, newest first.
    List(Box<List>),
    /// Watch what happens.
    Tail(Tail),
    /// Show one fact and check the proof that it stands in the log.
    Show(Show),
    /// Check a bundle without any server; without a bundle, have the server check its record.
    Verify(Verify),
    /// Export the record, as lines, as a table, or as a bundle that verifies offline.
    Export(Export),
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct audit list --kind agent.killed --from 24h
  safeconduct audit list --run run_… --jsonl")]
pub struct List {
    /// Id of who acted.
    #[arg(long)]
    actor: Option<String>,
    /// Agent, as actor or anywhere in the chain.
    #[arg(long)]
    agent: Option<String>,
    /// Such as `agent.created`.
    #[arg(long)]
    kind: Option<String>,
    /// success, failure or denied.
    #[arg(long)]
    outcome: Option<String>,
    /// info, notice, warning or critical.
    #[arg(long)]
    severity: Option<String>,
    /// Id of what was acted upon.
    #[arg(long)]
    target: Option<String>,
    #[arg(long)]
    run: Option<String>,
    /// Token by which it was done.
    #[arg(long)]
    jti: Option<String>,
    /// Chain of acts that it belongs to.
    #[arg(long)]
    txn: Option<String>,
    #[arg(long)]
    ip: Option<String>,
    /// Time, or how long ago: 2026-11-01T09:30:00Z, 15m, 2h, 7d.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// As --from; not included.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Whole words of the actor's and the target's names.
    #[arg(long, short = 's', value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Args, Clone, Debug)]
pub struct Tail {
    /// Begin behind this place of the organization's order; otherwise now.
    #[arg(long, value_name = "N")]
    after: Option<u64>,
    /// End after so many facts.
    #[arg(long, value_name = "N")]
    count: Option<u64>,
}

#[derive(Args, Clone, Debug)]
pub struct Show {
    /// Id of the fact.
    fact: String,
    /// Verifier key to believe; otherwise the one pinned at login.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct audit verify ledger.bundle
  safeconduct audit verify ledger.bundle --key 'safeconduct/…+…+…' --checkpoint kept-note
  safeconduct audit verify")]
pub struct Verify {
    /// Bundle to check, without any server; `-` is standard input.
    bundle: Option<PathBuf>,
    /// Verifier key to believe; otherwise the one pinned at login.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Name of the log, if the key is a witness's.
    #[arg(long, value_name = "NAME", requires = "bundle")]
    origin: Option<String>,
    /// File with a checkpoint kept from before: the bundle must show that the log only grew since.
    #[arg(long, value_name = "FILE", requires = "bundle")]
    checkpoint: Option<PathBuf>,
    /// Begin behind what an earlier check of the server found whole.
    #[arg(long, conflicts_with = "bundle")]
    incremental: bool,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct audit export --format bundle --out ledger.bundle
  safeconduct audit export --format csv --first 100 --last 200 > facts.csv")]
pub struct Export {
    #[arg(long, default_value = "jsonl")]
    format: ExportFormat,
    /// New file to write; standard output if left out.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// First place of the organization's order.
    #[arg(long, value_name = "N")]
    first: Option<u64>,
    /// Last place.
    #[arg(long, value_name = "N")]
    last: Option<u64>,
    /// Size of a checkpoint that you keep: the bundle shows that the log only grew since.
    #[arg(long, value_name = "SIZE")]
    since: Option<u64>,
    /// Leave names, addresses and data out of a bundle; what is left still verifies.
    #[arg(long)]
    withhold_private: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    Jsonl,
    Csv,
    Bundle,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: AuditCommand) -> Result<(), Failure> {
    match command {
        AuditCommand::List(list) => list_some(desk, &list).await,
        AuditCommand::Tail(tail) => tail_on(desk, &tail).await,
        AuditCommand::Show(show) => show_one(desk, &show).await,
        AuditCommand::Verify(verify) => match verify.bundle.clone() {
            Some(bundle) => verify_bundle(desk, &verify, &bundle),
            None => verify_server(desk, &verify).await,
        },
        AuditCommand::Export(export) => export_to(desk, &export).await,
    }
}

async fn list_some(desk: &mut Desk<'_>, list: &List) -> Result<(), Failure> {
    let client = desk.client()?;
    let time = |text: &Option<String>| text.as_deref().map(|text| span::time(text, &desk.world)).transpose();
    let filter = FactFilter {
        actor: list.actor.clone(),
        agent: list.agent.clone(),
        kind: list.kind.clone(),
        outcome: list.outcome.clone(),
        severity: list.severity.clone(),
        target: list.target.clone(),
        run: list.run.clone(),
        jti: list.jti.clone(),
        txn: list.txn.clone(),
        ip: list.ip.clone(),
        from: time(&list.from)?,
        to: time(&list.to)?,
        q: list.search.clone(),
        limit: Some(if list.listing.all { 200 } else { list.listing.limit }),
        cursor: list.listing.cursor.clone(),
        count: None,
    };
    match list.listing.all {
        true => show_all(&mut desk.screen, client.audit().all(&filter), &COLUMNS).await,
        false => show(&mut desk.screen, &client.audit().list(&filter).await?, &COLUMNS),
    }
}

async fn tail_on(desk: &mut Desk<'_>, tail: &Tail) -> Result<(), Failure> {
    let client = desk.client()?;
    let mut stream = client.audit().stream(tail.after);
    let mut left = tail.count.unwrap_or(u64::MAX);
    while left > 0 {
        let event = stream.next().await?;
        let fact: Fact = serde_json::from_str(&event.data).map_err(|error| {
            Failure::usage(format!("The server sent a fact that this version cannot read: {error}."))
        })?;
        let cells: Vec<Cell> = COLUMNS.columns.iter().map(|(_, cell)| cell(&fact)).collect();
        desk.screen.item(&fact, &fact.id, &cells)?;
        left -= 1;
    }
    Ok(())
}

async fn show_one(desk: &mut Desk<'_>, show: &Show) -> Result<(), Failure> {
    let client = desk.client()?;
    let detail = client.audit().get(&show.fact).await?;
    let fact = &detail.fact;
    let mut rows = rows(fact);
    let verdict = match &detail.proof {
        None => {
            Err(Failure::NotVerified("no checkpoint covers the fact yet; ask again in a moment".to_owned()))
        }
        Some(proof) => {
            let believed = Believed::or_of_server(desk, show.key.as_deref(), &proof.key)?;
            believed.check_fact(&fact.id, proof).map(|checkpoint| (believed.source, checkpoint.size, proof))
        }
    };
    match &verdict {
        Ok((source, size, proof)) => {
            let text = format!(
                "leaf {} of {size}, by {} hashes, under {}",
                proof.seq,
                proof.path.len(),
                source.words()
            );
            rows.push((
                "proof",
                Cell::toned(text, if *source == Source::Server { Tone::Warn } else { Tone::Good }),
            ));
        }
        Err(_) => rows.push(("proof", Cell::toned("does not hold", Tone::Bad))),
    }
    desk.screen.record(&detail, &fact.id, &rows)?;
    verdict.map(drop)
}

fn verify_bundle(desk: &mut Desk<'_>, verify: &Verify, bundle: &Path) -> Result<(), Failure> {
    let believed = Believed::find(desk, verify.key.as_deref())?.ok_or_else(|| {
        Failure::usage(
            "No key to believe: give --key, or sign in to the server, which pins its key in the profile.",
        )
    })?;
    let kept = match &verify.checkpoint {
        Some(path) => {
            let note = crate::files::read_text(&mut desk.screen, path)?;
            Some(believed.open(&note)?)
        }
        None => None,
    };
    let trust = Trust { key: &believed.key, origin: verify.origin.as_deref(), checkpoint: kept.as_ref() };
    let report = check_bundle(desk, bundle, &trust)?;
    shown_report(desk, &report, &believed.source)
}

fn check_bundle(desk: &mut Desk<'_>, bundle: &Path, trust: &Trust<'_>) -> Result<Report, Failure> {
    let refused = |error: evidence::BundleError| match error {
        evidence::BundleError::Read(error) => Failure::file(bundle, error),
        error => Failure::NotVerified(error.to_string()),
    };
    if bundle == Path::new("-") {
        let bytes = desk.screen.read_input()?;
        return verify_reader(bytes.as_slice(), trust).map_err(refused);
    }
    let file = File::open(bundle).map_err(|error| Failure::file(bundle, error))?;
    verify_reader(BufReader::with_capacity(256 * 1024, file), trust).map_err(refused)
}

/// What a bundle proved, and by which key.
pub(crate) fn report_rows(report: &Report, source: &Source) -> Vec<(&'static str, Cell)> {
    let mut rows = vec![
        ("verified", Cell::toned("yes", Tone::Good)),
        ("organization", Cell::from(report.org.to_string())),
        (
            "records",
            Cell::from(format!(
                "{} ({} to {}, without a gap)",
                report.records + report.withheld + report.erased,
                report.first,
                report.last
            )),
        ),
        ("log", Cell::from(format!("{}, {} leaves", report.origin, report.tree_size))),
        ("root", Cell::from(hex::encode(report.root))),
        ("believed", Cell::from(source.words())),
        ("key", Cell::from(&report.key)),
    ];
    for (name, number) in [("withheld", report.withheld), ("erased", report.erased)] {
        if number > 0 {
            rows.push((name, Cell::from(number.to_string())));
        }
    }
    if let Some(size) = report.grown_from {
        rows.push(("grown from", Cell::from(format!("{size} leaves, nothing rewritten"))));
    }
    rows
}

#[derive(Serialize)]
struct ReportWithSource<'a> {
    verified: bool,
    #[serde(flatten)]
    report: &'a Report,
    believed: String,
}

fn shown_report(desk: &mut Desk<'_>, report: &Report, source: &Source) -> Result<(), Failure> {
    let whole = ReportWithSource { verified: true, report, believed: source.words() };
    desk.screen.record(&whole, "", &report_rows(report, source))
}

/// The server checks its record; this profile checks that the log continues what it saw before.
async fn verify_server(desk: &mut Desk<'_>, verify: &Verify) -> Result<(), Failure> {
    let client = desk.client()?;
    let range = VerifyRange { incremental: verify.incremental.then_some(true), ..VerifyRange::default() };
    let found = client.audit().verify(&range).await?;
    if !found.verified {
        let what = found.reason.clone().unwrap_or_else(|| "a record does not hold".to_owned());
        let at = found.broken_at_event_id.as_deref().unwrap_or("no single record");
        if matches!(desk.screen.form, Form::Json | Form::Jsonl) {
            desk.screen.json(&found)?;
        }
        return Err(Failure::NotVerified(format!("{what} (at {at})")));
    }
    let mut rows = vec![
        ("verified", Cell::toned("yes", Tone::Good)),
        ("checked", Cell::from(format!("{} records ({} to {})", found.checked_count, found.from, found.to))),
    ];
    let growth = grown_since_pin(desk, &client, verify.key.as_deref()).await?;
    match &growth {
        Some((growth, source)) => {
            let text = format!("from {} to {} leaves, nothing rewritten", growth.from, growth.to);
            rows.push(("log grew", Cell::from(text)));
            rows.push(("believed", Cell::from(source.words())));
        }
        None => rows.push(("believed", Cell::toned(Source::Server.words(), Tone::Warn))),
    }
    let grew = growth
        .map(|(growth, source)| json!({ "from": growth.from, "to": growth.to, "believed": source.words() }));
    desk.screen.record(&json!({ "server": found, "log_grew": grew }), "", &rows)
}

/// Holds the log against the checkpoint that the profile keeps, and keeps the newest.
async fn grown_since_pin(
    desk: &Desk<'_>,
    client: &client::Client,
    given: Option<&str>,
) -> Result<Option<(trust::Growth, Source)>, Failure> {
    let choice = desk.choice()?;
    let Some(pinned) = choice.known.as_ref().and_then(|known| known.ledger.as_ref()) else { return Ok(None) };
    let Some(believed) = Believed::find(desk, given)? else { return Ok(None) };
    let growth = trust::check_growth(client, &believed, &pinned.checkpoint).await?;
    desk.store()?.lock()?.change(|profiles| {
        let kept = profiles.profiles.get_mut(&choice.profile).and_then(|profile| profile.ledger.as_mut());
        if let Some(kept) = kept.filter(|kept| kept.key == pinned.key) {
            kept.checkpoint.clone_from(&growth.note);
        }
        Ok(())
    })?;
    Ok(Some((growth, believed.source)))
}

async fn export_to(desk: &mut Desk<'_>, export: &Export) -> Result<(), Failure> {
    if export.out.is_none() && desk.screen.out_is_terminal && export.format == ExportFormat::Bundle {
        return Err(Failure::usage("A bundle is for files: name one with --out."));
    }
    let client = desk.client()?;
    let word = match export.format {
        ExportFormat::Jsonl => "jsonl",
        ExportFormat::Csv => "csv",
        ExportFormat::Bundle => "bundle",
    };
    let query = ExportQuery {
        format: Some(word.to_owned()),
        first: export.first,
        last: export.last,
        since: export.since,
        withhold_private: export.withhold_private.then_some(true),
    };
    let mut download = client.audit().export(&query).await?;
    let Some(path) = &export.out else {
        while let Some(bytes) = download.next().await? {
            desk.screen.raw(&bytes)?;
        }
        return Ok(());
    };
    let size = save(&mut download, path).await?;
    desk.screen.note(&format!("{size} bytes written to {}", path.display()))
}

/// Writes a download beside its place first: a file of this name is whole.
pub(crate) async fn save(download: &mut client::Download, path: &Path) -> Result<u64, Failure> {
    let local = |error| Failure::file(path, error);
    let draft = path.with_extension("part");
    let mut file = File::create(&draft).map_err(local)?;
    let mut size = 0;
    while let Some(bytes) = download.next().await? {
        file.write_all(&bytes).map_err(local)?;
        size += bytes.len() as u64;
    }
    file.sync_all().map_err(local)?;
    std::fs::rename(&draft, path).map_err(local)?;
    Ok(size)
}

static COLUMNS: Columns<Fact> = Columns {
    id: |fact| &fact.id,
    columns: &[
        ("when", |fact| Cell::from(fact.occurred_at.as_str())),
        ("what", |fact| Cell::toned(&fact.kind, Tone::Strong)),
        ("outcome", |fact| Cell::toned(&fact.outcome, Tone::of_status(&fact.outcome))),
        ("who", |fact| Cell::from(who(&fact.actor))),
        ("on", |fact| {
            fact.target.as_ref().map_or_else(Cell::default, |target| Cell::from(target_name(target)))
        }),
        ("fact", |fact| Cell::from(&fact.id)),
    ],
};

fn who(actor: &client::FactActor) -> String {
    match (&actor.id, actor.display.is_empty()) {
        (_, false) => actor.display.clone(),
        (Some(id), true) => id.clone(),
        (None, true) => actor.kind.clone(),
    }
}

fn target_name(target: &client::FactTarget) -> &str {
    if target.name.is_empty() { &target.id } else { &target.name }
}

fn rows(fact: &Fact) -> Vec<(&'static str, Cell)> {
    let text = |text: &Option<String>| Cell::from(text.as_deref().unwrap_or_default());
    let chain: Vec<String> = fact.act.iter().map(who).collect();
    let target = fact.target.as_ref().map(|target| format!("{} {} {}", target.kind, target.id, target.name));
    let mut rows = vec![
        ("fact", Cell::from(&fact.id)),
        ("when", Cell::from(fact.occurred_at.as_str())),
        ("what", Cell::toned(&fact.kind, Tone::Strong)),
        ("outcome", Cell::toned(&fact.outcome, Tone::of_status(&fact.outcome))),
        ("severity", Cell::from(&fact.severity)),
        ("who", Cell::from(format!("{} {}", who(&fact.actor), fact.actor.id.as_deref().unwrap_or_default()))),
        ("through", Cell::from(chain.join(" → "))),
        ("on", text(&target)),
        ("token", text(&fact.jti)),
        ("credential", text(&fact.credential)),
        ("run", text(&fact.run)),
        ("chain", text(&fact.txn)),
        ("request", text(&fact.request)),
        ("cause", text(&fact.cause)),
        ("from", text(&fact.ip)),
        ("place", Cell::from(format!("{} of the organization, leaf {}", fact.org_seq, fact.seq))),
    ];
    if !fact.data.is_empty() {
        rows.push(("data", Cell::from(serde_json::to_string(&fact.data).unwrap_or_default())));
    }
    rows.retain(|(_, cell)| !cell.text.trim().is_empty());
    rows
}
