//! What the tasks share: the parts they work with, and how much one run takes at once.

use std::future::Future;
use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use futures::stream;
use neticket_ledger::Ledger;
use neticket_media::Media;
use neticket_store::Store;
use tokio_util::sync::CancellationToken;

use crate::booking::{BookingService, CancelService, Committer, ConnectionBudget, Loader, Rejections};
use crate::clock::LedgerClock;
use crate::config::EngineConfig;
use crate::deployment::Deployment;
use crate::error::AppError;
use crate::inventory::Inspector;
use crate::metrics::{JournalSample, Metrics};
use crate::monitoring::NodeStats;

/// Most journal entries, outbox rows, sessions or images that one run of a task processes.
pub(super) const ITEMS_MAX: u16 = 1_000;

/// How many events a task processes concurrently, so that an event whose ledger or rows do not answer does
/// not delay others. Work that waits for row locks also needs a share of the connection budget (see
/// [`ConnectionBudget`]).
pub(super) const EVENTS_CONCURRENT_MAX: usize = 16;

/// How many events are compared with the store concurrently. Nobody waits for the result, and each comparison
/// takes a connection outside the connection budget.
pub(super) const COMPARISONS_CONCURRENT_MAX: usize = 4;

/// Runs the work of all events, `concurrent_max` of them concurrently. A failure does not stop the others;
/// the last failure is returned.
pub(super) async fn for_each_isolated<F>(
    concurrent_max: usize,
    works: impl Iterator<Item = F>,
) -> Result<(), AppError>
where
    F: Future<Output = Result<(), AppError>>,
{
    let works: Vec<F> = works.collect();
    let outcomes: Vec<_> = stream::iter(works).buffer_unordered(concurrent_max).collect().await;
    outcomes.into_iter().rev().find(Result::is_err).unwrap_or(Ok(()))
}

/// What the last run of `sample_journals` has sampled.
pub(crate) type LastSamples = Mutex<Vec<JournalSample>>;

/// What the tasks work with.
pub(crate) struct TaskContext {
    pub(crate) store: Store,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) loader: Arc<Loader>,
    pub(crate) committer: Arc<Committer>,
    pub(crate) inspector: Arc<Inspector>,
    pub(crate) rejections: Arc<Rejections>,
    pub(crate) media: Arc<Media>,
    pub(crate) clock: Arc<LedgerClock>,
    pub(crate) engine: EngineConfig,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) budget: Arc<ConnectionBudget>,
    pub(crate) samples: LastSamples,
    pub(crate) booking_service: Arc<BookingService>,
    pub(crate) cancel_service: Arc<CancelService>,
    pub(crate) stats: Arc<NodeStats>,
    /// `None` if no other process can use the ledger.
    pub(crate) deployment: Option<Arc<Deployment>>,
    /// Cancelled when the tasks have to end. Tasks with long runs check it.
    pub(crate) stop: CancellationToken,
}
