//! Certificates for peers that speak TLS.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// For `localhost`, valid today and tomorrow, signed by an authority of its own.
pub(crate) fn certificate(directory: &Path) -> [PathBuf; 2] {
    certificate_for(directory, "DNS:localhost")
}

/// The same for other names, as openssl writes them.
pub(crate) fn certificate_for(directory: &Path, names: &str) -> [PathBuf; 2] {
    let path = |name: &str| directory.join(name);
    let new = |name: &str, subject: &str, extensions: &[&str]| {
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
        command.args(["-days", "2", "-subj", subject]);
        extensions.iter().for_each(|extension| {
            command.args(["-addext", extension]);
        });
        command
            .arg("-out")
            .arg(path(&format!("{name}.pem")))
            .arg("-keyout")
            .arg(path(&format!("{name}.key")));
        command.stderr(Stdio::null());
        command
    };
    let authority = new("authority", "/CN=Test authority", &[]).status().expect("openssl starts");
    let names = format!("subjectAltName={names}");
    let extensions = [names.as_str(), "basicConstraints=critical,CA:FALSE"];
    let mut signed = new("server", "/CN=localhost", &extensions);
    signed.arg("-CA").arg(path("authority.pem")).arg("-CAkey").arg(path("authority.key"));
    let server = signed.status().expect("openssl starts");
    assert!(authority.success() && server.success(), "openssl made no certificate");
    [path("server.pem"), path("server.key")]
}
