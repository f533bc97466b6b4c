//! A large file, piece by piece: no end is set to the whole, only to the wait for each piece.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use tokio::time::timeout;

use crate::{Destination, Egress, EgressError, Request};

/// A file under way.
pub struct Download {
    /// The caller's to judge, like that of every call.
    pub status: u16,
    host: String,
    body: Incoming,
    /// Bytes that may still come.
    left: usize,
    most: usize,
}

const PATIENCE: Duration = Duration::from_secs(30);

impl Egress {
    /// One HTTP call whose answer is read as it comes.
    pub async fn download(&self, to: Destination, request: Request<'_>) -> Result<Download, EgressError> {
        let (host, most) = (request.host().to_owned(), request.most());
        let opened = timeout(PATIENCE, self.open(to, request)).await;
        let opened = match opened {
            Ok(opened) => opened,
            Err(_) => Err(EgressError::Silent { host: host.clone(), seconds: PATIENCE.as_secs() }),
        };
        let label = opened.as_ref().map_or_else(EgressError::label, |_| "answered");
        metrics::counter!("safeconduct_egress_calls_total", "outcome" => label).increment(1);
        let answer = opened?;
        Ok(Download { status: answer.status().as_u16(), host, body: answer.into_body(), left: most, most })
    }
}

impl Download {
    /// `None` when all of it is there.
    pub async fn next(&mut self) -> Result<Option<Bytes>, EgressError> {
        loop {
            let host = || self.host.clone();
            let frame = match timeout(PATIENCE, self.body.frame()).await {
                Err(_) => return Err(EgressError::Silent { host: host(), seconds: PATIENCE.as_secs() }),
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => {
                    return Err(EgressError::Http { host: host(), reason: error.to_string() });
                }
                Ok(Some(Ok(frame))) => frame,
            };
            let Ok(bytes) = frame.into_data() else { continue };
            self.left = match self.left.checked_sub(bytes.len()) {
                Some(left) => left,
                None => return Err(EgressError::TooLarge { host: host(), most: self.most }),
            };
            return Ok(Some(bytes));
        }
    }
}
