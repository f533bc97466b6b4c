//! A cache of what authority depends on, kept true by the revision feed.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::Feed;

/// Values by key. The owner tells it to [`forget`](Cache::forget) when the feed names a key; a value that was being
/// loaded meanwhile is handed out once but not kept.
pub struct Cache<K, V> {
    feed: Feed,
    most: usize,
    values: RwLock<HashMap<K, Arc<V>>>,
}

impl<K: Eq + Hash + Clone, V> Cache<K, V> {
    /// Holds `most` values; one more empties it, which costs a few loads and no bookkeeping per hit.
    pub fn new(feed: Feed, most: usize) -> Self {
        Self { feed, most, values: RwLock::new(HashMap::new()) }
    }

    /// The value, from memory or loaded. `None` from `load` means that there is no such thing; that is not kept.
    ///
    /// Loading is rare and its future large: it gets a place of its own, so that whoever finds the value carries none of it.
    pub async fn get<E, L: Future<Output = Result<Option<V>, E>>>(
        &self,
        key: K,
        load: impl FnOnce() -> L,
    ) -> Result<Option<Arc<V>>, E> {
        if let Some(value) = self.values.read().get(&key) {
            return Ok(Some(value.clone()));
        }
        let announced = self.feed.announced();
        let Some(value) = Box::pin(load()).await?.map(Arc::new) else { return Ok(None) };
        let mut values = self.values.write();
        // The feed announces first and tells its listeners then: either we see the news here, or we are told to forget.
        if self.feed.announced() == announced {
            if values.len() >= self.most {
                values.clear();
            }
            values.insert(key, value.clone());
        }
        Ok(Some(value))
    }

    pub fn forget(&self, key: &K) {
        self.values.write().remove(key);
    }

    /// For news about something that values hold inside, such as a group that somebody is in.
    pub fn forget_where(&self, touched: impl Fn(&K, &V) -> bool) {
        self.values.write().retain(|key, value| !touched(key, value));
    }

    /// For news that does not say which keys it touches.
    pub fn forget_all(&self) {
        self.values.write().clear();
    }
}
