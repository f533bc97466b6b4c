//! A person's terminal: a home of their own, a server, and what the commands say.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::{PROGRAM, Process, Start};

pub(crate) struct Terminal {
    process: Option<Process>,
    pub(crate) data: TempDir,
    pub(crate) home: TempDir,
}

/// What a command said and ended with.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Terminal {
    /// A server that nobody owns yet.
    pub(crate) fn new() -> Self {
        Self::new_with(&[])
    }

    fn new_with(settings: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let start = Start::in_directory(data.path());
        let start = settings.iter().fold(start, |start, (key, value)| start.set(key, *value));
        let process = start.run().expect("the server starts");
        Self { process: Some(process), data, home: tempfile::tempdir().expect("a home") }
    }

    /// A server whose first owner is signed in here.
    pub(crate) fn signed_in() -> Self {
        Self::signed_in_with(&[])
    }

    /// The same, and its server has these settings.
    pub(crate) fn signed_in_with(settings: &[(&str, &str)]) -> Self {
        let terminal = Self::new_with(settings);
        let link = terminal.link();
        terminal.run(&["login", "--link", &link]).ok();
        terminal
    }

    pub(crate) fn url(&self) -> &str {
        &self.process.as_ref().expect("the server runs").url
    }

    /// The owner link that the server printed at its start.
    pub(crate) fn link(&self) -> String {
        let process = self.process.as_ref().expect("the server runs");
        format!("{}/console/welcome#{}", process.url, process.link.as_ref().expect("a link"))
    }

    pub(crate) fn run(&self, words: &[&str]) -> Said {
        self.run_with(words, &[], "")
    }

    pub(crate) fn run_with(&self, words: &[&str], environment: &[(&str, &str)], input: &str) -> Said {
        let mut command = self.command(words);
        command.envs(environment.iter().copied());
        let mut child = command.spawn().expect("the program starts");
        // A command that reads nothing has closed it already.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        Said::of(child.wait_with_output().expect("an end"))
    }

    /// Not started yet.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(words).current_dir(self.home.path());
        command.env_clear().env("HOME", self.home.path()).env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a file");
        path
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Stops the server, which must end in order; the home stays.
    pub(crate) fn stop_server(&mut self) {
        assert_eq!(self.process.take().expect("the server runs").stop(), Some(0));
    }

    pub(crate) fn end(mut self) {
        self.stop_server();
    }
}

impl Said {
    pub(crate) fn of(output: std::process::Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let code = output.status.code().expect("no signal");
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// The data of a command that succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self}");
        self.out.trim_end().to_owned()
    }

    #[track_caller]
    pub(crate) fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.ok()).expect("JSON")
    }
}

impl fmt::Display for Said {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "exit {}\n--- stdout\n{}--- stderr\n{}", self.code, self.out, self.err)
    }
}

/// What differs from run to run.
const VARIES: &[(&str, &str)] = &[
    (
        r"\b(org|usr|inv|grp|dom|agt|crd|tok|txn|ses|evt|fn|fnv|run|kil|req|sky|pol|rol|grt|key|pfx|prv|stn|ste|sch|col|fil|flv|upl|flk|hok|dlv|sec)_[0-7][0-9a-hjkmnp-tv-z]{25}\b",
        "${1}_…",
    ),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", "[time]"),
    (r"http://127\.0\.0\.1:\d{4,5}", "[server]"),
    (r"/files/[A-Za-z0-9_-]{118}", "/files/[link]"),
    (r"safeconduct/[0-9a-f]{16}", "[log]"),
    (r"\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}", "+[key]"),
    (r"invitation#[0-9A-Za-z]{43}", "invitation#[token]"),
    (r"\bsf[ck]_dev_[A-Za-z0-9_]+", "[secret]"),
    (r"\b[0-9a-f]{64}\b", "[sha256]"),
    (r"\b[0-9a-f]{16}\b", "[sha256]"),
    (r"\b[0-9a-f]{12}…", "[sha256]…"),
    (r"\b[A-Za-z0-9_-]{43}\b", "[thumbprint]"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "[node]"),
    (r"\b(worker-|visitor-|service_report_|quickstart-)[a-z2-9]{5}\b", "${1}·····"),
    // A column is as wide as its widest figure.
    (r"\b\d+ ms {2,}", "[ms]  "),
    (r"TOOK {2,}", "TOOK  "),
    (r"\b\d+ ms", "[ms]"),
    (r"\b\d+ (bytes|MB at most|hashes|leaves|records)", "[n] $1"),
    (r"\bfrom \d+ to", "from [n] to"),
    (r"\b\d+ to \d+\b", "[n] to [n]"),
    (r"records +\d+ ", "records       [n] "),
    (r"\bleaf \d+", "leaf [n]"),
    (r"\[n\] of \d+", "[n] of [n]"),
    (r"of \d+ decisions", "of [n] decisions"),
    (r"\d+ of the organization", "[n] of the organization"),
    (r"\bline \d+: the private", "line [n]: the private"),
    (r"cursor \S+", "cursor [cursor]"),
    // Newer Pythons point into the line.
    (r"\n +[~^]+\n", "\n"),
];

/// Holds the words against the snapshot of this name, apart from what varies.
#[track_caller]
pub(crate) fn shows(name: &str, said: &Said) {
    let mut settings = insta::Settings::clone_current();
    for (pattern, instead) in VARIES {
        settings.add_filter(pattern, *instead);
    }
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cli/snapshots"));
    settings.bind(|| insta::assert_snapshot!(name, said.to_string()));
}
