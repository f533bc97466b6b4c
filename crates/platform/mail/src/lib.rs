//! Letters to people: plain text and HTML from one source, sent by SMTP (RFC 5321) in the background.
//!
//! Knows no domain: what a letter says and who gets it is the caller's. What a letter carries – codes, links – is secret,
//! so nothing of a letter's content is ever logged.

mod letter;
mod post;
mod route;

pub use letter::Letter;
pub use post::{MailError, Post};
pub use route::{Relay, Route, Security};
