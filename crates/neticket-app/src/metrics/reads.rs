//! Metrics of reads: the shared cache, reads of ledgers, and circuit breakers.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::register::{Label, Register};

#[derive(Debug)]
pub(crate) struct Reads {
    /// Number of ledger reads that show what is left.
    pub(crate) ledger_views: Counter,
    pub(crate) cache_hits: Counter,
    pub(crate) cache_misses: Counter,
    pub(crate) cache_failures: Counter,
    pub(crate) invalidations: Counter,
    pub(crate) invalidation_failures: Counter,
    pub(crate) ledger_views_open: Gauge,
    pub(crate) ledger_pending_open: Gauge,
    pub(crate) read_cache_open: Gauge,
}

impl Reads {
    pub(super) fn new(register: &mut Register) -> Self {
        let ledger_views = register.add(
            "ledger_views",
            "Reads of an event's ledger that show the seats left",
            Counter::default(),
        );
        let reads = register.add(
            "read_cache_reads",
            "Reads of the cache that nodes share: hit, miss or failed",
            Family::<Label, Counter>::default(),
        );
        let invalidations = register.add(
            "read_cache_forgets",
            "Invalidations of the shared event cache after a write: told (succeeded) or failed",
            Family::<Label, Counter>::default(),
        );
        let breakers = register.add(
            "breaker_open",
            "1 while the circuit breaker is open: ledger_views, ledger_pending or read_cache",
            Family::<Label, Gauge>::default(),
        );
        let read = |outcome| reads.get_or_create_owned(&[("outcome", outcome)]);
        let invalidation = |outcome| invalidations.get_or_create_owned(&[("outcome", outcome)]);
        let is_open = |what| breakers.get_or_create_owned(&[("what", what)]);
        Self {
            ledger_views,
            cache_hits: read("hit"),
            cache_misses: read("miss"),
            cache_failures: read("failed"),
            invalidations: invalidation("told"),
            invalidation_failures: invalidation("failed"),
            ledger_views_open: is_open("ledger_views"),
            ledger_pending_open: is_open("ledger_pending"),
            read_cache_open: is_open("read_cache"),
        }
    }
}
