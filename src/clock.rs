//! The one place that asks what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::timestamp::Timestamp;

/// A source of the present moment; tests hold one that stands still.
#[derive(Debug, Clone)]
pub enum Clock {
    System,
    /// Shows these Unix seconds until they are changed.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the place that may")]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix(match self {
            Self::System => time::OffsetDateTime::now_utc().unix_timestamp(),
            Self::Fixed(seconds) => seconds.load(Ordering::SeqCst),
        })
    }
}
