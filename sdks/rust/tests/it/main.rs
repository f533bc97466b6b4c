//! The client against servers that misbehave as told.

mod contract;
mod retries;
mod scripted;
mod streams;
mod tokens;
