//! `safeconduct audit export`.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use client::ExportQuery;

use crate::desk::Desk;
use crate::failure::Failure;

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

pub(super) async fn run(desk: &mut Desk<'_>, export: &Export) -> Result<(), Failure> {
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
