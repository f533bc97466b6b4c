//! `safeconduct audit verify`: a bundle without any server, or the server's own record.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;
use client::VerifyRange;
use evidence::{Report, Trust, verify_reader};
use serde::Serialize;
use serde_json::json;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::screen::Form;
use crate::table::{Cell, Tone};
use crate::trust::{self, Believed, Source};

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

pub(super) async fn run(desk: &mut Desk<'_>, verify: &Verify) -> Result<(), Failure> {
    match &verify.bundle {
        Some(bundle) => verify_bundle(desk, verify, bundle),
        None => verify_server(desk, verify).await,
    }
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
fn report_rows(report: &Report, source: &Source) -> Vec<(&'static str, Cell)> {
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
