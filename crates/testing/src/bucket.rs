//! A real S3 gateway over a directory. It ends with the test: a shell that holds the other end of a pipe stops it.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use crate::supervised::Supervised;

const SCRIPT: &str = include_str!("../peers/bucket.sh");

pub struct BucketServer {
    directory: tempfile::TempDir,
    address: SocketAddr,
    server: Option<Supervised>,
}

impl BucketServer {
    pub const BUCKET: &str = "papers";
    pub const KEY_ID: &str = "AKIASAFECONDUCTTEST";
    pub const SECRET: &str = "a-secret-that-only-the-tests-know";

    /// With an empty bucket.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory for the bucket");
        std::fs::create_dir(directory.path().join(Self::BUCKET)).expect("a bucket");
        let address =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let mut bucket = Self { directory, address, server: None };
        bucket.resume();
        bucket
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where its objects lie as files.
    pub fn objects(&self) -> PathBuf {
        self.directory.path().join(Self::BUCKET)
    }

    /// Nobody answers from now on.
    pub fn stop(&mut self) {
        self.server = None;
    }

    #[expect(clippy::disallowed_methods, reason = "scripts/test-all.sh says where the program is")]
    pub fn resume(&mut self) {
        let program =
            std::env::var("SAFECONDUCT_VERSITYGW").expect("SAFECONDUCT_VERSITYGW=$(scripts/versitygw.sh)");
        let port = self.address.port().to_string();
        let directory: &Path = self.directory.path();
        let arguments =
            [program.into(), port.into(), directory.into(), Self::KEY_ID.into(), Self::SECRET.into()];
        let (server, line) = Supervised::start("bucket", SCRIPT, &arguments);
        assert_eq!(line.trim(), "ready", "the bucket did not start; the reason stands above");
        self.server = Some(server);
    }
}
