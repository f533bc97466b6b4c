//! One connection that listens: authority revisions and queue wake-ups announced by any node.

use std::time::Duration;

use futures::StreamExt;
use tokio::sync::watch;
use tokio_postgres::{AsyncMessage, NoTls};

use super::pool::parse;
use crate::{OpenError, Signals};

#[expect(clippy::disallowed_methods, reason = "the listener's own task; db stands below telemetry::spawn")]
pub(super) fn start(url: &str, signals: Signals) -> Result<watch::Receiver<i64>, OpenError> {
    let config = parse(url)?;
    let (revisions, heard) = watch::channel(0);
    tokio::spawn(async move {
        // Ends when nobody holds the database any more.
        while !revisions.is_closed() {
            if let Err(error) = listen(&config, &revisions, &signals).await {
                tracing::warn!(%error, "listening connection lost; trying again");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    Ok(heard)
}

async fn listen(
    config: &tokio_postgres::Config,
    revisions: &watch::Sender<i64>,
    signals: &Signals,
) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = config.connect(NoTls).await?;
    let mut messages = futures::stream::poll_fn(move |context| connection.poll_message(context));
    let subscribe = client.batch_execute("LISTEN safeconduct_authority; LISTEN safeconduct_queue");
    tokio::pin!(subscribe);
    let mut subscribed = false;
    loop {
        tokio::select! {
            result = &mut subscribe, if !subscribed => { result?; subscribed = true; }
            message = messages.next() => match message {
                Some(message) => hear(message?, revisions, signals),
                None => return Ok(()),
            },
            () = revisions.closed() => return Ok(()),
        }
    }
}

fn hear(message: AsyncMessage, revisions: &watch::Sender<i64>, signals: &Signals) {
    let AsyncMessage::Notification(notice) = message else { return };
    match notice.channel() {
        "safeconduct_queue" => signals.work_queued(),
        _ => {
            let revision = notice.payload().parse().unwrap_or(0);
            revisions.send_modify(|last| *last = revision.max(*last));
        }
    }
}
