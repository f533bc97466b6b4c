//! Why the server does not start.

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{key} is needed beside {beside}")]
    Missing { key: &'static str, beside: &'static str },
    #[error("cannot listen on {address}: {error}")]
    Listen { address: std::net::SocketAddr, error: std::io::Error },
    #[error("{path}: {error}")]
    Io { path: String, error: std::io::Error },
    #[error("there is no organization {0:?}")]
    UnknownOrg(String),
    #[error("{0} needs PostgreSQL: set database.url. With SQLite the server itself works on runs")]
    NeedsPostgres(&'static str),
    #[error("a worker needs a sandbox; what is missing is said above")]
    NoSandbox,
    #[error(transparent)]
    Database(#[from] db::OpenError),
    #[error(transparent)]
    Read(#[from] db::DbError),
    #[error(transparent)]
    Secrets(#[from] secrets::SecretsError),
    #[error("signing keys: {0}")]
    SigningKeys(#[from] oauth::KeysError),
    #[error("configuration: {0}")]
    Sections(String),
    #[error("policy files: {0}")]
    PolicyFiles(#[from] policies::FilesError),
    #[error(transparent)]
    Blobs(#[from] blobs::BlobError),
    #[error(transparent)]
    People(#[from] people::PeopleError),
    #[error("bus.url: {0}")]
    Bus(#[from] bus::BusError),
    #[error("vault.address: {0}")]
    Vault(#[from] secrets::VaultError),
    #[error("smtp: {0}")]
    Mail(#[from] mail::MailError),
    #[error("egress.ca_file: {0}")]
    Egress(#[from] egress::EgressError),
    #[error("config.file: {0}")]
    OwnFile(#[from] declare::OwnFileError),
    #[error("sign_in.providers_file: {0}")]
    Providers(#[from] sign_in::FileError),
}
