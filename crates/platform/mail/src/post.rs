//! The post: letters are handed in without waiting and carried by one worker, so that how long a relay takes tells nobody
//! whether a letter was sent at all.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use lettre::{Address, AsyncTransport};
use tokio::sync::{Mutex, mpsc};
use types::{RequestId, World};

use crate::Letter;
use crate::route::{Relay, Route, Transport};

/// Letters that may wait; a flood beyond is dropped and counted.
const WAITING: usize = 1024;
/// A relay that is away for a moment costs no letter.
const TRIES: u32 = 4;

#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("the address is not one that mail can be sent to")]
    Address,
    #[error("no way out for letters is configured")]
    Closed,
    #[error("{0}")]
    Setup(String),
    #[error("the relay refused: {0}")]
    Relay(String),
    #[error("{path}: {error}")]
    Io { path: String, error: std::io::Error },
}

/// Takes letters; clones share it.
#[derive(Clone)]
pub struct Post(Arc<Inner>);

struct Inner {
    way: Way,
    world: World,
    queue: mpsc::Sender<Addressed>,
    /// Taken by the worker.
    waiting: Mutex<Option<mpsc::Receiver<Addressed>>>,
}

enum Way {
    Relay { transport: Box<Transport>, sender: Mailbox },
    Directory(std::path::PathBuf),
    Closed,
}

struct Addressed {
    to: Mailbox,
    letter: Letter,
}

impl Post {
    /// Needs [`Post::carry`] to run somewhere.
    pub fn new(route: &Route, world: World) -> Result<Self, MailError> {
        let way = match route {
            Route::Relay(relay) => of_relay(relay)?,
            Route::Directory(path) => Way::Directory(path.clone()),
            Route::Closed => Way::Closed,
        };
        let (queue, waiting) = mpsc::channel(WAITING);
        Ok(Self(Arc::new(Inner { way, world, queue, waiting: Mutex::new(Some(waiting)) })))
    }

    /// Whether letters have a way out at all.
    pub fn is_open(&self) -> bool {
        !matches!(self.0.way, Way::Closed)
    }

    /// Hands a letter in; never waits for the relay.
    pub fn send(&self, to: &str, letter: Letter) -> Result<(), MailError> {
        if !self.is_open() {
            return Err(MailError::Closed);
        }
        let to = Mailbox::new(None, to.parse::<Address>().map_err(|_| MailError::Address)?);
        if self.0.queue.try_send(Addressed { to, letter }).is_err() {
            counted("dropped");
            tracing::error!("more letters wait than are kept; one was dropped");
        }
        Ok(())
    }

    /// Whether the relay would take letters now: connects and signs in, sends nothing.
    pub async fn test(&self) -> Result<(), MailError> {
        match &self.0.way {
            Way::Relay { transport, .. } => match transport.test_connection().await {
                Ok(true) => Ok(()),
                Ok(false) => Err(MailError::Relay("it hung up".to_owned())),
                Err(error) => Err(MailError::Relay(error.to_string())),
            },
            Way::Directory(path) => make(path),
            Way::Closed => Err(MailError::Closed),
        }
    }

    /// Carries letters until `stop` resolves; those handed in before are still carried.
    pub async fn carry(&self, stop: impl Future<Output = ()>) {
        let Some(mut waiting) = self.0.waiting.lock().await.take() else { return };
        tokio::pin!(stop);
        loop {
            tokio::select! {
                letter = waiting.recv() => match letter {
                    Some(letter) => self.deliver(&letter).await,
                    None => return,
                },
                () = &mut stop => break,
            }
        }
        while let Ok(letter) = waiting.try_recv() {
            self.deliver(&letter).await;
        }
    }

    async fn deliver(&self, addressed: &Addressed) {
        for attempt in 1..=TRIES {
            match self.try_deliver(addressed).await {
                Ok(()) => return counted("sent"),
                Err(MailError::Relay(reason)) if attempt < TRIES => {
                    tracing::warn!(reason, attempt, "a letter was not taken; trying again");
                    tokio::time::sleep(Duration::from_millis(250) * 4_u32.pow(attempt - 1)).await;
                }
                Err(error) => {
                    counted("failed");
                    return tracing::warn!(%error, "a letter was not sent");
                }
            }
        }
    }

    async fn try_deliver(&self, addressed: &Addressed) -> Result<(), MailError> {
        match &self.0.way {
            Way::Relay { transport, sender } => {
                let message = message(sender, addressed)?;
                transport.send(message).await.map(drop).map_err(|error| MailError::Relay(error.to_string()))
            }
            Way::Directory(path) => self.write(path, addressed),
            Way::Closed => Err(MailError::Closed),
        }
    }

    fn write(&self, directory: &Path, addressed: &Addressed) -> Result<(), MailError> {
        make(directory)?;
        let id: RequestId = self.0.world.id();
        let path = directory.join(format!("{id}.txt"));
        let write = || {
            let mut file =
                std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            let Addressed { to, letter } = addressed;
            write!(file, "To: {to}\nSubject: {}\n\n{}", letter.subject(), letter.plain())
        };
        write().map_err(|error| MailError::Io { path: path.display().to_string(), error })?;
        tracing::info!(path = %path.display(), "a letter was written, as no mail server is configured");
        Ok(())
    }
}

fn of_relay(relay: &Relay) -> Result<Way, MailError> {
    Ok(Way::Relay { transport: Box::new(relay.transport()?), sender: relay.sender()? })
}

fn make(directory: &Path) -> Result<(), MailError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|error| MailError::Io { path: directory.display().to_string(), error })
}

fn message(sender: &Mailbox, addressed: &Addressed) -> Result<Message, MailError> {
    let letter = &addressed.letter;
    let built = Message::builder()
        .from(sender.clone())
        .to(addressed.to.clone())
        .subject(letter.subject())
        // RFC 3834: no out-of-office replies.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .multipart(MultiPart::alternative_plain_html(letter.plain(), letter.html()));
    built.map_err(|error| MailError::Setup(error.to_string()))
}

fn counted(outcome: &'static str) {
    metrics::counter!("safeconduct_letters_total", "outcome" => outcome).increment(1);
}
