//! Reader threads: each a connection of its own with cached statements, all fed by one queue.

use std::path::Path;

use crossbeam_channel::Sender;
use tokio::sync::oneshot;

use super::statements::{failed, rows};
use super::{open, writer};
use crate::{DbError, OpenError, Row, Statement};

type Answer = oneshot::Sender<Result<Vec<Row>, DbError>>;

pub(super) struct Readers {
    queue: Sender<(Statement, Answer)>,
}

impl Readers {
    pub(super) fn start(path: &Path, count: usize) -> Result<Self, OpenError> {
        let (queue, requests) = crossbeam_channel::unbounded::<(Statement, Answer)>();
        for number in 0..count.max(1) {
            let connection = open::reader(path)?;
            let requests = requests.clone();
            writer::thread(&format!("db-read-{number}"), move || {
                for (statement, answer) in requests {
                    // Nobody waits any more when the caller hung up.
                    let _ = answer.send(rows(&connection, &statement).map_err(failed));
                }
            })?;
        }
        Ok(Self { queue })
    }

    pub(super) async fn read(&self, statement: Statement) -> Result<Vec<Row>, DbError> {
        let (answer, answered) = oneshot::channel();
        let closed = || DbError::Unavailable("the readers have stopped".into());
        self.queue.send((statement, answer)).map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}
