//! The client against servers that misbehave as told.

mod retries;
mod scripted;
mod streams;
mod tokens;
