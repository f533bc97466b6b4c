//! Which way letters leave.

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, Tokio1Executor};
use types::Secret;

use crate::MailError;

/// How a connection to the relay is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// RFC 3207, required: a relay that does not offer it gets no letter.
    StartTls,
    /// RFC 8314: TLS from the first byte on.
    Tls,
    None,
}

/// A mail server that takes our letters.
#[derive(Clone)]
pub struct Relay {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub username: Option<String>,
    pub password: Option<Secret<String>>,
    /// Sender's address.
    pub from: String,
    /// Trusted besides the machine's own certificates.
    pub ca_file: Option<PathBuf>,
}

#[derive(Clone)]
pub enum Route {
    Relay(Relay),
    /// For a workbench without mail server: each letter becomes a file that only the server's user reads.
    Directory(PathBuf),
    /// None are sent.
    Closed,
}

/// As long as anybody waits for a relay.
const TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) type Transport = AsyncSmtpTransport<Tokio1Executor>;

impl Relay {
    pub(crate) fn sender(&self) -> Result<Mailbox, MailError> {
        let address: Address = self.from.parse().map_err(|_| MailError::Address)?;
        Ok(Mailbox::new(Some("Safeconduct".to_owned()), address))
    }

    pub(crate) fn transport(&self) -> Result<Transport, MailError> {
        let tls = match self.security {
            Security::StartTls => Tls::Required(self.tls()?),
            Security::Tls => Tls::Wrapper(self.tls()?),
            Security::None => Tls::None,
        };
        let mut builder =
            Transport::builder_dangerous(&self.host).port(self.port).tls(tls).timeout(Some(TIMEOUT));
        if let (Some(username), Some(password)) = (&self.username, &self.password) {
            builder = builder.credentials(Credentials::new(username.clone(), password.reveal().clone()));
        }
        Ok(builder.build())
    }

    fn tls(&self) -> Result<TlsParameters, MailError> {
        let mut builder = TlsParameters::builder(self.host.clone());
        if let Some(path) = &self.ca_file {
            let setup = |error: String| MailError::Setup(format!("{}: {error}", path.display()));
            let pem = std::fs::read(path).map_err(|error| setup(error.to_string()))?;
            let certificate = Certificate::from_pem(&pem).map_err(|error| setup(error.to_string()))?;
            builder = builder.add_root_certificate(certificate);
        }
        builder.build().map_err(|error| MailError::Setup(error.to_string()))
    }
}
