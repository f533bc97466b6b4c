//! A real domain controller (Samba AD DC) with a few people and groups; as root, one at a time, because its ports are those of
//! Active Directory. It ends with the test: a shell that holds the other end of a pipe stops it.

use tempfile::TempDir;

use crate::certificate::certificate;
use crate::supervised::Supervised;

const SCRIPT: &str = include_str!("../peers/samba.sh");

pub struct DomainController {
    files: TempDir,
    _server: Supervised,
}

impl DomainController {
    pub fn start() -> Self {
        let files = tempfile::tempdir().expect("a temporary directory");
        certificate(files.path());
        let (server, line) = Supervised::start("samba", SCRIPT, &[files.path().into()]);
        assert_eq!(
            line, "ready\n",
            "Samba did not start (scripts/setup.sh samba; as root); the reason stands above"
        );
        Self { files, _server: server }
    }

    /// What its certificate, for `localhost`, is signed by, in PEM.
    pub fn authority(&self) -> String {
        std::fs::read_to_string(self.files.path().join("authority.pem")).expect("the certificate")
    }
}
