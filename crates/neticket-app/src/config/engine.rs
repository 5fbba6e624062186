//! The limits and times of the booking engine: their defaults, their ranges, and the relations between them.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::error::ConfigError;

/// Maximum age of a node's view of a ledger, in milliseconds. The node shows this view, and decides by it
/// which journals it reads for pending reservations.
pub(crate) const VIEW_AGE_MAX_MS: u64 = 250;
/// Minimum of `NETICKET_ACK_DEADLINE_MS`. It is several times the maximum age of a view, because an answer
/// may have to wait for that age in addition to the deadline.
const ACK_DEADLINE_MIN_MS: u64 = 4 * VIEW_AGE_MAX_MS;

/// The booking engine's limits.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// `NETICKET_QUEUE_LEN_MAX`, default 20,000: maximum number of requests in the admission queue of one
    /// event. The cancel queue of an event has the same limit. The commit queue has this limit too, but is at
    /// most four batches long.
    pub queue_len_max: usize,
    /// `NETICKET_BATCH_LEN_MAX`, default 500: maximum number of requests in one batch.
    pub batch_len_max: usize,
    /// `NETICKET_ADMIT_BATCHES_MAX`, default 2: maximum number of batches of one event in flight at the
    /// ledger.
    pub admit_batches_max: usize,
    /// `NETICKET_COMMIT_BATCHES_MAX`, default 2: maximum number of batches of one event in flight at the
    /// store.
    pub commit_batches_max: usize,
    /// `NETICKET_ACK_DEADLINE_MS`, default 5,000: how long a booking waits for COMMIT. If the deadline passes
    /// or the store fails after the booking was admitted, the answer is `pending`.
    pub ack_deadline_ms: u64,
    /// `NETICKET_JOURNAL_LEN_MAX`, default 50,000: maximum number of entries in the journal of one event. The
    /// journal has the bookings that all nodes have admitted and not settled yet: a few thousand per node at
    /// full load.
    pub journal_len_max: usize,
    /// `NETICKET_GRACE_MS`, default 30,000: the age at which any node recovers a journal entry or an outbox
    /// row. Longer than `NETICKET_ACK_DEADLINE_MS`: recovery that competes with the node that still works on
    /// an entry would only slow down a store that is already slow.
    pub grace_ms: i64,
    /// How long before its opening an event's ledger is loaded, in milliseconds. Default 600,000, without a
    /// variable.
    pub preload_lead_ms: i64,
    /// `NETICKET_TASK_INTERVAL_MS`, default 1,000: pause between two runs of most background tasks. The
    /// others run at a multiple of it, or at an interval of their own.
    pub task_interval_ms: u64,
    /// Pause between two searches for images that no event names, in milliseconds. Default one hour, without
    /// a variable.
    pub image_sweep_interval_ms: u64,
    /// How long such an image is kept, in milliseconds, because a form that uses it may still be open.
    /// Default one day, without a variable.
    pub image_orphan_age_ms: i64,
    /// `NETICKET_LEDGER_TIMEOUT_MS`, default 1,000: timeout of every call to the ledger.
    pub ledger_timeout_ms: u64,
    /// `NETICKET_STORE_TIMEOUT_MS`, default 10,000: timeout of every call to the store.
    pub store_timeout_ms: u64,
    /// `NETICKET_STORE_CONNECTIONS_MAX`, default 16: maximum number of connections to a shared store.
    pub store_connections_max: u32,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            queue_len_max: 20_000,
            batch_len_max: 500,
            admit_batches_max: 2,
            commit_batches_max: 2,
            ack_deadline_ms: 5_000,
            journal_len_max: neticket_ledger::JOURNAL_LEN_MAX_DEFAULT,
            grace_ms: 30_000,
            preload_lead_ms: 600_000,
            task_interval_ms: 1_000,
            image_sweep_interval_ms: 3_600_000,
            image_orphan_age_ms: 86_400_000,
            ledger_timeout_ms: 1_000,
            store_timeout_ms: 10_000,
            store_connections_max: 16,
        }
    }
}

