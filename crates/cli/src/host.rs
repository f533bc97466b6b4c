//! What the commands need of the process around them.

use std::io::{BufRead, Write};
use std::path::Path;
use std::pin::Pin;

/// What only the binary can do.
pub trait Host: Send + Sync {
    /// The whole command line, for completion and the reference.
    fn command_line(&self) -> clap::Command;

    /// Starts a server of its own on this data directory and returns when it answers.
    fn start<'a>(&'a self, data_dir: &'a Path) -> Starting<'a>;
}

/// A server on its way; the error is for people.
pub type Starting<'a> = Pin<Box<dyn Future<Output = Result<Embedded, String>> + Send + 'a>>;

/// A server in this process.
pub struct Embedded {
    /// Without a slash at its end.
    pub url: String,
    /// Ends it in order.
    pub stop: Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>,
}

/// Where words go and come from. Data goes to `out`, everything else to `err`.
pub struct Streams<'a> {
    pub out: &'a mut (dyn Write + Send),
    pub err: &'a mut (dyn Write + Send),
    pub input: &'a mut (dyn BufRead + Send),
    /// Whether a person reads `out`: colours, tables fitted to `width`.
    pub out_is_terminal: bool,
    /// Whether a person can be asked.
    pub input_is_terminal: bool,
    /// Columns of the terminal.
    pub width: Option<usize>,
}
