//! A real mail server (aiosmtpd) that hands each letter to the test. It ends with the test: its standard input is a pipe
//! that closes then.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::certificate::certificate;

const SINK: &str = include_str!("mail_sink.py");
/// Longer than any letter takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the sink speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    None,
    StartTls,
    Tls,
}

/// A letter as it arrived.
#[derive(Clone, Debug, Deserialize)]
pub struct Letter {
    pub from: String,
    pub to: Vec<String>,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// RFC 3834.
    pub auto_submitted: bool,
    /// Who signed in to the mail server.
    pub login: Option<String>,
}

pub struct MailSink {
    pub port: u16,
    letters: watch::Receiver<Vec<Letter>>,
    directory: TempDir,
    process: Child,
}

impl MailSink {
    pub fn start() -> Self {
        Self::speaking(Protection::None)
    }

    pub fn speaking(protection: Protection) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let script = directory.path().join("sink.py");
        std::fs::write(&script, SINK).expect("the script is written");
        let mut command = Command::new(python());
        command.arg(&script);
        match protection {
            Protection::None => command.arg("none"),
            Protection::StartTls => command.arg("starttls").args(certificate(directory.path())),
            Protection::Tls => command.arg("tls").args(certificate(directory.path())),
        };
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = started.expect("python3 starts");
        let mut lines = BufReader::new(process.stdout.take().expect("the output is piped"));
        let mut first = String::new();
        lines.read_line(&mut first).expect("the sink answers");
        let said: serde_json::Value = serde_json::from_str(&first).expect("the sink says its port");
        let port = said["port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
        Self { port, letters: collect(lines), directory, process }
    }

    /// What its certificate is signed by.
    pub fn certificate(&self) -> PathBuf {
        self.directory.path().join("authority.pem")
    }

    /// Those that came for an address so far.
    pub fn letters_to(&self, address: &str) -> Vec<Letter> {
        let is_for = |letter: &&Letter| letter.to.iter().any(|to| to == address);
        self.letters.borrow().iter().filter(is_for).cloned().collect()
    }

    /// Waits for the letter of this number (from 1) to an address.
    pub async fn letter(&self, address: &str, number: usize) -> Letter {
        let mut letters = self.letters.clone();
        let is_for = |letter: &&Letter| letter.to.iter().any(|to| to == address);
        let found = letters.wait_for(|all| all.iter().filter(is_for).count() >= number);
        if !matches!(tokio::time::timeout(PATIENCE, found).await, Ok(Ok(_))) {
            panic!("no letter number {number} came for {address}");
        }
        self.letters_to(address).swap_remove(number - 1)
    }
}

impl Drop for MailSink {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // Gone already is as good.
        let _ = self.process.wait();
    }
}

/// Debian's own first: the one on the path may be another, without its packages.
fn python() -> &'static str {
    let has = |python: &&str| {
        let tried = Command::new(python).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    ["/usr/bin/python3", "python3"]
        .into_iter()
        .find(has)
        .expect("Python with aiosmtpd; install it (Debian: apt-get install python3-aiosmtpd)")
}

fn collect(lines: BufReader<ChildStdout>) -> watch::Receiver<Vec<Letter>> {
    let (sender, receiver) = watch::channel(Vec::new());
    std::thread::spawn(move || {
        for line in lines.lines().map_while(Result::ok) {
            let letter: Letter = serde_json::from_str(&line).expect("a letter");
            sender.send_modify(|letters| letters.push(letter));
        }
    });
    receiver
}
