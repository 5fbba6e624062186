//! The ledger: the fast gate in front of the store.
//!
//! For each event it knows how many seats are left, how many each user holds, and which admitted reservations
//! the store has not committed yet (the journal). It can be lost at any moment: the store's guard refuses
//! everything that was admitted under an epoch that is no longer the store's. There are two implementations
//! with the same behaviour. [`MemoryLedger`] is the executable specification and the embedded default.
//! [`RedisLedger`] serves several nodes.

mod claims;
mod memory;
mod node_registry;
mod redis;
mod types;

pub use claims::{CLAIMS_MAX, Claims, Difference, Fingerprint};
pub use memory::MemoryLedger;
pub use node_registry::{NODE_STATUS_LEN_MAX, NodeRegistry, REGISTRY_NODES_MAX};
pub use redis::{RedisLedger, RedisOptions};
pub use types::{
    Admission, AdmitAnswer, AdmitRequest, JournalEntry, LedgerError, LedgerSnapshot, LedgerState, LedgerView,
    LoadAnswer, LoadStart, LoadToken, LoadedEvents, PoolUse, Release, SnapshotReservation,
    SnapshotTicketType, TicketTypeView, Verdict,
};

use async_trait::async_trait;
use neticket_domain::{Epoch, EventId, ReservationId, Timestamp, UserId};

/// How many entries an event's journal may have by default.
pub const JOURNAL_LEN_MAX_DEFAULT: usize = 50_000;

/// How many reservations of one event a user may make in an epoch, whatever became of them. Further ones are
/// over the limit. A ledger remembers every reservation, cancelled ones too, so that it recognises a repeated
/// id. Without this limit, a user who books and cancels in turn could make the ledger, and every load, as
/// long as they like. The limit is far above the number of reservations that the limit of tickets lets anyone
/// hold at once. It also applies across epochs, because a load counts the reservations that the store has.
pub const RESERVATIONS_PER_USER_MAX: u32 = 1_000;

