//! Who asks for Argon2: few threads with a short queue, each with a process that does the work. A storm of sign-ins fills the
//! queue and is told to wait; it never takes the reactor's threads, nor much of its processors.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use parking_lot::Mutex;
use tokio::sync::oneshot;
use types::{Secret, World};

use super::process::{NICENESS, Process};
use super::work::{Answer, Task, work};

/// Hashes that may wait; at some 20 ms each this is about a second and a half.
const WAITING: usize = 64;

struct Job {
    password: Secret<String>,
    task: Task,
    answer: oneshot::Sender<Option<Answer>>,
}

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
            thread.spawn(move || serve(&jobs))?;
        }
        Ok(Self { queue, world })
    }

    /// The PHC string of a password, under a fresh salt.
    pub(crate) async fn hash(&self, password: Secret<String>) -> Result<String, Overloaded> {
        let salt = self.world.bytes::<16>();
        match self.ask(password, Task::Hash { salt }).await? {
            Answer::Hash(hash) => Ok(hash),
            Answer::Same(_) => Err(Overloaded),
        }
    }

    /// Whether a password has this hash. Without a hash – nobody has that name – as much work is done, for nothing.
    pub(crate) async fn verify(
        &self,
        password: Secret<String>,
        hash: Option<String>,
    ) -> Result<bool, Overloaded> {
        match self.ask(password, Task::Verify { hash }).await? {
            Answer::Same(same) => Ok(same),
            Answer::Hash(_) => Err(Overloaded),
        }
    }

    async fn ask(&self, password: Secret<String>, task: Task) -> Result<Answer, Overloaded> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Job { password, task, answer }).map_err(|_| Overloaded)?;
        answered.await.ok().flatten().ok_or(Overloaded)
    }
}

fn serve(jobs: &Mutex<Receiver<Job>>) {
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::warn!(%error, "the threads of passwords run as fast as all others");
    }
    // Started with the first password, because many servers never see one.
    let mut process = None;
    loop {
        let job = jobs.lock().recv();
        let Ok(Job { password, task, answer }) = job else { return };
        // Whoever asked may have hung up.
        let _ = answer.send(solve(&mut process, &password, &task));
    }
}

/// By the process; by a new one when it died; here when none can be had, since people must come in.
fn solve(process: &mut Option<Process>, password: &Secret<String>, task: &Task) -> Option<Answer> {
    for _ in 0..2 {
        if process.is_none() {
            match Process::start() {
                None => break,
                Some(Ok(started)) => *process = Some(started),
                Some(Err(error)) => {
                    tracing::warn!(%error, "no process for passwords; they are checked in this one");
                    break;
                }
            }
        }
        match process.as_mut().map(|process| process.ask(password, task)) {
            Some(Ok(answer)) => return answer,
            Some(Err(error)) => tracing::warn!(%error, "the process that checks passwords ended"),
            None => {}
        }
        *process = None;
    }
    work(password, task)
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
