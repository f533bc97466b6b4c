//! A real Keycloak, its database in memory. It ends with the test: a shell that holds the other end of a pipe stops it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

const SCRIPT: &str = include_str!("../peers/keycloak.sh");

pub struct Keycloak {
    /// `http://127.0.0.1:PORT`; `admin` has the password `admin`.
    pub address: String,
    supervisor: Child,
}

impl Keycloak {
    #[expect(clippy::disallowed_methods, reason = "scripts/test-all.sh says where it is")]
    pub fn start() -> Self {
        let home =
            std::env::var("SAFECONDUCT_KEYCLOAK").expect("SAFECONDUCT_KEYCLOAK=$(scripts/keycloak.sh)");
        let free =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let mut supervisor = Command::new("sh")
            .args(["-c", SCRIPT, "keycloak", &home, &free.port().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        let mut line = String::new();
        let output = supervisor.stdout.take().expect("the output is piped");
        BufReader::new(output).read_line(&mut line).expect("the supervisor answers");
        assert_eq!(line, "ready\n", "Keycloak did not start; the reason stands above");
        Self { address: format!("http://{free}"), supervisor }
    }
}

impl Drop for Keycloak {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        // Gone already is as good.
        let _ = self.supervisor.wait();
    }
}
