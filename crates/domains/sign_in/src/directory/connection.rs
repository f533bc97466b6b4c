//! A connection to a directory: by the one way out, over TLS from the first byte or after StartTLS (RFC 4511 §4.14).

use egress::{Destination, Egress};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, StdStream};

use super::Trouble;

/// RFC 4511 §A.1.
const INVALID_CREDENTIALS: u32 = 49;

/// Where a directory is.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    host: String,
    port: u16,
    protection: Protection,
    /// Certificates (PEM) that are trusted for it besides the machine's own.
    ca: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protection {
    Tls,
    StartTls,
    /// On this very machine only: passwords go over it.
    None,
}

impl Server {
    /// From `ldaps://host[:port]` or `ldap://host[:port]`; an error says what is wrong with it.
    pub(crate) fn parse(url: &str, start_tls: bool, ca: Option<String>) -> Result<Self, &'static str> {
        let (scheme, rest) = url.split_once("://").ok_or("begins with neither ldaps:// nor ldap://")?;
        let (protection, usual) = match (scheme, start_tls) {
            ("ldaps", _) => (Protection::Tls, 636),
            ("ldap", true) => (Protection::StartTls, 389),
            ("ldap", false) => (Protection::None, 389),
            _ => return Err("begins with neither ldaps:// nor ldap://"),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| "has no port behind the colon")?),
            None => (rest, usual),
        };
        let is_name = |host: &str| {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        };
        if !is_name(host) {
            return Err("names no host");
        }
        if protection == Protection::None && !matches!(host, "127.0.0.1" | "localhost") {
            return Err("would send passwords in the clear; use ldaps:// or start_tls");
        }
        Ok(Self { host: host.to_owned(), port, protection, ca })
    }

    /// Names the directory; what is known of people in one says nothing of another's.
    pub(crate) fn name(&self) -> String {
        format!("ldap://{}:{}", self.host.to_lowercase(), self.port)
    }
}

/// Open, and driven in the background until it is dropped.
pub(crate) struct Connection {
    ldap: Ldap,
}

impl Connection {
    pub(crate) async fn open(egress: &Egress, to: Destination, server: &Server) -> Result<Self, Trouble> {
        let Server { host, port, protection, ca } = server;
        let config = egress.tls(ca.as_deref())?;
        let stream = egress.connect(to, host, *port).await?.into_std().map_err(ldap3::LdapError::from)?;
        let settings = LdapConnSettings::new()
            .set_config(config)
            .set_starttls(*protection == Protection::StartTls)
            .set_std_stream(StdStream::Tcp(stream));
        let scheme = if *protection == Protection::Tls { "ldaps" } else { "ldap" };
        let url = format!("{scheme}://{host}:{port}");
        let (connection, ldap) = LdapConnAsync::with_settings(settings, &url).await?;
        telemetry::spawn("directory connection", async move { drop(connection.drive().await) });
        Ok(Self { ldap })
    }

    pub(crate) fn ldap(&mut self) -> &mut Ldap {
        &mut self.ldap
    }

    pub(crate) async fn bind(&mut self, name: &str, password: &str) -> Result<(), Trouble> {
        let outcome = self.ldap.simple_bind(name, password).await?;
        match outcome.rc {
            0 => Ok(()),
            INVALID_CREDENTIALS => Err(Trouble::WrongPassword),
            _ => Err(outcome.into()),
        }
    }

    /// Says goodbye, so that the other side need not wait.
    pub(crate) async fn close(mut self) {
        let _ = self.ldap.unbind().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_travel_protected_or_not_at_all() {
        for (url, start_tls, fits) in [
            ("ldaps://dir.example", false, true),
            ("ldaps://dir.example:3269/", true, true),
            ("ldap://dir.example", true, true),
            ("ldap://dir.example:389", false, false),
            ("ldap://127.0.0.1:3890", false, true),
            ("ldap://127.0.0.1.evil.example", false, false),
            ("ldapi:///run/slapd", false, false),
            ("http://dir.example", false, false),
            ("ldap://", true, false),
            ("ldaps:///", true, false),
            ("ldaps://a b", true, false),
            ("ldaps://user@dir.example", true, false),
            ("ldaps://dir.example/dc=x", true, false),
            ("ldaps://dir.example:port", true, false),
            ("dir.example", true, false),
        ] {
            assert_eq!(Server::parse(url, start_tls, None).is_ok(), fits, "{url} {start_tls}");
        }
    }
}
