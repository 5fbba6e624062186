//! A real ledger whose calls are lost, lose their answer, or arrive late.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use neticket_testkit::domain::{Epoch, EventId, ReservationId, Timestamp, UserId};
use neticket_testkit::ledger::{
    AdmitAnswer, AdmitRequest, JournalEntry, Ledger, LedgerError, LedgerSnapshot, LedgerState, LedgerView,
    LoadAnswer, LoadStart, LoadToken, LoadedEvents, NodeRegistry, Release,
};
use tokio::runtime::Handle;

pub(crate) struct FaultyLedger {
    pub(crate) ledger: Arc<dyn Ledger>,
    /// Whether calls fail now. All nodes share it.
    pub(crate) is_faulty: Arc<AtomicBool>,
    /// The runtime on which late calls survive the death of their node.
    pub(crate) outside: Handle,
}

/// How late a call may arrive, in milliseconds.
const LATE_MAX_MS: u64 = 20;

enum NetworkOutcome {
    Delivered,
    AnswerLost,
    Late(Duration),
    Lost,
}

fn timed_out<T>() -> Result<T, LedgerError> {
    Err(LedgerError::Timeout { timeout_ms: 0 })
}

impl FaultyLedger {
    fn fate(&self) -> NetworkOutcome {
        if !self.is_faulty.load(Ordering::Relaxed) {
            return NetworkOutcome::Delivered;
        }
        match rand::random_range(0..20) {
            0 => NetworkOutcome::AnswerLost,
            1 => NetworkOutcome::Late(Duration::from_millis(rand::random_range(0..=LATE_MAX_MS))),
            2 => NetworkOutcome::Lost,
            _ => NetworkOutcome::Delivered,
        }
    }

    /// Makes the `call` on the real ledger: now, later, or not at all.
    async fn send<T, F>(&self, call: impl FnOnce(Arc<dyn Ledger>) -> F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, LedgerError>> + Send + 'static,
    {
        let call = call(Arc::clone(&self.ledger));
        match self.fate() {
            NetworkOutcome::Delivered => call.await,
            NetworkOutcome::Lost => timed_out(),
            NetworkOutcome::AnswerLost => {
                call.await?;
                timed_out()
            }
            NetworkOutcome::Late(late) => {
                self.outside.spawn(async move {
                    tokio::time::sleep(late).await;
                    call.await
                });
                timed_out()
            }
        }
    }
}

#[async_trait]
impl Ledger for FaultyLedger {
    fn node_registry(&self) -> &dyn NodeRegistry {
        self.ledger.node_registry()
    }

    async fn now(&self) -> Result<Timestamp, LedgerError> {
        self.ledger.now().await
    }

    async fn admit(
        &self,
        event: EventId,
        epoch_min: Epoch,
        requests: &[AdmitRequest],
    ) -> Result<AdmitAnswer, LedgerError> {
        let requests = requests.to_vec();
        self.send(move |ledger| async move { ledger.admit(event, epoch_min, &requests).await }).await
    }

    async fn settle(&self, event: EventId, epoch: Epoch, ids: &[ReservationId]) -> Result<(), LedgerError> {
        let ids = ids.to_vec();
        self.send(move |ledger| async move { ledger.settle(event, epoch, &ids).await }).await
    }

    async fn release(&self, event: EventId, releases: &[Release]) -> Result<Option<Epoch>, LedgerError> {
        let releases = releases.to_vec();
        self.send(move |ledger| async move { ledger.release(event, &releases).await }).await
    }

    async fn begin_load(&self, event: EventId) -> Result<LoadStart, LedgerError> {
        self.send(move |ledger| async move { ledger.begin_load(event).await }).await
    }

    async fn load(&self, token: LoadToken, snapshot: &LedgerSnapshot) -> Result<LoadAnswer, LedgerError> {
        let snapshot = snapshot.clone();
        self.send(move |ledger| async move { ledger.load(token, &snapshot).await }).await
    }

    async fn evict(&self, event: EventId, epoch: Epoch) -> Result<bool, LedgerError> {
        self.send(move |ledger| async move { ledger.evict(event, epoch).await }).await
    }

    async fn delete(&self, event: EventId) -> Result<(), LedgerError> {
        self.send(move |ledger| async move { ledger.delete(event).await }).await
    }

    async fn drop_for_test(&self, event: EventId) -> Result<(), LedgerError> {
        self.ledger.drop_for_test(event).await
    }

    async fn loaded(&self) -> Result<LoadedEvents, LedgerError> {
        self.ledger.loaded().await
    }

    async fn view(&self, event: EventId) -> Result<Option<LedgerView>, LedgerError> {
        self.send(move |ledger| async move { ledger.view(event).await }).await
    }

    async fn examine(&self, event: EventId) -> Result<Option<LedgerState>, LedgerError> {
        self.send(move |ledger| async move { ledger.examine(event).await }).await
    }

    async fn journal_older_than(
        &self,
        event: EventId,
        age_ms: i64,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, LedgerError> {
        self.send(move |ledger| async move { ledger.journal_older_than(event, age_ms, limit).await }).await
    }

    async fn journal_entry(
        &self,
        event: EventId,
        id: ReservationId,
    ) -> Result<Option<JournalEntry>, LedgerError> {
        self.ledger.journal_entry(event, id).await
    }

    async fn pending_of(&self, event: EventId, user: UserId) -> Result<Vec<JournalEntry>, LedgerError> {
        self.ledger.pending_of(event, user).await
    }

    async fn try_lease(&self, event: EventId, lease_ms: u64) -> Result<bool, LedgerError> {
        self.ledger.try_lease(event, lease_ms.min(LATE_MAX_MS)).await
    }

    async fn end_lease(&self, event: EventId) -> Result<(), LedgerError> {
        self.ledger.end_lease(event).await
    }

    async fn ping(&self) -> Result<(), LedgerError> {
        self.ledger.ping().await
    }
}
