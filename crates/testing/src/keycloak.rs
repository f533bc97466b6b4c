//! A real Keycloak, its database in memory. It ends with the test: a shell that holds the other end of a pipe stops it.

use std::net::TcpListener;

use crate::supervised::Supervised;

const SCRIPT: &str = include_str!("../peers/keycloak.sh");

pub struct Keycloak {
    /// `http://127.0.0.1:PORT`; `admin` has the password `admin`.
    pub address: String,
    _server: Supervised,
}

impl Keycloak {
    #[expect(clippy::disallowed_methods, reason = "scripts/test-all.sh says where it is")]
    pub fn start() -> Self {
        let home =
            std::env::var("SAFECONDUCT_KEYCLOAK").expect("SAFECONDUCT_KEYCLOAK=$(scripts/keycloak.sh)");
        let free =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let (server, line) =
            Supervised::start("keycloak", SCRIPT, &[home.into(), free.port().to_string().into()]);
        assert_eq!(line, "ready\n", "Keycloak did not start; the reason stands above");
        Self { address: format!("http://{free}"), _server: server }
    }
}
