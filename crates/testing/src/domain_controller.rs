//! A real domain controller (Samba AD DC) with a few people and groups; as root, one at a time, because its ports are those of
//! Active Directory. It ends with the test: a shell that holds the other end of a pipe stops it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::certificate::certificate;

const SCRIPT: &str = include_str!("../peers/samba.sh");

pub struct DomainController {
    files: TempDir,
    supervisor: Child,
}

impl DomainController {
    pub fn start() -> Self {
        let files = tempfile::tempdir().expect("a temporary directory");
        certificate(files.path());
        let mut supervisor = Command::new("sh")
            .args(["-c", SCRIPT, "samba"])
            .arg(files.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        let mut line = String::new();
        let output = supervisor.stdout.take().expect("the output is piped");
        BufReader::new(output).read_line(&mut line).expect("the supervisor answers");
        assert_eq!(
            line, "ready\n",
            "Samba did not start (scripts/setup.sh samba; as root); the reason stands above"
        );
        Self { files, supervisor }
    }

    /// What its certificate, for `localhost`, is signed by, in PEM.
    pub fn authority(&self) -> String {
        std::fs::read_to_string(self.files.path().join("authority.pem")).expect("the certificate")
    }
}

impl Drop for DomainController {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        // Gone already is as good.
        let _ = self.supervisor.wait();
    }
}
