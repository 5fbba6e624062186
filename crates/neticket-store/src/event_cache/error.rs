//! Why the event cache did not answer.

/// Redis did not carry out a call. No booking depends on it. The reader asks the database instead.
#[derive(Debug, thiserror::Error)]
pub enum EventCacheError {
    #[error("no answer within {timeout_ms} ms")]
    Timeout { timeout_ms: u128 },
    #[error(transparent)]
    Redis(#[from] redis::RedisError),
}
