//! A real peer that ends with the test: a shell starts it, says in one line that it answers, and stops it when the pipe of its
//! standard input closes.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// What all scripts share.
const AWAIT: &str = include_str!("../peers/await.sh");

pub(crate) struct Supervised(Child);

impl Supervised {
    /// Runs the script under this name, and what it says first; nothing if the peer did not start.
    pub(crate) fn start(name: &str, script: &str, arguments: &[OsString]) -> (Self, String) {
        let mut supervisor = Command::new("sh")
            .args(["-c", &format!("{AWAIT}{script}"), name])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        let mut line = String::new();
        let output = supervisor.stdout.take().expect("the output is piped");
        BufReader::new(output).read_line(&mut line).expect("the supervisor answers");
        (Self(supervisor), line)
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // Gone already is as good.
        let _ = self.0.wait();
    }
}
