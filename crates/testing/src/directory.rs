//! A real LDAP directory (slapd) with a few people and groups. It ends with the test: a shell that holds the other end of a
//! pipe stops it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::certificate::certificate;

const SCRIPT: &str = include_str!("../peers/slapd.sh");

pub struct Directory {
    /// LDAP in the clear, and with StartTLS.
    pub port: u16,
    /// LDAP over TLS; the certificate is for `localhost`.
    pub tls_port: u16,
    files: TempDir,
    supervisor: Child,
}

impl Directory {
    pub fn start() -> Self {
        let files = tempfile::tempdir().expect("a temporary directory");
        certificate(files.path());
        let [port, tls_port] = free_ports();
        let mut supervisor = Command::new("sh")
            .args(["-c", SCRIPT, "slapd"])
            .arg(files.path())
            .args([port.to_string(), tls_port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        let mut line = String::new();
        let output = supervisor.stdout.take().expect("the output is piped");
        BufReader::new(output).read_line(&mut line).expect("the supervisor answers");
        assert_eq!(line, "ready\n", "slapd did not start (scripts/setup.sh ldap); the reason stands above");
        Self { port, tls_port, files, supervisor }
    }

    /// What its certificate is signed by, in PEM.
    pub fn authority(&self) -> String {
        let path: PathBuf = self.files.path().join("authority.pem");
        std::fs::read_to_string(path).expect("the certificate")
    }

    /// Changes entries, as LDIF, in the administrator's name.
    pub fn change(&self, ldif: &str) {
        let path = self.files.path().join("change.ldif");
        std::fs::write(&path, ldif).expect("the change is written");
        let changed = Command::new("ldapmodify")
            .args(["-x", "-H", &format!("ldap://127.0.0.1:{}", self.port)])
            .args(["-D", "cn=admin,dc=example,dc=test", "-w", "adminpw", "-f"])
            .arg(path)
            .stdout(Stdio::null())
            .status();
        assert!(changed.expect("ldapmodify starts").success(), "the directory refused: {ldif}");
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        // Gone already is as good.
        let _ = self.supervisor.wait();
    }
}

/// Ports that nobody listens on at this moment.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}
