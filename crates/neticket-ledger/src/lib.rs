//! The ledger: the fast gate in front of the store.
//!
//! It knows, per event, how many seats are left, who holds how many, and which admitted reservations the store has
//! not committed yet (the journal). It can be lost at any moment: the store's guard refuses whatever was admitted
//! under an epoch that is no longer the store's. Two implementations, one behaviour: [`MemoryLedger`] is the executable
//! specification and the embedded default, [`RedisLedger`] serves several nodes.

mod board;
mod claims;
mod memory;
mod redis;
mod types;

pub use board::{BOARD_NODES_MAX, BOARD_NOTE_LEN_MAX, Board};
pub use claims::{CLAIMS_MAX, Claims, Difference, Fingerprint};
pub use memory::MemoryLedger;
pub use redis::{RedisLedger, RedisOptions};
pub use types::{
    Admission, AdmitAnswer, AdmitRequest, JournalEntry, LedgerError, LedgerSnapshot, LedgerState, LedgerView,
    LoadAnswer, LoadStart, LoadToken, LoadedEvents, PoolUse, Release, SnapshotReservation,
    SnapshotTicketType, TicketTypeView, Verdict,
};

use async_trait::async_trait;
use neticket_domain::{Epoch, EventId, ReservationId, Timestamp, UserId};

/// How many entries an event's journal may have, if nothing else is said.
pub const JOURNAL_LEN_MAX_DEFAULT: usize = 50_000;

/// How many reservations of one event a user may make in an epoch, whatever became of them; then they are over the limit. A ledger
/// remembers each of them, cancelled ones too, so that a repeated id is recognised; without an end, who books and cancels
/// in turn would make it, and every load, as long as they like. Far more than the limit of tickets lets anyone hold at once, and
/// since a load counts what the store has, also across epochs.
pub const RESERVATIONS_PER_USER_MAX: u32 = 1_000;

