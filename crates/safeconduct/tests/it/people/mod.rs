//! Getting in, and being somebody.

mod link;
mod session;
