//! One command per figure of the specifications: `cargo run --release -p safeconduct-bench -- token`.
//!
//! A figure is measured three times; the median and the spread stand in one Markdown row, with the floor – what the
//! machine does without us – measured in the same run. Rates per core are requests by processor seconds of the server,
//! so that a busy machine blurs them less than rates by the clock. Knows the server by its binary and by the faces of its
//! rooms; nothing depends on this crate.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the terminal is this program's surface")]

mod cpu;
mod figures;
mod floor;
mod http;
mod load;
mod peers;
mod postgres;
mod row;
mod serve;
mod spread;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures what Safeconduct promises.
#[derive(Parser)]
#[command(name = "safeconduct-bench", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    figure: Figure,
}

#[derive(Subcommand)]
enum Figure {
    /// The heading that the rows stand under.
    Header,
    /// Tokens issued by client_credentials, over HTTP.
    Token(Settings),
    /// Introspections over HTTP.
    Introspect(Settings),
    /// The check of a bearer token that was seen before, in process.
    Bearer(Settings),
    /// AuthZEN evaluations over HTTP.
    Authzen(Settings),
    /// A decision of a policy of 1,000 rules, in process.
    Policy(Settings),
    /// Durable appends to the ledger, its readers keeping up, in process.
    Append(Settings),
    /// Inclusion proofs out of a log of ten million leaves.
    Proof(Settings),
    /// Offline verification of a bundle.
    Verify(Settings),
    /// Whether the time of a refused sign-in tells if the account exists.
    Enumeration(Settings),
    /// Latency of tokens while many sign in by password at once, beside the same without them.
    Storm(Settings),
    /// One fork call beside the bare fork.
    Fork(Settings),
    /// From a delivery to a hook to its function's durable answer.
    Hook(Settings),
    /// Runs that do nothing, in process; on PostgreSQL beside what others take.
    Jobs(Settings),
    /// From the start after a kill -9 until all runs that were worked on are queued again and listed.
    Requeue(Settings),
    /// From the start of the process to ready, and its memory when idle.
    Start(Settings),
    /// The server that `requeue` kills.
    #[command(hide = true)]
    HoldRuns(Settings),
    /// The floor's server: answers every POST with so many bytes.
    #[command(hide = true)]
    FloorAnswer {
        #[arg(long)]
        bytes: usize,
    },
}

#[derive(Args, Clone)]
pub(crate) struct Settings {
    /// Seconds of one measurement, after a tenth of it (at least 2 s) for warming up.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Measurements; median and spread are told.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// PostgreSQL that waits for its disk instead of SQLite.
    #[arg(long)]
    postgres: bool,
    /// Requests under way at once.
    #[arg(long, default_value_t = 128)]
    connections: usize,
    /// How many things (leaves, events, calls) there are, where the figure is about a number of them.
    #[arg(long)]
    count: Option<u64>,
    /// Where data is written; on the disk that the figure is about.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Server binary; the one beside this program if not set.
    #[arg(long)]
    server: Option<PathBuf>,
    /// Further settings of the server, as `section.key=value`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Leave out the paced run and the floors: for profiling.
    #[arg(long)]
    rate_only: bool,
}

impl Settings {
    pub(crate) fn directory(&self) -> std::io::Result<tempfile::TempDir> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("sfc-bench-");
        match &self.dir {
            Some(dir) => builder.tempdir_in(dir),
            None => builder.tempdir(),
        }
    }

    pub(crate) fn database(&self) -> &'static str {
        if self.postgres { "PostgreSQL" } else { "SQLite" }
    }
}

fn main() -> ExitCode {
    match measure(Arguments::parse().figure) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("safeconduct-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(figure: Figure) -> anyhow::Result<()> {
    match figure {
        Figure::Header => row::header(),
        Figure::Token(settings) => figures::token::measure(&settings)?,
        Figure::Introspect(settings) => figures::introspect::measure(&settings)?,
        Figure::Bearer(settings) => figures::bearer::measure(&settings)?,
        Figure::Authzen(settings) => figures::authzen::measure(&settings)?,
        Figure::Policy(settings) => figures::policy::measure(&settings)?,
        Figure::Append(settings) => figures::append::measure(&settings)?,
        Figure::Proof(settings) => figures::proof::measure(&settings)?,
        Figure::Verify(settings) => figures::verify::measure(&settings)?,
        Figure::Enumeration(settings) => figures::enumeration::measure(&settings)?,
        Figure::Hook(settings) => figures::hook::measure(&settings)?,
        Figure::Jobs(settings) => figures::jobs::measure(&settings)?,
        Figure::Storm(settings) => figures::storm::measure(&settings)?,
        Figure::Fork(settings) => figures::fork::measure(&settings)?,
        Figure::Requeue(settings) => figures::requeue::measure(&settings)?,
        Figure::HoldRuns(settings) => figures::requeue::hold_runs(&settings)?,
        Figure::Start(settings) => figures::start::measure(&settings)?,
        Figure::FloorAnswer { bytes } => floor::answer(bytes)?,
    }
    Ok(())
}
