//! The client commands: a person or a program at a terminal, speaking to a server over HTTP.
//!
//! Owns the commands' names, profiles (`~/.config/safeconduct`), tables, exit codes and the quick start. Everything goes
//! through the client crate and the public API, except the offline check of evidence, which needs no server at all. Knows
//! no domain and no database; the environment, the streams and what only the binary can do are handed in.

mod agents;
mod apikeys;
mod audit;
mod browser;
mod clearing;
mod command;
mod completion;
mod configure;
mod credentials;
mod declared;
mod desk;
mod domains;
mod egress;
mod exit;
mod failure;
mod files;
mod functions;
mod grants;
mod groups;
mod hooks;
mod host;
mod invitations;
mod kills;
mod listing;
mod login;
mod members;
mod orgs;
mod packages;
mod permissions;
mod policies;
mod pools;
mod prefixes;
mod profiles;
mod providers;
mod queues;
mod quickstart;
mod reference;
mod roles;
mod runs;
mod schedules;
mod screen;
mod secrets;
mod session;
mod sessions;
mod span;
mod state;
mod stored;
mod table;
mod token;
mod trust;
mod users;
mod workers;

pub use command::{Command, run, run_here};
pub use declared::ConfigCommand;
pub use exit::{EXIT_CODES, exit_codes};
pub use host::{Embedded, Host, Starting, Streams};
pub use screen::Globals;