/// The gate. Every method is atomic per event, and safe to repeat after an error: an error means that the call may or
/// may not have taken effect.
///
/// A reservation id belongs to one user: whoever names it names that user. What a ledger answers to an id under two users
/// is not said.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// The clock by which sales open and close.
    async fn now(&self) -> Result<Timestamp, LedgerError>;

    /// Admits `requests` of one event, in order, each on its own: takes the seats and journals the taking.
    ///
    /// Answers [`AdmitAnswer::Absent`] if the event is not loaded and [`AdmitAnswer::Stale`] if its ledger is of an epoch
    /// lower than `epoch_min` or of another server run; then nothing was taken.
    async fn admit(
        &self,
        event: EventId,
        epoch_min: Epoch,
        requests: &[AdmitRequest],
    ) -> Result<AdmitAnswer, LedgerError>;

    /// Moves committed reservations from the journal to the settled ones. Ids that are not in the journal are left as
    /// they are; so is everything if the ledger is absent or of another epoch than `epoch`.
    async fn settle(&self, event: EventId, epoch: Epoch, ids: &[ReservationId]) -> Result<(), LedgerError>;

    /// Gives back the seats of cancelled reservations. Each is applied only in the very epoch that it names, once per
    /// reservation, whether the entry is settled or still in the journal.
    ///
    /// Answers the epoch of the ledger that was asked; `None` if it is absent or of another server run. The caller may
    /// forget a release only if the answer is not lower than the release's own epoch: then it was applied, now or
    /// before, or a later load has counted it. A lower or absent ledger may still be replaced by a snapshot that was
    /// taken before the cancel and takes those seats for sold: the release has to be sent again until then.
    async fn release(&self, event: EventId, releases: &[Release]) -> Result<Option<Epoch>, LedgerError>;

    /// Begins a load: to be called before the store's transaction that raises the epoch and takes the snapshot. Any number
    /// of loads may be under way at once.
    async fn begin_load(&self, event: EventId) -> Result<LoadStart, LedgerError>;

    /// Replaces the event's ledger by `snapshot` if the present one is absent or of a lower epoch; carries the old
    /// journal over (see [`LoadAnswer`]). A present ledger of the same or a higher epoch stays, also one of another
    /// server run: since every load raises the epoch in the store, the next one replaces it.
    ///
    /// `token` is of the [`Self::begin_load`] that came before the snapshot. If any ledger of the event was lost or evicted
    /// since, nothing is replaced and the load has to begin anew: the lost one may have been of a higher epoch, and this
    /// snapshot would know nothing of what was committed under it. So an epoch never comes back, and a call that arrives
    /// late or twice does no harm. A server forgets the token a minute after the last load of the event has begun: then it
    /// has to begin anew too.
    async fn load(&self, token: LoadToken, snapshot: &LedgerSnapshot) -> Result<LoadAnswer, LedgerError>;

    /// Forgets the event if its ledger is of exactly this epoch, of whichever server run, and its journal is empty.
    ///
    /// `true`: it is gone, or was absent. `false`: it is of another epoch or has a journal, and stays. Loads that were under
    /// way when it went have to begin anew.
    async fn evict(&self, event: EventId, epoch: Epoch) -> Result<bool, LedgerError>;

    /// Forgets an event that the store no longer has, its journal and its name included: nothing of it can be committed any
    /// more. Loads that were under way have to begin anew, and find nothing to load. To be repeated after an error; a load that
    /// was under way may leave the name behind (see [`Self::loaded`]).
    async fn forget(&self, event: EventId) -> Result<(), LedgerError>;

    /// Forgets the event whatever its state, as a server that restarts empty would. For tests alone.
    async fn lose(&self, event: EventId) -> Result<(), LedgerError>;

    /// The events that have a ledger, of whichever server run. It may name too many: an event whose ledger
    /// was lost is named until it is evicted under the epoch of a later load, or under a higher epoch. It
    /// names too few only where it says so ([`LoadedEvents::incomplete`]).
    async fn loaded(&self) -> Result<LoadedEvents, LedgerError>;

    /// What the ledger says about the event now; `None` if it is not loaded (or of another server run).
    async fn view(&self, event: EventId) -> Result<Option<LedgerView>, LedgerError>;

    /// The same with the whole journal, oldest first, all of one moment.
    async fn examine(&self, event: EventId) -> Result<Option<LedgerState>, LedgerError>;

    /// At most `limit` journal entries admitted at least `age_ms` ago by the ledger's clock, oldest first, with the
    /// epoch of the ledger. If more than `limit` are that old, any of them may be told, not just the very oldest: ask
    /// again once these are gone. Empty if the event is absent or of another server run.
    async fn journal_older_than(
        &self,
        event: EventId,
        age_ms: i64,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, LedgerError>;

    /// The journal entry of one reservation, if it is in flight.
    async fn journal_entry(
        &self,
        event: EventId,
        id: ReservationId,
    ) -> Result<Option<JournalEntry>, LedgerError>;

    /// The journal entries of one user, oldest first. Empty if the event is absent or of another server run.
    async fn pending_of(&self, event: EventId, user: UserId) -> Result<Vec<JournalEntry>, LedgerError>;

    /// Takes the right to load the event for `lease_ms`; `false` if another node has it. Only saves work: loading
    /// without it is correct too.
    async fn try_lease(&self, event: EventId, lease_ms: u64) -> Result<bool, LedgerError>;

    /// Gives the right to load the event to whoever wants it next.
    async fn end_lease(&self, event: EventId) -> Result<(), LedgerError>;

    /// Where the nodes that share this ledger tell each other how they are.
    fn board(&self) -> &dyn Board;

    /// Where the nodes that share this ledger claim to be of one deployment; `None` where no other process
    /// can use it.
    fn claims(&self) -> Option<&dyn Claims> {
        None
    }

    /// How many connections there are; `None` where none are needed. Costs nothing.
    fn connections(&self) -> Option<PoolUse> {
        None
    }

    /// Whether the ledger answers.
    async fn ping(&self) -> Result<(), LedgerError>;
}
