//! What parent and workers tell each other: one JSON object a line, on the worker's standard input and output.
//!
//! The parent sends [`Orders`]; the worker prepares (people's tokens, connections) and says [`Word::Ready`]; the parent sends
//! the moment of the [`Start`], the same to all; then come [`Word::Progress`] and, last, [`Word::Done`].

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::tally::Tally;

/// Most connections of one worker: processes are commonly allowed 20,000 files.
pub(crate) const CONNECTIONS_MAX: u32 = 15_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// For the `Host` header.
    pub(crate) host: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Orders {
    /// Connection `n` of the worker goes to target `n` modulo how many there are.
    pub(crate) targets: Vec<Target>,
    /// Where connections come from; `None`: the system chooses.
    pub(crate) source: Option<IpAddr>,
    pub(crate) connections: u32,
    /// Part of every idempotency key, so that no two runs share one.
    pub(crate) run: Uuid,
    pub(crate) secret: String,
    /// User ids of whom this worker plays.
    pub(crate) people: Vec<i64>,
    /// The event; 0 where there is none.
    pub(crate) event: i64,
    /// Its ticket types.
    pub(crate) grades: Vec<Grade>,
    pub(crate) load: Load,
}

/// A ticket type, and what every booking says that it costs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Grade {
    pub(crate) id: i64,
    pub(crate) unit_price: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Load {
    Rush(Rush),
    Book(Span),
    Read(Span),
    Hold { path: String, hold_ms: u64 },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rush {
    /// Person `n` of this worker comes `first_us + n * step_us` after the start.
    pub(crate) first_us: f64,
    pub(crate) step_us: f64,
    pub(crate) connect_before: bool,
    pub(crate) patience_ms: u64,
    pub(crate) other_grades: bool,
}

/// The time of a closed loop.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) warmup_ms: u64,
    pub(crate) measured_ms: u64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    /// Milliseconds since 1970.
    pub(crate) at_ms: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Word {
    Ready {
        /// Connections that are open.
        open: u64,
    },
    Progress(Progress),
    Done(Box<Tally>),
}

/// How far a worker is.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) confirmed: u64,
    pub(crate) decided: u64,
    pub(crate) errors: u64,
}
