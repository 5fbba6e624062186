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
    pub(crate) forgets: Counter,
    pub(crate) forget_failures: Counter,
    pub(crate) views_silent: Gauge,
    pub(crate) pending_silent: Gauge,
    pub(crate) cache_silent: Gauge,
}

impl Reads {
    pub(super) fn new(register: &mut Register) -> Self {
        let ledger_views = register.add(
            "ledger_views",
            "Looks at the ledger of an event to show what is left of it",
            Counter::default(),
        );
        let reads = register.add(
            "read_cache_reads",
            "Reads of the cache that nodes share: hit, miss or failed",
            Family::<Label, Counter>::default(),
        );
        let forgets = register.add(
            "read_cache_forgets",
            "Copies to be forgotten by all nodes because something was written: told or failed",
            Family::<Label, Counter>::default(),
        );
        let silent = register.add(
            "breaker_open",
            "1 while something is not asked because it did not answer: ledger_views, ledger_pending or read_cache",
            Family::<Label, Gauge>::default(),
        );
        let read = |outcome| reads.get_or_create_owned(&[("outcome", outcome)]);
        let forget = |outcome| forgets.get_or_create_owned(&[("outcome", outcome)]);
        let is_silent = |what| silent.get_or_create_owned(&[("what", what)]);
        Self {
            ledger_views,
            cache_hits: read("hit"),
            cache_misses: read("miss"),
            cache_failures: read("failed"),
            forgets: forget("told"),
            forget_failures: forget("failed"),
            views_silent: is_silent("ledger_views"),
            pending_silent: is_silent("ledger_pending"),
            cache_silent: is_silent("read_cache"),
        }
    }
}
