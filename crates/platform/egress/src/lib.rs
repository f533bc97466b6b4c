//! The one way out: calls of addresses that others chose.
//!
//! A name is resolved, every answer is held against the rules, and the connection goes to an address that passed – with the
//! original name for TLS – so that a name which leads elsewhere a moment later leads nowhere. Redirects are not followed, no
//! connection is kept for the next caller, and answers have a size and an end. Must not know why something is called.

mod download;
mod error;
mod http;
mod rules;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::net::TcpStream;
use tokio::time::timeout;

pub use download::Download;
pub use error::EgressError;
pub use http::{Answer, Request};
pub use hyper::{Method, header};
use rules::Rules;
pub use rustls::ClientConfig;
use tls::Trust;

/// Connecting, and the whole of a call.
const CONNECT: Duration = Duration::from_secs(5);
const CALL: Duration = Duration::from_secs(10);

/// Who chose an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The operator, in the server's own files: it may be private.
    Operator,
    /// Anybody, through the API: public, or in a range that the operator allowed.
    Tenant,
}

#[derive(Clone, Debug, Default)]
pub struct EgressSettings {
    /// Private ranges that tenants may reach.
    pub allow_private: Vec<IpNet>,
    /// Our own listeners, which nobody reaches through us.
    pub own: Vec<SocketAddr>,
    /// Certificates (PEM) that are trusted besides the machine's own.
    pub trusted: Option<Vec<u8>>,
}

/// The way out; clones share it.
#[derive(Clone)]
pub struct Egress(Arc<Inner>);

struct Inner {
    rules: Rules,
    trust: Trust,
}

impl Egress {
    pub fn new(settings: EgressSettings) -> Result<Self, EgressError> {
        let EgressSettings { allow_private, own, trusted } = settings;
        let trust = Trust::load(trusted.as_deref())?;
        Ok(Self(Arc::new(Inner { rules: Rules { allow_private, own }, trust })))
    }

    /// A connection to one of the addresses of a host that may be reached.
    pub async fn connect(&self, to: Destination, host: &str, port: u16) -> Result<TcpStream, EgressError> {
        let resolved = tokio::net::lookup_host((host, port)).await;
        let addresses: Vec<SocketAddr> = match resolved {
            Ok(found) => found.collect(),
            Err(error) => return Err(EgressError::Unknown { host: host.into(), reason: error.to_string() }),
        };
        let allowed: Vec<SocketAddr> =
            addresses.iter().copied().filter(|address| self.0.rules.allow(to, *address)).collect();
        if allowed.is_empty() && !addresses.is_empty() {
            return Err(EgressError::Denied(host.into()));
        }
        match timeout(CONNECT, TcpStream::connect(allowed.as_slice())).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => {
                Err(EgressError::Unreachable { host: host.into(), port, reason: error.to_string() })
            }
            Err(_) => Err(EgressError::Silent { host: host.into(), seconds: CONNECT.as_secs() }),
        }
    }

    /// What TLS trusts: the machine's authorities, the operator's, and these (PEM) – of one destination, for it alone.
    pub fn tls(&self, further: Option<&str>) -> Result<Arc<ClientConfig>, EgressError> {
        self.0.trust.client(further.map(str::as_bytes))
    }

    /// One HTTP call. The status is the caller's to judge; a redirect is an answer like any other.
    pub async fn call(&self, to: Destination, request: Request<'_>) -> Result<Answer, EgressError> {
        let (host, within) = (request.host().to_owned(), request.within);
        let outcome = match timeout(within, self.exchange(to, request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(EgressError::Silent { host, seconds: within.as_secs() }),
        };
        let label = outcome.as_ref().map_or_else(EgressError::label, |_| "answered");
        metrics::counter!("safeconduct_egress_calls_total", "outcome" => label).increment(1);
        outcome
    }
}
