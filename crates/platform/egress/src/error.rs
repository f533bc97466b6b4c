//! Why a call came to nothing. The texts are for whoever set the destination up: they name the host as it was given, and never
//! what a name resolves to, which would map the network behind us.

#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    #[error("{0:?} is no http or https address")]
    Address(String),
    #[error("the name {host} cannot be resolved: {reason}")]
    Unknown { host: String, reason: String },
    #[error(
        "{0} leads to an address that may not be called from here; the operator can allow a private range in egress.allow_private"
    )]
    Denied(String),
    #[error("{host}:{port} cannot be reached: {reason}")]
    Unreachable { host: String, port: u16, reason: String },
    #[error("{host} did not answer within {seconds} s")]
    Silent { host: String, seconds: u64 },
    #[error("the certificate of {host} is not accepted: {reason}")]
    Certificate { host: String, reason: String },
    #[error("{host} does not speak TLS here: {reason}")]
    Tls { host: String, reason: String },
    #[error("{host} does not speak HTTP here: {reason}")]
    Http { host: String, reason: String },
    #[error("the answer of {host} is larger than {most} bytes")]
    TooLarge { host: String, most: usize },
    #[error("the trusted certificates cannot be read: {0}")]
    Trust(String),
}

impl EgressError {
    /// For metrics.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Address(_) => "address",
            Self::Unknown { .. } => "unknown name",
            Self::Denied(_) => "denied",
            Self::Unreachable { .. } => "unreachable",
            Self::Silent { .. } => "silent",
            Self::Certificate { .. } | Self::Tls { .. } | Self::Trust(_) => "tls",
            Self::Http { .. } | Self::TooLarge { .. } => "http",
        }
    }
}
