//! Asks the operator's resolver for TXT records (RFC 1035): over UDP, and over TCP when the answer is cut short.
//!
//! The servers come from the configuration file, else from the machine's `resolv.conf`; nothing that is set through the API
//! chooses one, and no name's own servers are ever spoken to. Must not know what a record proves.

mod ask;
mod message;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use futures::future::BoxFuture;
use types::World;

/// Where looking up a name ends without an answer.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    #[error("{0:?} is no name that can be asked for")]
    Name(String),
    #[error("no resolver answered: {0}")]
    Silent(String),
    #[error("the resolver refused: {0}")]
    Refused(String),
}

/// What is asked of the names of the world.
pub trait Records: Send + Sync {
    /// Every TXT record of a name, each as one text; none if the name has none or does not exist.
    fn txt<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<String>, DnsError>>;
}

/// The resolvers of the operator, asked one after the other.
#[derive(Clone)]
pub struct Resolver {
    servers: Arc<[SocketAddr]>,
    world: World,
}

impl Resolver {
    /// Without servers: those of the machine.
    pub fn new(servers: &[SocketAddr], world: World) -> Self {
        let servers =
            if servers.is_empty() { of_machine(Path::new("/etc/resolv.conf")) } else { servers.to_vec() };
        Self { servers: servers.into(), world }
    }
}

impl Records for Resolver {
    fn txt<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<String>, DnsError>> {
        Box::pin(async move {
            let mut last = DnsError::Silent("there is none".to_owned());
            for server in self.servers.iter() {
                match ask::txt(*server, name, &self.world).await {
                    // That one does not know; another may.
                    Err(error @ (DnsError::Silent(_) | DnsError::Refused(_))) => last = error,
                    other => return other,
                }
            }
            Err(last)
        })
    }
}

/// `nameserver` lines; a machine without any answers itself (resolv.conf(5)).
fn of_machine(path: &Path) -> Vec<SocketAddr> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let servers = servers_of(&text);
    if servers.is_empty() { vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 53)] } else { servers }
}

fn servers_of(text: &str) -> Vec<SocketAddr> {
    let of_line = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let address = words.next().filter(|word| *word == "nameserver").and_then(|_| words.next())?;
        address.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53))
    };
    text.lines().filter_map(of_line).take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nameservers_are_read_as_the_machine_reads_them() {
        let text = "# made by hand\nsearch example.com\nnameserver 192.0.2.1\nnameserver ::1\nnameserver none\n\
                    options ndots:1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n";
        let servers: Vec<String> = servers_of(text).iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.0.2.1:53", "[::1]:53", "192.0.2.2:53"]);
        assert_eq!(of_machine(Path::new("/nowhere/resolv.conf")), ["127.0.0.1:53".parse().unwrap()]);
    }
}
