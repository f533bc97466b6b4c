//! Keeps the write-ahead log short: PASSIVE checkpoints beside the writer, a RESTART by the writer past 64 MB.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};

use rusqlite::Connection;

use super::writer;
use crate::OpenError;

const RESTART_BYTES: u64 = 64 * 1024 * 1024;

pub(super) struct Checkpointer {
    wal: PathBuf,
    wake: Sender<()>,
    since_wake: u32,
}

impl Checkpointer {
    pub(super) fn start(path: &Path) -> Result<Self, OpenError> {
        let connection = super::open::writer(path)?;
        let (wake, wakes) = channel();
        writer::thread("db-checkpoint", move || {
            for () in wakes {
                // Busy readers only mean that the next round copies more.
                let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            }
        })?;
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        Ok(Self { wal: wal.into(), wake, since_wake: 0 })
    }

    /// Called by the writer after each batch; `connection` is the writer's.
    pub(super) fn after_batch(&mut self, connection: &Connection) {
        self.since_wake += 1;
        if self.since_wake < 64 {
            return;
        }
        self.since_wake = 0;
        let size = std::fs::metadata(&self.wal).map_or(0, |file| file.len());
        if size > RESTART_BYTES {
            let _ = connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()));
            metrics::counter!("safeconduct_db_wal_restarts_total").increment(1);
        } else {
            let _ = self.wake.send(());
        }
    }
}
