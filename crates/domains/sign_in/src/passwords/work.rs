//! One piece of work with Argon2id (RFC 9106): 19 MiB, two passes, one lane. Said in a form that a process of its own can be
//! asked for.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use types::Secret;

/// KiB of memory, passes, lanes: the OWASP minimum with the least memory.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The hash of a password that nobody has, of the same parameters.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2FmZWNvbmR1Y3Rub2JvZHk$0000000000000000000000000000000000000000000";

#[derive(Serialize, Deserialize)]
pub(super) enum Task {
    /// The PHC string under this salt of 16 bytes.
    Hash { salt: [u8; 16] },
    /// Whether it has this PHC string. Without one – nobody has that name – as much work is done, for nothing.
    Verify { hash: Option<String> },
}

#[derive(Serialize, Deserialize)]
pub(super) enum Answer {
    Hash(String),
    Same(bool),
}

/// Parameters that are constants and a salt of 16 bytes leave nothing that could fail; if it does, no answer.
pub(super) fn work(password: &Secret<String>, task: &Task) -> Option<Answer> {
    let params = Params::new(MEMORY, PASSES, LANES, None).ok()?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let password = password.reveal().as_bytes();
    match task {
        Task::Hash { salt } => {
            let salt = SaltString::encode_b64(salt).ok()?;
            Some(Answer::Hash(argon.hash_password(password, &salt).ok()?.to_string()))
        }
        Task::Verify { hash } => {
            let parsed = PasswordHash::new(hash.as_deref().unwrap_or(NOBODYS));
            let same = parsed.is_ok_and(|parsed| argon.verify_password(password, &parsed).is_ok());
            Some(Answer::Same(hash.is_some() && same))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_for_nobody_is_work() {
        assert!(PasswordHash::new(NOBODYS).is_ok());
    }
}
