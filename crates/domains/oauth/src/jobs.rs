//! Background work: turning keys, writing counts, sweeping. The house calls these; nothing runs by itself.

use db::Bookkeeping;

use crate::Oauth;
use crate::store::{self, ASSERTIONS};

impl Oauth {
    /// Every few seconds, and with `all` once at the end: writes the introspections of minutes that are over.
    pub async fn flush_counts(&self, all: bool) {
        let inner = self.inner();
        if let Err(error) = inner.tally.flush(&inner.ledger, inner.world.now(), all).await {
            tracing::warn!(%error, "introspections are not recorded yet; the next flush tries again");
        }
    }

    /// Every minute: turns keys that are due and forgets what has expired.
    pub async fn sweep(&self) {
        let inner = self.inner();
        let now = inner.world.now();
        inner.live.sweep(now);
        if let Err(error) = inner.keys.keep().await {
            tracing::warn!(%error, "signing keys were not looked after; the next sweep tries again");
        }
        self.sweep_logins().await;
        let books = Bookkeeping::new(ASSERTIONS).statement(store::forget_assertions(now));
        if let Err(error) = inner.db.keep(books).await {
            tracing::warn!(%error, "used assertions were not swept");
        }
    }
}
