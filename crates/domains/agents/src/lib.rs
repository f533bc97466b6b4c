//! The registry of agents: who they are, who answers for them, what they prove themselves with, and how they are stopped.
//!
//! Owns the tables `agents`, `credentials`, `last_used` and `kills`. Must not know tokens: it says whether an agent stands
//! and what its credentials are; what lives by an agent (tokens, runs) hears of its end through the revision feed.

mod approval;
mod change;
mod credentials;
mod error;
mod facts;
mod kill;
mod left;
mod model;
mod register;
mod rights;
mod roster;
mod routes;
mod section;
mod seen;
mod service;
mod status;
mod store;

pub use change::Patch;
pub use error::AgentError;
pub use facts::*;
pub use model::{
    Agent, AgentType, Credential, CredentialKind, CredentialStatus, DeploymentEnv, Owner, Proof, Standing,
    Status,
};
pub use register::Wanted;
pub use roster::Listed;
pub use routes::routes;
pub use section::AgentsSection;
pub use service::{Agents, AgentsSettings, PEPPER};
pub use store::AgentRef;
