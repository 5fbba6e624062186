//! Messages between parent and workers: one JSON object per line, on the worker's standard input and output.
//!
//! The parent sends [`WorkerConfig`]. The worker prepares the tokens and connections and sends
//! [`WorkerMessage::Ready`]. The parent sends [`Start`] with the same moment to all. The worker then sends
//! [`WorkerMessage::Progress`] repeatedly and [`WorkerMessage::Done`] at the end.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::stats::Stats;

/// The most connections of one worker, because processes may commonly open 20,000 files.
pub(crate) const CONNECTIONS_MAX: u32 = 15_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// For the `Host` header.
    pub(crate) host: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WorkerConfig {
    /// Connection `n` of the worker uses target `n` modulo the number of targets.
    pub(crate) targets: Vec<Target>,
    /// The address from which to connect. `None`: the system chooses.
    pub(crate) source: Option<IpAddr>,
    pub(crate) connections: u32,
    /// Part of every idempotency key, so that no two runs share one.
    pub(crate) run: Uuid,
    pub(crate) secret: String,
    /// The ids of the users whom this worker plays.
    pub(crate) people: Vec<i64>,
    /// The event. 0 if there is none.
    pub(crate) event: i64,
    /// The event's ticket types.
    pub(crate) ticket_types: Vec<TicketType>,
    pub(crate) load: Load,
}

/// A ticket type, and the price that every booking names.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct TicketType {
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
    /// Person `n` of this worker books `first_us + n * step_us` microseconds after the start.
    pub(crate) first_us: f64,
    pub(crate) step_us: f64,
    pub(crate) connect_before: bool,
    pub(crate) give_up_after_ms: u64,
    pub(crate) other_ticket_types: bool,
}

/// The times of a closed loop.
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
pub(crate) enum WorkerMessage {
    Ready {
        /// Connections that are open.
        open: u64,
    },
    Progress(Progress),
    Done(Box<Stats>),
}

/// The progress of a worker.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) confirmed: u64,
    pub(crate) decided: u64,
    pub(crate) errors: u64,
}
