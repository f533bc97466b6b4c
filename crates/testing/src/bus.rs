//! A real Redis or NATS server on a port of its own, which can be killed and started again. It ends with the test: a
//! shell between holds the other end of a pipe.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// `$1`: port, `$2`: directory; then the server's command line.
const SUPERVISOR: &str = r#"
set -eu
port=$1; shift
"$@" >/dev/null 2>&1 &
server=$!
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    kill -0 $server 2>/dev/null || { echo "the server ended"; exit 1; }
    sleep 0.02
done
echo ready
cat >/dev/null
exec 2>/dev/null
kill -9 $server
wait $server || true
"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusKind {
    Redis,
    Nats,
}

pub struct BusServer {
    kind: BusKind,
    port: u16,
    directory: TempDir,
    supervisor: Option<Child>,
}

impl BusServer {
    pub fn start(kind: BusKind) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        drop(listener);
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut server = Self { kind, port, directory, supervisor: None };
        server.resume();
        server
    }

    pub fn url(&self) -> String {
        match self.kind {
            BusKind::Redis => format!("redis://127.0.0.1:{}", self.port),
            BusKind::Nats => format!("nats://127.0.0.1:{}", self.port),
        }
    }

    /// As by a cut cable: with all that it knew.
    pub fn kill(&mut self) {
        if let Some(mut supervisor) = self.supervisor.take() {
            drop(supervisor.stdin.take());
            supervisor.wait().expect("the server ends");
        }
    }

    /// On the same port, empty.
    pub fn resume(&mut self) {
        let (port, directory) = (self.port.to_string(), self.directory.path().display().to_string());
        let words: Vec<&str> = match self.kind {
            BusKind::Redis => {
                vec![
                    "redis-server",
                    "--bind",
                    "127.0.0.1",
                    "--port",
                    &port,
                    "--save",
                    "",
                    "--dir",
                    &directory,
                ]
            }
            BusKind::Nats => vec!["nats-server", "-a", "127.0.0.1", "-p", &port, "-js", "-sd", &directory],
        };
        let mut supervisor = Command::new("bash")
            .args(["-c", SUPERVISOR, "bus", &port])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut said = String::new();
        BufReader::new(supervisor.stdout.take().expect("its output")).read_line(&mut said).expect("a line");
        assert_eq!(said, "ready\n", "{:?} is installed by scripts/setup.sh bus", self.kind);
        self.supervisor = Some(supervisor);
    }
}

impl Drop for BusServer {
    fn drop(&mut self) {
        self.kill();
    }
}
