//! `safeconduct quickstart`: the whole story on real input, through the public API and nothing else.

mod acts;
mod evidence;
mod server;
mod telling;

use std::path::PathBuf;

use clap::Args;

use crate::desk::Desk;
use crate::failure::Failure;

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct quickstart
  safeconduct quickstart --embedded --file checks.csv")]
pub struct Quickstart {
    /// CSV of service checks with the columns service, status, latency_ms; a sample if left out.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Owner link of the server; otherwise the profile's session, or the link in the data directory.
    #[arg(long, value_name = "LINK", conflicts_with = "embedded")]
    link: Option<String>,
    /// Start a server for this alone, in this process.
    #[arg(long)]
    embedded: bool,
    /// Data directory of the server on this machine; with --embedded the one to use and to keep.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where to write the evidence bundle.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) async fn run(desk: &mut Desk<'_>, quickstart: &Quickstart) -> Result<(), Failure> {
    let input = acts::read_input(desk, quickstart.file.as_deref())?;
    let suffix = suffix(desk);
    if !quickstart.embedded {
        let signed_in = server::sign_in(desk, quickstart).await?;
        let story = acts::play(desk, &signed_in, &input, &suffix, quickstart.out.as_deref()).await?;
        let console = format!("{}/console/", signed_in.client.url());
        return telling::sum_up(desk, &story, Some(&console));
    }
    let embedded = server::start(desk, quickstart.data_dir.as_deref(), &suffix).await?;
    let outcome = match server::sign_in_embedded(desk, &embedded).await {
        Ok(signed_in) => acts::play(desk, &signed_in, &input, &suffix, quickstart.out.as_deref()).await,
        Err(failure) => Err(failure),
    };
    let ended = embedded.end().await;
    let story = outcome?;
    ended?;
    telling::sum_up(desk, &story, None)
}

/// Names are taken once; with this behind them the story can be told again.
fn suffix(desk: &Desk<'_>) -> String {
    const DIGITS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let digit = |byte: u8| char::from(DIGITS[usize::from(byte) % DIGITS.len()]);
    desk.world.bytes::<5>().into_iter().map(digit).collect()
}