impl EngineConfig {
    /// Reads the limits. `get` returns the value of one variable.
    ///
    /// # Errors
    /// Names the first variable that is out of its range or contradicts another variable.
    pub(super) fn read(get: &impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let usual = Self::default();
        let engine = Self {
            queue_len_max: number(get, "NETICKET_QUEUE_LEN_MAX", usual.queue_len_max, 1..=1_000_000)?,
            batch_len_max: number(get, "NETICKET_BATCH_LEN_MAX", usual.batch_len_max, 1..=5_000)?,
            admit_batches_max: number(get, "NETICKET_ADMIT_BATCHES_MAX", usual.admit_batches_max, 1..=16)?,
            commit_batches_max: number(get, "NETICKET_COMMIT_BATCHES_MAX", usual.commit_batches_max, 1..=16)?,
            ack_deadline_ms: number(
                get,
                "NETICKET_ACK_DEADLINE_MS",
                usual.ack_deadline_ms,
                ACK_DEADLINE_MIN_MS..=20_000,
            )?,
            journal_len_max: number(get, "NETICKET_JOURNAL_LEN_MAX", usual.journal_len_max, 1..=1_000_000)?,
            grace_ms: number(get, "NETICKET_GRACE_MS", usual.grace_ms, 1_000..=3_600_000)?,
            task_interval_ms: number(get, "NETICKET_TASK_INTERVAL_MS", usual.task_interval_ms, 10..=60_000)?,
            ledger_timeout_ms: number(
                get,
                "NETICKET_LEDGER_TIMEOUT_MS",
                usual.ledger_timeout_ms,
                50..=30_000,
            )?,
            store_timeout_ms: number(get, "NETICKET_STORE_TIMEOUT_MS", usual.store_timeout_ms, 100..=60_000)?,
            store_connections_max: number(
                get,
                "NETICKET_STORE_CONNECTIONS_MAX",
                usual.store_connections_max,
                1..=1_000,
            )?,
            ..usual
        };
        engine.check_together()?;
        Ok(engine)
    }

    fn check_together(&self) -> Result<(), ConfigError> {
        let ack_deadline_ms = i64::try_from(self.ack_deadline_ms).unwrap_or(i64::MAX);
        if self.grace_ms <= ack_deadline_ms {
            let problem = format!(
                "{} must be more than NETICKET_ACK_DEADLINE_MS ({ack_deadline_ms}): recovery would race with requests that still wait",
                self.grace_ms
            );
            return Err(ConfigError { variable: "NETICKET_GRACE_MS", problem });
        }
        if self.batch_len_max > self.queue_len_max {
            let problem = format!(
                "{} must be at most NETICKET_QUEUE_LEN_MAX ({}): no batch can be longer than its queue",
                self.batch_len_max, self.queue_len_max
            );
            return Err(ConfigError { variable: "NETICKET_BATCH_LEN_MAX", problem });
        }
        Ok(())
    }

    /// The values of the engine's variables, in the order of the README.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("NETICKET_ACK_DEADLINE_MS", self.ack_deadline_ms.to_string()),
            ("NETICKET_GRACE_MS", self.grace_ms.to_string()),
            ("NETICKET_TASK_INTERVAL_MS", self.task_interval_ms.to_string()),
            ("NETICKET_LEDGER_TIMEOUT_MS", self.ledger_timeout_ms.to_string()),
            ("NETICKET_STORE_TIMEOUT_MS", self.store_timeout_ms.to_string()),
            ("NETICKET_STORE_CONNECTIONS_MAX", self.store_connections_max.to_string()),
            ("NETICKET_QUEUE_LEN_MAX", self.queue_len_max.to_string()),
            ("NETICKET_BATCH_LEN_MAX", self.batch_len_max.to_string()),
            ("NETICKET_ADMIT_BATCHES_MAX", self.admit_batches_max.to_string()),
            ("NETICKET_COMMIT_BATCHES_MAX", self.commit_batches_max.to_string()),
            ("NETICKET_JOURNAL_LEN_MAX", self.journal_len_max.to_string()),
        ]
    }
}

/// Reads a whole number within `range`. Returns `default` if the variable is not set.
pub(super) fn number<T>(
    get: &impl Fn(&str) -> Option<String>,
    variable: &'static str,
    default: T,
    range: RangeInclusive<T>,
) -> Result<T, ConfigError>
where
    T: FromStr + PartialOrd + Display,
{
    let Some(text) = get(variable) else { return Ok(default) };
    match text.parse() {
        Ok(value) if range.contains(&value) => Ok(value),
        _ => {
            let (low, high) = (range.start(), range.end());
            Err(ConfigError { variable, problem: format!("`{text}` is not a number from {low} to {high}") })
        }
    }
}
