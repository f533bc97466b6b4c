//! A server that functions call: over TLS, under the names `localhost`, `127.0.0.1` and no other, and over plain HTTP.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;

use crate::certificate::certificate_for;

const SERVER: &str = include_str!("../peers/upstream.py");

pub struct Upstream {
    pub tls: u16,
    pub plain: u16,
    asked: Arc<Mutex<Vec<Value>>>,
    directory: TempDir,
    process: Child,
}

impl Upstream {
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let script = directory.path().join("upstream.py");
        std::fs::write(&script, SERVER).expect("the script is written");
        let mut command = Command::new("python3");
        command.arg(&script).args(certificate_for(directory.path(), "DNS:localhost,IP:127.0.0.1"));
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = started.expect("python3 starts");
        let mut lines = BufReader::new(process.stdout.take().expect("the output is piped"));
        let mut first = String::new();
        lines.read_line(&mut first).expect("the server answers");
        let [tls, plain]: [u16; 2] = serde_json::from_str(&first).expect("it says its ports");
        let asked = Arc::<Mutex<Vec<Value>>>::default();
        let heard = asked.clone();
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                heard.lock().expect("no panic").push(serde_json::from_str(&line).expect("a request"));
            }
        });
        Self { tls, plain, asked, directory, process }
    }

    /// What its certificate is signed by.
    pub fn authority(&self) -> PathBuf {
        self.directory.path().join("authority.pem")
    }

    /// What it was asked so far. Of a call that was answered, it is there.
    pub fn asked(&self) -> Vec<Value> {
        self.asked.lock().expect("no panic").clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // Gone already is as good.
        let _ = self.process.wait();
    }
}
