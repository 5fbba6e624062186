//! The limits and times of the booking engine: their defaults, what they may be, and what they must be to each other.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::ConfigError;

/// How old a node's view of a ledger may be, in milliseconds: what it shows, and by which it decides whom to ask for
/// pending reservations.
pub(crate) const VIEW_AGE_MAX_MS: u64 = 250;
/// The shortest `NETICKET_ACK_DEADLINE_MS`: several times the age of a view, which is waited for on top of
/// it.
const ACK_DEADLINE_MIN_MS: u64 = 4 * VIEW_AGE_MAX_MS;

/// The booking engine's limits.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// `NETICKET_QUEUE_LEN_MAX`, default 20,000: most wishes of one event waiting to be admitted (and, apart, to be committed, and to
    /// be cancelled).
    pub queue_len_max: usize,
    /// `NETICKET_BATCH_LEN_MAX`, default 500: most wishes in one batch.
    pub batch_len_max: usize,
    /// `NETICKET_ADMIT_BATCHES_MAX`, default 4: most batches of one event in flight at the ledger.
    pub admit_batches_max: usize,
    /// `NETICKET_COMMIT_BATCHES_MAX`, default 2: most batches of one event in flight at the store.
    pub commit_batches_max: usize,
    /// `NETICKET_ACK_DEADLINE_MS`, default 5,000: how long a booking waits for COMMIT. If its entry is in the
    /// journal by then, or the store fails before, the answer is `pending`.
    pub ack_deadline_ms: u64,
    /// `NETICKET_JOURNAL_LEN_MAX`, default 50,000: most entries of one event's journal: what all nodes
    /// have admitted and not committed yet, a few thousand each at full load.
    pub journal_len_max: usize,
    /// `NETICKET_GRACE_MS`, default 30,000: how old a journal entry or an outbox row is before any node takes care of it.
    /// Longer than a node that lives keeps anyone waiting: recovery that races the owners would only make a slow store
    /// slower.
    pub grace_ms: i64,
    /// How long before its opening an event's ledger is loaded.
    pub preload_lead_ms: i64,
    /// `NETICKET_TASK_INTERVAL_MS`, default 1,000: pause between two runs of each background task.
    pub task_interval_ms: u64,
    /// Pause between two looks for images that no event names.
    pub image_sweep_interval_ms: u64,
    /// How long such an image stays: a form may have been open since it was uploaded.
    pub image_orphan_age_ms: i64,
    /// `NETICKET_LEDGER_TIMEOUT_MS`, default 1,000: time-out of every call to the ledger.
    pub ledger_timeout_ms: u64,
    /// `NETICKET_STORE_TIMEOUT_MS`, default 10,000: time-out of every call to the store.
    pub store_timeout_ms: u64,
    /// `NETICKET_STORE_CONNECTIONS_MAX`, default 16: connections to a shared store.
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
    /// Reads the limits; `get` looks one variable up.
    ///
    /// # Errors
    /// Names the first variable that is out of its range, or that does not go with another.
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
                "{} must be more than NETICKET_ACK_DEADLINE_MS ({ack_deadline_ms}): recovery would race whoever still waits",
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

    /// What the variables of the engine are set to, in the order of the README.
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

/// A whole number within `range`; `default` if the variable is not set.
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
