//! Builds in real jails, by the real uv, from wheels that the tests make.
//!
//! `cfg(test)` is always on here; saying it tells clippy that the helpers are tests too.

#[cfg(test)]
mod builds;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod keeping;
#[cfg(test)]
mod network;
