//! Lists: one page at a time, or as a stream that asks for the next page when it is needed.

use std::future::Future;

use async_stream::try_stream;
use futures::Stream;
use serde::{Deserialize, Serialize};

use crate::Error;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Give it back as `cursor` for the next page; `None` on the last.
    #[serde(default)]
    pub next_cursor: Option<String>,
    /// How many there are in all, if asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
}

/// All items, page after page. `fetch` gets the cursor; the first error ends the stream.
pub(crate) fn all<T, F>(
    first: Option<String>,
    fetch: impl Fn(Option<String>) -> F,
) -> impl Stream<Item = Result<T, Error>>
where
    F: Future<Output = Result<Page<T>, Error>>,
{
    try_stream! {
        let mut cursor = first;
        loop {
            let page = fetch(cursor).await?;
            for item in page.items {
                yield item;
            }
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::StreamExt;

    use super::*;

    #[tokio::test]
    async fn the_stream_follows_cursors_and_ends_with_the_first_error() {
        let fetch = async |cursor: Option<String>| match cursor.as_deref() {
            None => Ok(Page { items: vec![1, 2], next_cursor: Some("a".into()), total: None }),
            Some("a") => Ok(Page { items: vec![3], next_cursor: Some("b".into()), total: None }),
            _ => Err(Error::new("unreachable", "gone", "")),
        };
        let items: Vec<Option<i32>> = pin!(all(None, fetch)).map(Result::ok).collect().await;
        assert_eq!(items, [Some(1), Some(2), Some(3), None]);
    }
}
