//! A real, certified OpenID provider (npm `oidc-provider`). It ends with the test: its standard input is a pipe that closes
//! then.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/oidc");

pub struct OidcProvider {
    pub issuer: String,
    process: Child,
    pipes: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
}

impl OidcProvider {
    pub fn start() -> Self {
        let is_there = Path::new(PEER).join("node_modules/oidc-provider").is_dir();
        assert!(is_there, "the OpenID provider of the tests is missing; scripts/setup.sh oidc installs it");
        let mut command = Command::new("node");
        command.arg("start.mjs").current_dir(PEER).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.stderr(Stdio::null()).spawn().expect("node starts");
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (input, output) = pipes.expect("the pipes are open");
        let mut output = BufReader::new(output);
        let said = line(&mut output);
        let issuer = said["issuer"].as_str().expect("the provider says where it is").to_owned();
        Self { issuer, process, pipes: Mutex::new(Some((input, output))) }
    }

    /// Where its clients may send people back to.
    pub fn redirect(&self, uri: &str) {
        self.tell(&json!({ "redirect": uri }));
    }

    /// What it says of an account.
    pub fn account(&self, name: &str, claims: &Value) {
        self.tell(&json!({ "account": name, "claims": claims }));
    }

    /// New keys; the old ones are gone.
    pub fn rotate(&self) {
        self.tell(&json!({ "rotate": true }));
    }

    fn tell(&self, what: &Value) {
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        let (input, output) = pipes.as_mut().expect("the provider runs");
        writeln!(input, "{what}").expect("the provider listens");
        line(output);
    }
}

fn line(output: &mut BufReader<ChildStdout>) -> Value {
    let mut text = String::new();
    output.read_line(&mut text).expect("the provider answers");
    serde_json::from_str(&text).expect("the provider answers in JSON")
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        drop(self.pipes.lock().unwrap_or_else(PoisonError::into_inner).take());
        // Gone already is as good.
        let _ = self.process.wait();
    }
}
