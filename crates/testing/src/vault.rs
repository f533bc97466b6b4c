//! A real HashiCorp Vault, in memory. It ends with the test: a shell that holds the other end of a pipe stops it.

use std::net::TcpListener;

use crate::supervised::Supervised;

const SCRIPT: &str = include_str!("../peers/vault.sh");

pub struct VaultServer {
    /// `http://127.0.0.1:PORT`
    pub address: String,
    pub root_token: String,
    pub unseal_key: String,
    _server: Supervised,
}

impl VaultServer {
    #[expect(clippy::disallowed_methods, reason = "scripts/test-all.sh says where the program is")]
    pub fn start() -> Self {
        let program = std::env::var("SAFECONDUCT_VAULT").expect("SAFECONDUCT_VAULT=$(scripts/vault.sh)");
        let free =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let (server, line) =
            Supervised::start("vault", SCRIPT, &[program.into(), free.port().to_string().into()]);
        let mut words = line.split_whitespace().map(str::to_owned);
        let (unseal_key, root_token) =
            words.next().zip(words.next()).expect("Vault did not start; the reason stands above");
        Self { address: format!("http://{free}"), root_token, unseal_key, _server: server }
    }
}
