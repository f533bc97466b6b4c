//! The jail suite: calls, limits, escapes and bombs. Runs as root and as an ordinary user
//! (`tests/as-ordinary-user.sh`); each attack succeeds first without its guard.

mod bombs;
mod calls;
mod endings;
mod escape;
mod fixture;
mod processes;
mod randomness;
mod zygotes;
