//! The real binary as a process of its own: for kill -9, full disks, databases that go away, second nodes.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Caller;

/// The server's program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_safeconduct");

pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
    /// The token of the owner link that it printed, if it did.
    pub(crate) link: Option<String>,
}

/// A start that did not end in a running server.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) code: Option<i32>,
    pub(crate) errors: String,
}

/// How to start it: the data directory and further settings.
#[derive(Clone)]
pub(crate) struct Start {
    pub(crate) directory: PathBuf,
    pub(crate) settings: Vec<(String, String)>,
    /// Program and arguments that stand before ours, such as `unshare …`.
    pub(crate) wrapper: Vec<String>,
}

impl Start {
    pub(crate) fn in_directory(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), settings: Vec::new(), wrapper: Vec::new() }
    }

    /// A node of an installation on PostgreSQL.
    pub(crate) fn on(database: &testing::TestDatabase, directory: &Path) -> Self {
        let mut start = Self::in_directory(directory);
        for (name, role) in [("url", "app"), ("system_url", "system"), ("owner_url", "owner")] {
            let url = database.url(&format!("safeconduct_{role}")).expect("a PostgreSQL database");
            start = start.set(&format!("database.{name}"), url);
        }
        start
    }

    /// On this database, its data directory beside it.
    pub(crate) fn of(database: &testing::TestDatabase) -> Self {
        match database.engine() {
            testing::Engine::Sqlite => Self::in_directory(database.directory()),
            testing::Engine::Postgres => {
                Self::on(database, database.directory()).set("database.pool_size", "4")
            }
        }
    }

    pub(crate) fn set(mut self, key: &str, value: impl Into<String>) -> Self {
        self.settings.push((key.to_owned(), value.into()));
        self
    }

    fn command(&self, verb: &[&str]) -> Command {
        let mut words = self.wrapper.clone();
        words.push(PROGRAM.to_owned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(verb);
        command.arg("--data-dir").arg(&self.directory);
        let lifted =
            ["limits.reads=0", "limits.writes=0", "limits.tokens=0", "limits.sign_ins=0", "limits.heavy=0"];
        for pair in ["server.operations_listen=127.0.0.1:0", "log.level=warn"].iter().chain(&lifted) {
            command.args(["--set", pair]);
        }
        for (key, value) in &self.settings {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        command.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts the server and waits until it says where it listens.
    pub(crate) fn run(&self) -> Result<Process, Refused> {
        self.start(&["serve", "--listen", "127.0.0.1:0"], "listens on ")
    }

    /// Starts a worker and waits until it says where its health is told.
    pub(crate) fn work(&self) -> Result<Process, Refused> {
        self.start(&["worker"], "works on runs; health on ")
    }

    fn start(&self, verb: &[&str], sign: &str) -> Result<Process, Refused> {
        let mut child = self.command(verb).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut url = None;
        let mut link = None;
        for line in lines.by_ref() {
            let line = line.expect("text");
            if let Some((_, found)) = line.split_once(sign) {
                url = Some(found.trim_end_matches("/health/detailed").to_owned());
            }
            if let Some((_, token)) = line.trim().split_once("/console/welcome#") {
                link.get_or_insert(token.to_owned());
            }
            if line.contains("safeconduct quickstart")
                || line.contains("safeconduct admin link")
                || verb == ["worker"]
            {
                break;
            }
        }
        let Some(url) = url else {
            let mut errors = String::new();
            child.stderr.take().expect("a pipe").read_to_string(&mut errors).expect("text");
            let code = child.wait().expect("an end").code();
            return Err(Refused { code, errors });
        };
        // Nobody reads on: the pipes must not fill.
        std::thread::spawn(move || lines.for_each(drop));
        let errors = child.stderr.take().expect("a pipe");
        std::thread::spawn(move || BufReader::new(errors).lines().for_each(drop));
        Ok(Process { child, url, link })
    }
}

impl Process {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn anonymous(&self) -> Caller {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().expect("a client");
        Caller { http, url: self.url.clone(), cookie: None, bearer: None, headers: Vec::new() }
    }

    /// Signs in as the command line does. `directory` is asked for a link if the start printed none.
    pub(crate) async fn owner(&self, directory: &Path) -> Caller {
        let token = match &self.link {
            Some(token) => token.clone(),
            None => {
                // As the server itself: the knobs of tests are no settings.
                let mut link = Command::new(PROGRAM);
                let made = link.env_clear().args(["admin", "link", "--data-dir"]).arg(directory).output();
                let text = String::from_utf8(made.expect("an answer").stdout).expect("text");
                text.trim().split_once('#').expect("a link").1.to_owned()
            }
        };
        let body = serde_json::json!({ "token": token });
        let answer = self.anonymous().post("/api/v1/auth/link/token", body).await.ok(200);
        Caller { bearer: answer["access_token"].as_str().map(str::to_owned), ..self.anonymous() }
    }

    /// SIGKILL: nothing is written down, nobody is told.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("a signal");
        self.child.wait().expect("an end");
    }

    /// SIGTERM, and its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
        let until = Instant::now() + Duration::from_secs(30);
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().expect("a status") {
                return status.code();
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
