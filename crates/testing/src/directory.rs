//! A real LDAP directory (slapd) with a few people and groups. It ends with the test: a shell that holds the other end of a
//! pipe stops it.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::certificate::certificate;
use crate::supervised::Supervised;

const SCRIPT: &str = include_str!("../peers/slapd.sh");

pub struct Directory {
    /// LDAP in the clear, and with StartTLS.
    pub port: u16,
    /// LDAP over TLS; the certificate is for `localhost`.
    pub tls_port: u16,
    files: TempDir,
    _server: Supervised,
}

impl Directory {
    pub fn start() -> Self {
        let files = tempfile::tempdir().expect("a temporary directory");
        certificate(files.path());
        let [port, tls_port] = free_ports();
        let arguments = [files.path().into(), port.to_string().into(), tls_port.to_string().into()];
        let (server, line) = Supervised::start("slapd", SCRIPT, &arguments);
        assert_eq!(line, "ready\n", "slapd did not start (scripts/setup.sh ldap); the reason stands above");
        Self { port, tls_port, files, _server: server }
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

/// Ports that nobody listens on at this moment.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}
