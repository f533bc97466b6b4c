//! Environments that no run uses are removed after a time; from its lock one is built again when it is needed.

use crate::Environments;
use crate::files::{Held, time};

impl Environments {
    /// Called now and then. A failure is told in the log: the next time comes.
    pub fn sweep(&self) {
        let inner = self.inner();
        let since = time(inner.world.now()) - inner.settings.keep;
        self.forget_builds();
        for home in inner.files.homes() {
            // Somebody builds there; the next time comes.
            let Ok(Some(held)) = Held::of(home.clone()) else { continue };
            match held.clean(since) {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "environments that nobody used were removed"),
                Err(error) => tracing::warn!(%error, home = %home.display(), "environments cannot be swept"),
            }
        }
    }
}
