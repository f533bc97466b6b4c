//! Argon2id (RFC 9106) with 19 MiB and two passes, on threads of its own: few, nice to everybody else, with a short queue. A
//! storm of sign-ins fills the queue and is told to wait; it never takes the reactor's threads, nor much of its processors.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use types::{Secret, World};

/// KiB of memory, passes, lanes: the OWASP minimum with the least memory.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashes that may wait; at some 20 ms each this is about a second and a half.
const WAITING: usize = 64;
/// Out of 20: these threads yield to all others.
const NICENESS: i32 = 10;

type Job = Box<dyn FnOnce(&Argon2<'static>) + Send>;

/// The queue is full.
#[derive(Debug, thiserror::Error)]
#[error("too many passwords are being checked")]
pub(crate) struct Overloaded;

/// Hands work to the threads; clones share them. They end when the last one is dropped.
#[derive(Clone)]
pub(crate) struct Hasher {
    queue: SyncSender<Job>,
    world: World,
}

impl Hasher {
    pub(crate) fn start(world: World) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel::<Job>(WAITING);
        let jobs = Arc::new(Mutex::new(jobs));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for number in 0..cores.div_ceil(2) {
            let jobs = jobs.clone();
            let thread = std::thread::Builder::new().name(format!("password {number}"));
            thread.spawn(move || work(&jobs))?;
        }
        Ok(Self { queue, world })
    }

    /// The PHC string of a password, under a fresh salt.
    pub(crate) async fn hash(&self, password: Secret<String>) -> Result<String, Overloaded> {
        let salt = self.world.bytes::<16>();
        self.run(move |argon| {
            let salt = SaltString::encode_b64(&salt).ok()?;
            let hash = argon.hash_password(password.reveal().as_bytes(), &salt).ok()?;
            Some(hash.to_string())
        })
        .await?
        // Sixteen bytes are a salt and the parameters are constants: there is nothing that could fail.
        .ok_or(Overloaded)
    }

    /// Whether a password has this hash. Without a hash – nobody has that name – as much work is done, for nothing.
    pub(crate) async fn verify(
        &self,
        password: Secret<String>,
        hash: Option<String>,
    ) -> Result<bool, Overloaded> {
        self.run(move |argon| {
            let known = hash.is_some();
            let text = hash.as_deref().unwrap_or(NOBODYS);
            let parsed = PasswordHash::new(text);
            let same = parsed
                .is_ok_and(|parsed| argon.verify_password(password.reveal().as_bytes(), &parsed).is_ok());
            known && same
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> T + Send + 'static,
    ) -> Result<T, Overloaded> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |argon| {
            // Whoever asked may have hung up.
            let _ = answer.send(work(argon));
        });
        self.queue.try_send(job).map_err(|_| Overloaded)?;
        answered.await.map_err(|_| Overloaded)
    }
}

/// The hash of a password that nobody has, of the same parameters.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2FmZWNvbmR1Y3Rub2JvZHk$0000000000000000000000000000000000000000000";

fn work(jobs: &Mutex<Receiver<Job>>) {
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::warn!(%error, "the threads of passwords run as fast as all others");
    }
    let argon = match Params::new(MEMORY, PASSES, LANES, None) {
        Ok(params) => Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
        Err(error) => return tracing::error!(%error, "no passwords can be checked"),
    };
    loop {
        let job = jobs.lock().recv();
        match job {
            Ok(job) => job(&argon),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn hasher() -> Hasher {
        Hasher::start(World::system()).unwrap()
    }

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_has_its_own_hash_and_nobody_elses() {
        let hasher = hasher();
        let hash = hasher.hash(secret("correct horse battery")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, hasher.hash(secret("correct horse battery")).await.unwrap(), "one salt for two");
        assert!(hasher.verify(secret("correct horse battery"), Some(hash.clone())).await.unwrap());
        for wrong in ["", "correct horse batterY", "correct horse battery "] {
            assert!(!hasher.verify(secret(wrong), Some(hash.clone())).await.unwrap(), "{wrong}");
        }
        assert!(!hasher.verify(secret("correct horse battery"), None).await.unwrap());
        assert!(PasswordHash::new(NOBODYS).is_ok(), "work for nobody must be work");
    }

    /// One thread drives the test: if hashing took it, the clock below would not tick.
    #[tokio::test]
    async fn the_reactor_goes_on_during_a_storm_and_the_queue_is_bounded() {
        let hasher = hasher();
        let storm: Vec<_> = (0..200)
            .map(|_| {
                let hasher = hasher.clone();
                telemetry::spawn("storm", async move { hasher.verify(secret("guess"), None).await.is_ok() })
            })
            .collect();
        let (mut ticks, mut longest) = (0, std::time::Duration::ZERO);
        let mut last = Instant::now();
        let all = futures::future::join_all(storm);
        tokio::pin!(all);
        let done = loop {
            tokio::select! {
                done = &mut all => break done,
                () = tokio::task::yield_now() => {
                    ticks += 1;
                    longest = longest.max(last.elapsed());
                    last = Instant::now();
                }
            }
        };
        let answered = done.into_iter().filter(|answered| *answered.as_ref().unwrap()).count();
        assert!((WAITING..200).contains(&answered), "{answered} of 200 were answered, the rest told to wait");
        assert!(
            ticks > 1000 && longest < std::time::Duration::from_millis(500),
            "{ticks} ticks, {longest:?}"
        );
    }
}
