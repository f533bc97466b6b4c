//! The authorization server.

mod activity;
mod assertion;
mod bearer;
mod introspect;
mod key_import;
mod keys;
mod logins;
mod metadata;
mod papers;
mod refusals;
mod revocation;
mod run;
mod secrecy;
mod sign_in;
mod token;
