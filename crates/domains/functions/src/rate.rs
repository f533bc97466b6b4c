//! How often a function may start.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// At most so many starts in any span of that length, on all servers together. What is over it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FunctionRate)]
pub struct Rate {
    /// 0 for no limit.
    #[schema(minimum = 0, maximum = 10000)]
    pub starts: i64,
    #[serde(default = "minute")]
    #[schema(minimum = 1, maximum = 86400)]
    pub per_seconds: i64,
}

fn minute() -> i64 {
    60
}

impl From<Rate> for runs::Rate {
    fn from(rate: Rate) -> Self {
        Self { starts: rate.starts, span: Duration::from_secs(u64::try_from(rate.per_seconds).unwrap_or(1)) }
    }
}