/// The ledger. Every method is atomic per event, and safe to repeat after an error. An error means that the
/// call may or may not have taken effect.
///
/// A reservation id belongs to one user: every caller that names the id also names that user. The answer to
/// an id that is used with two users is not defined.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// The time by the clock that decides when sales open and close.
    async fn now(&self) -> Result<Timestamp, LedgerError>;

    /// Admits `requests` of one event. It decides each request separately, in order. For each request that it
    /// admits, it takes the seats and writes a journal entry.
    ///
    /// Answers [`AdmitAnswer::Absent`] if the event is not loaded, and [`AdmitAnswer::Stale`] if its ledger
    /// is of an epoch lower than `epoch_min` or of another server run. In both cases it takes nothing.
    async fn admit(
        &self,
        event: EventId,
        epoch_min: Epoch,
        requests: &[AdmitRequest],
    ) -> Result<AdmitAnswer, LedgerError>;

    /// Moves committed reservations from the journal to the settled ones. Ignores ids that are not in the
    /// journal. Changes nothing if the ledger is absent, of another epoch than `epoch`, or of another server
    /// run.
    async fn settle(&self, event: EventId, epoch: Epoch, ids: &[ReservationId]) -> Result<(), LedgerError>;

    /// Returns the seats of cancelled reservations. Each release is applied only in the epoch that it
    /// names, and once per reservation, whether the entry is settled or still in the journal.
    ///
    /// Answers the epoch of the ledger that was asked; `None` if it is absent or of another server run. The
    /// caller may drop a release only if the answer is not lower than the release's own epoch. Then the
    /// release was applied, now or before, or a later load has counted it. A lower or absent ledger may still
    /// be replaced by a snapshot from before the cancel, which counts those seats as sold. The caller must
    /// send the release again until then.
    async fn release(&self, event: EventId, releases: &[Release]) -> Result<Option<Epoch>, LedgerError>;

    /// Begins a load. Must be called before the store's transaction that raises the epoch and takes the
    /// snapshot. Any number of loads may be in progress at once.
    async fn begin_load(&self, event: EventId) -> Result<LoadStart, LedgerError>;

    /// The epoch of the present ledger, of any server run; 0 if there is none. Unlike [`Self::view`], this
    /// also finds a ledger of another server run, which may have a journal. It makes the same call as
    /// [`Self::begin_load`], but no load has to follow.
    async fn current_epoch(&self, event: EventId) -> Result<Epoch, LedgerError> {
        Ok(self.begin_load(event).await?.current_epoch)
    }

    /// Replaces the event's ledger by `snapshot` if the present one is absent or of a lower epoch, and
    /// carries the old journal over (see [`LoadAnswer`]). A present ledger of the same or a higher epoch
    /// stays, even one of another server run. Every load raises the epoch in the store, so the next load
    /// replaces it.
    ///
    /// `token` comes from the [`Self::begin_load`] that preceded the snapshot. If any ledger of the event was
    /// lost or evicted since then, nothing is replaced and the load must begin again. The lost ledger may
    /// have been of a higher epoch, and this snapshot would not know what was committed under it. An epoch
    /// therefore never comes back, and a call that arrives late or twice does no harm. A server deletes the
    /// token a minute after the last load of the event began. A load that takes longer must begin again too.
    async fn load(&self, token: LoadToken, snapshot: &LedgerSnapshot) -> Result<LoadAnswer, LedgerError>;

    /// Deletes the ledger of the event if it is of exactly this epoch, of any server run, and its journal is
    /// empty.
    ///
    /// `true`: it is deleted, or was absent. `false`: it is of another epoch or has a journal, and stays.
    /// Loads that are in progress when it is deleted must begin again.
    async fn evict(&self, event: EventId, epoch: Epoch) -> Result<bool, LedgerError>;

    /// Deletes everything of an event that the store no longer has: also its journal, and its name in
    /// [`Self::loaded`]. None of it can be committed any more. Loads in progress must begin again, and then
    /// find nothing to load. The caller must repeat the call after an error. A load in progress may leave the
    /// name behind (see [`Self::loaded`]).
    async fn delete(&self, event: EventId) -> Result<(), LedgerError>;

    /// Deletes the ledger of the event, whatever its state, to imitate a server that restarts empty. For
    /// tests only.
    #[cfg(feature = "testing")]
    async fn drop_for_test(&self, event: EventId) -> Result<(), LedgerError>;

    /// The events that have a ledger, of any server run. The list may name too many: an event whose ledger
    /// was lost stays in it until a ledger of a later load of the event is evicted, or until the event is
    /// evicted under a higher epoch. It names too few only if it says so ([`LoadedEvents::incomplete`]).
    async fn loaded(&self) -> Result<LoadedEvents, LedgerError>;

    /// What the ledger says about the event now; `None` if it is not loaded (or of another server run).
    async fn view(&self, event: EventId) -> Result<Option<LedgerView>, LedgerError>;

    /// The same with the whole journal, oldest first, all of the same moment.
    async fn examine(&self, event: EventId) -> Result<Option<LedgerState>, LedgerError>;

    /// At most `limit` journal entries that were admitted at least `age_ms` ago by the ledger's clock, oldest
    /// first, with the epoch of the ledger. If more than `limit` entries are that old, the result may contain
    /// any of them, not only the very oldest. Call again when these are gone. Empty if the event is absent or
    /// of another server run.
    async fn journal_older_than(
        &self,
        event: EventId,
        age_ms: i64,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, LedgerError>;

    /// The journal entry of one reservation; `None` if it is not in the journal.
    async fn journal_entry(
        &self,
        event: EventId,
        id: ReservationId,
    ) -> Result<Option<JournalEntry>, LedgerError>;

    /// The journal entries of one user, oldest first. Empty if the event is absent or of another server run.
    async fn pending_of(&self, event: EventId, user: UserId) -> Result<Vec<JournalEntry>, LedgerError>;

    /// Takes the lease to load the event for `lease_ms`; `false` if another node has it. The lease only saves
    /// work: loading without it is correct too.
    async fn try_lease(&self, event: EventId, lease_ms: u64) -> Result<bool, LedgerError>;

    /// Ends the lease to load the event, so that any node can take it.
    async fn end_lease(&self, event: EventId) -> Result<(), LedgerError>;

    /// The node registry, in which the nodes that share this ledger publish their status.
    fn node_registry(&self) -> &dyn NodeRegistry;

    /// The claims, by which the nodes that share this ledger state that they belong to one deployment; `None`
    /// if no other process can use this ledger.
    fn claims(&self) -> Option<&dyn Claims> {
        None
    }

    /// How many connections there are; `None` if the ledger needs none. Does no I/O.
    fn connections(&self) -> Option<PoolUse> {
        None
    }

    /// Whether the ledger answers.
    async fn ping(&self) -> Result<(), LedgerError>;
}
