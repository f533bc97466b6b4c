//! What every request brings along before anybody knows who sent it.

use std::net::IpAddr;

use ledger::Origin;
use types::{RequestId, RunId};

/// Where the connection came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Network(std::net::SocketAddr),
    /// A function in its jail, through the door to our own API; its organization's slot in the sandbox.
    Jail(u16),
}

impl Peer {
    pub fn is_loopback(self) -> bool {
        match self {
            Self::Network(address) => address.ip().to_canonical().is_loopback(),
            Self::Jail(_) => false,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Contact {
    pub peer: Option<Peer>,
    /// The caller's address: the peer's, or what a trusted proxy says.
    pub ip: Option<IpAddr>,
    pub user_agent: Option<String>,
    /// Echoed in `X-Request-ID`; the caller's own if it is well formed.
    pub request_id: String,
    /// Ours, for the ledger.
    pub request: Option<RequestId>,
    /// Whose code sends it, through the door of its jail.
    pub run: Option<RunId>,
}

impl Contact {
    pub fn origin(&self) -> Origin {
        Origin {
            request: self.request,
            run: self.run,
            ip: self.ip,
            user_agent: self.user_agent.clone(),
            ..Origin::default()
        }
    }
}
