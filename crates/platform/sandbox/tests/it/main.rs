//! The jail suite: calls, limits, escapes and bombs. Runs as root and as an ordinary user
//! (`tests/as-ordinary-user.sh`); each attack succeeds first without its guard.
//!
//! `cfg(test)` is always on here; saying it tells clippy that the helpers are tests too.

#[cfg(test)]
mod asking;
#[cfg(test)]
mod bombs;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod escape;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod questions;
#[cfg(test)]
mod randomness;
#[cfg(test)]
mod zygotes;
