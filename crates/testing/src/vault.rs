//! A real HashiCorp Vault, in memory. It ends with the test: a shell that holds the other end of a pipe stops it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

const SCRIPT: &str = include_str!("../peers/vault.sh");

pub struct VaultServer {
    /// `http://127.0.0.1:PORT`
    pub address: String,
    pub root_token: String,
    pub unseal_key: String,
    supervisor: Child,
}

impl VaultServer {
    #[expect(clippy::disallowed_methods, reason = "scripts/test-all.sh says where the program is")]
    pub fn start() -> Self {
        let program = std::env::var("SAFECONDUCT_VAULT").expect("SAFECONDUCT_VAULT=$(scripts/vault.sh)");
        let free =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let mut supervisor = Command::new("sh")
            .args(["-c", SCRIPT, "vault", &program, &free.port().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        let mut line = String::new();
        let output = supervisor.stdout.take().expect("the output is piped");
        BufReader::new(output).read_line(&mut line).expect("the supervisor answers");
        let mut words = line.split_whitespace().map(str::to_owned);
        let (unseal_key, root_token) =
            words.next().zip(words.next()).expect("Vault did not start; the reason stands above");
        Self { address: format!("http://{free}"), root_token, unseal_key, supervisor }
    }
}

impl Drop for VaultServer {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        // Gone already is as good.
        let _ = self.supervisor.wait();
    }
}
