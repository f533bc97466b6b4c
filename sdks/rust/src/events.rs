//! Event streams that go on where they broke off.

use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderName};
use reqwest::{Response, Url};

use crate::call::unreachable;
use crate::sse::{Event, Parser};
use crate::{Client, Error};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Servers send a comment every few seconds; a silence this long is a dead connection.
const SILENCE: Duration = Duration::from_secs(60);
/// Attempts in a row that bring no event.
const TRIES: u32 = 6;

/// A stream of events over one or several connections.
pub struct Events {
    client: Client,
    path: Vec<String>,
    query: Vec<(String, String)>,
    resume: Option<String>,
    connection: Option<Connection>,
    ready: std::collections::VecDeque<Event>,
    failures: u32,
    pause: Duration,
}

struct Connection {
    response: Response,
    parser: Parser,
}

impl Events {
    /// A stream whose end is for the caller to see; a closed connection is opened again.
    pub(crate) fn new(client: &Client, path: &[&str], query: Vec<(String, String)>) -> Self {
        Self {
            client: client.clone(),
            path: path.iter().map(|&segment| segment.to_owned()).collect(),
            query,
            resume: None,
            connection: None,
            ready: std::collections::VecDeque::new(),
            failures: 0,
            pause: Duration::from_millis(200),
        }
    }

    /// Goes on behind the event with this id.
    #[must_use]
    pub fn after(mut self, id: impl Into<String>) -> Self {
        self.resume = Some(id.into());
        self
    }

    /// The id to go on from in a later stream.
    pub fn last_id(&self) -> Option<&str> {
        self.resume.as_deref()
    }

    /// The next event.
    ///
    /// # Errors
    /// A refusal, or a server that stayed away for several attempts.
    pub async fn next(&mut self) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                if event.id.is_some() {
                    self.resume.clone_from(&event.id);
                }
                return Ok(event);
            }
            match self.read().await {
                Ok(true) => {}
                Ok(false) => self.pause_before_next(None).await?,
                Err(error) if error.is_passing() => self.pause_before_next(Some(error)).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes the next bytes in; `false` when the server closed the connection.
    async fn read(&mut self) -> Result<bool, Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let url = connection.response.url().clone();
        let chunk = tokio::time::timeout(SILENCE, connection.response.chunk()).await;
        let chunk = chunk.map_err(|_| silent(&url))?.map_err(|error| unreachable(&url, error))?;
        let Some(chunk) = chunk else { return Ok(false) };
        let events = connection.parser.push(&chunk).map_err(|_| flooded())?;
        if !events.is_empty() {
            self.failures = 0;
        }
        if let Some(pause) = connection.parser.retry() {
            self.pause = pause.min(Duration::from_secs(30));
        }
        self.ready.extend(events);
        self.connection = Some(connection);
        Ok(true)
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let call =
            self.client.get(&path).query(&self.query).header(ACCEPT, "text/event-stream").timeout(None);
        let call = match &self.resume {
            Some(id) => call.header(LAST_EVENT_ID, id),
            None => call,
        };
        Ok(Connection { response: call.send().await?, parser: Parser::default() })
    }

    async fn pause_before_next(&mut self, error: Option<Error>) -> Result<(), Error> {
        self.failures += 1;
        match error {
            Some(error) if self.failures >= TRIES => Err(error),
            _ => {
                tokio::time::sleep(self.pause * self.failures.min(TRIES)).await;
                Ok(())
            }
        }
    }
}

fn silent(url: &Url) -> Error {
    let detail = format!("{} fell silent.", url.origin().ascii_serialization());
    Error::new("unreachable", "The connection broke", detail)
}

fn flooded() -> Error {
    Error::new("unreadable_answer", "The stream could not be read", "A line of it has no end.")
}
