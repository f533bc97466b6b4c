//! The server's settings: one TOML file, the environment, flags – and defaults in code.
//!
//! Owns the one table of keys (`table.rs`), where a key's meaning, type, default and bounds stand once, and the only
//! place that reads the environment. What is unknown, malformed or unfit for production stops the start, all
//! problems at once, each naming its key. Knows nothing of the parts that use a setting.

mod declare;
mod environment;
mod error;
mod explain;
mod fitness;
mod layers;
mod table;
mod value;

pub use declare::Key;
pub use environment::Environment;
pub use error::{ConfigError, Fault};
pub use explain::{Explained, Source};
pub use layers::Sources;
pub use table::{
    Config, Configuration, Data, Database, Functions, KEYS, Keys, Ledger, Limits, Log, Owner, Retention,
    Sandbox, Server, Sessions, SignIn, Smtp, Tokens, Vault,
};
pub use value::{
    Ack, DecisionRecord, Email, LogFormat, MailSecurity, Mode, PackagesAllowed, PublicUrl, SandboxBackend,
    SigningAlgorithm, UidRange,
};

impl Config {
    /// Reads all sources – flags over environment over file over defaults – and checks the whole.
    ///
    /// # Errors
    /// Every unknown key, bad value and unfit combination, each with its key.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let layers = layers::resolve(sources)?;
        let mut config = table::build(&layers)?;
        config.environment = sources.environment.clone();
        ConfigError::unless_empty(fitness::faults(&config)).map(|()| config)
    }

    /// Each key with its meaning, where its value came from, and the value (secrets masked); in the table's order.
    pub fn explain(&self) -> &[Explained] {
        &self.explained
    }
}
