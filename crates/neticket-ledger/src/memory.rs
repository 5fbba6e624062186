//! The ledger in this process: the embedded default, and the executable specification of every ledger.
//!
//! [`EventLedger`] defines what a ledger must do. It knows neither locks nor clocks. The Redis scripts must
//! give the same answers; one test suite runs against both. Each event has its own lock. A call holds it
//! until it is done, and never across an `await`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use neticket_domain::{
    Epoch, EventId, ReservationId, SaleState, SaleWindow, TicketTypeId, Timestamp, UserId,
};
use uuid::Uuid;

use crate::node_registry::MemoryNodeRegistry;
use crate::{
    Admission, AdmitAnswer, AdmitRequest, JOURNAL_LEN_MAX_DEFAULT, JournalEntry, Ledger, LedgerError,
    LedgerSnapshot, LedgerState, LedgerView, LoadAnswer, LoadStart, LoadToken, LoadedEvents, NodeRegistry,
    RESERVATIONS_PER_USER_MAX, Release, SnapshotReservation, SnapshotTicketType, TicketTypeView, Verdict,
};

type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A ledger that lives as long as this process, and serves only this process.
pub struct MemoryLedger {
    clock: Clock,
    journal_len_max: usize,
    /// Slots are created by `begin_load`, `load`, `try_lease` and `end_lease`. They are never removed: there
    /// is one per event that this process has ever sold.
    slots: Mutex<HashMap<EventId, Arc<Mutex<Slot>>>>,
    node_registry: MemoryNodeRegistry,
}

/// The state of one event.
#[derive(Default)]
struct Slot {
    ledger: Option<EventLedger>,
    leased_until: Option<Timestamp>,
    /// How many times a ledger of the event was lost or evicted.
    losses: u64,
    /// Counts the changes, also across ledgers.
    revision: u64,
}

impl Slot {
    fn token(&self) -> LoadToken {
        LoadToken(Uuid::from_u128(self.losses.into()))
    }
}

impl Default for MemoryLedger {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLedger {
    /// An empty ledger that uses the system's clock.
    pub fn new() -> Self {
        Self::with_clock(Arc::new(system_now))
    }

    /// An empty ledger that uses `clock`.
    pub fn with_clock(clock: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        Self {
            clock,
            journal_len_max: JOURNAL_LEN_MAX_DEFAULT,
            slots: Mutex::default(),
            node_registry: MemoryNodeRegistry::default(),
        }
    }

    /// Limits the journals to `journal_len_max` entries per event.
    #[must_use]
    pub fn with_journal_len_max(self, journal_len_max: usize) -> Self {
        Self { journal_len_max, ..self }
    }

    /// Reads the event's ledger; `None` if it is not loaded.
    fn read<T>(&self, event: EventId, read: impl FnOnce(&EventLedger) -> T) -> Option<T> {
        let slot = lock(&self.slots).get(&event).cloned()?;
        lock(&slot).ledger.as_ref().map(read)
    }

    /// Changes the event's ledger; `None` if it is not loaded.
    fn change<T>(&self, event: EventId, change: impl FnOnce(&mut EventLedger) -> T) -> Option<T> {
        let slot = lock(&self.slots).get(&event).cloned()?;
        let mut slot = lock(&slot);
        let answer = slot.ledger.as_mut().map(change);
        slot.revision += 1;
        answer
    }

    fn slot(&self, event: EventId) -> Arc<Mutex<Slot>> {
        Arc::clone(lock(&self.slots).entry(event).or_default())
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn now(&self) -> Result<Timestamp, LedgerError> {
        Ok((self.clock)())
    }

    async fn admit(
        &self,
        event: EventId,
        epoch_min: Epoch,
        requests: &[AdmitRequest],
    ) -> Result<AdmitAnswer, LedgerError> {
        let answer = self.change(event, |ledger| {
            if ledger.epoch < epoch_min {
                return AdmitAnswer::Stale;
            }
            // The clock is read under the lock, so that the entries of a later batch are never older than
            // those of an earlier one.
            let now = (self.clock)();
            let verdicts = requests.iter().map(|request| ledger.admit(request, now, self.journal_len_max));
            AdmitAnswer::Verdicts { verdicts: verdicts.collect(), epoch: ledger.epoch, now }
        });
        Ok(answer.unwrap_or(AdmitAnswer::Absent))
    }

    async fn settle(&self, event: EventId, epoch: Epoch, ids: &[ReservationId]) -> Result<(), LedgerError> {
        self.change(event, |ledger| {
            if ledger.epoch == epoch {
                for id in ids {
                    ledger.settle(*id);
                }
            }
        });
        Ok(())
    }

    async fn release(&self, event: EventId, releases: &[Release]) -> Result<Option<Epoch>, LedgerError> {
        Ok(self.change(event, |ledger| {
            let epoch = ledger.epoch;
            let of_this_epoch = releases.iter().filter(|release| release.epoch == epoch);
            of_this_epoch.for_each(|release| ledger.release(release));
            epoch
        }))
    }

    async fn begin_load(&self, event: EventId) -> Result<LoadStart, LedgerError> {
        let slot = self.slot(event);
        let slot = lock(&slot);
        Ok(LoadStart {
            current_epoch: slot.ledger.as_ref().map_or(Epoch(0), |ledger| ledger.epoch),
            token: slot.token(),
        })
    }

    async fn load(&self, token: LoadToken, snapshot: &LedgerSnapshot) -> Result<LoadAnswer, LedgerError> {
        let slot = self.slot(snapshot.event);
        let mut slot = lock(&slot);
        if let Some(EventLedger { epoch, .. }) = slot.ledger
            && epoch >= snapshot.epoch
        {
            return Ok(LoadAnswer::Kept { epoch });
        }
        if slot.token() != token {
            return Ok(LoadAnswer::Again);
        }
        let mut ledger = EventLedger::new(snapshot);
        let mut entries = slot.ledger.take().map(|old| old.entries()).unwrap_or_default();
        entries.retain(|entry| !snapshot.refused.contains(&entry.request.id));
        let dropped = ledger.carry_over(entries);
        slot.ledger = Some(ledger);
        slot.revision += 1;
        Ok(LoadAnswer::Replaced { dropped })
    }

    async fn evict(&self, event: EventId, epoch: Epoch) -> Result<bool, LedgerError> {
        let Some(slot) = lock(&self.slots).get(&event).cloned() else { return Ok(true) };
        let mut slot = lock(&slot);
        if slot.ledger.as_ref().is_some_and(|ledger| ledger.epoch != epoch || !ledger.journal.is_empty()) {
            return Ok(false);
        }
        if slot.ledger.take().is_some() {
            slot.losses += 1;
        }
        Ok(true)
    }

    async fn delete(&self, event: EventId) -> Result<(), LedgerError> {
        let slot = lock(&self.slots).get(&event).cloned();
        if let Some(slot) = slot {
            // The slot stays, so that loads in progress notice that they must begin again, whether or not
            // there is a ledger.
            let mut slot = lock(&slot);
            slot.ledger = None;
            slot.losses += 1;
        }
        Ok(())
    }

    #[cfg(feature = "testing")]
    async fn drop_for_test(&self, event: EventId) -> Result<(), LedgerError> {
        self.delete(event).await
    }

    async fn loaded(&self) -> Result<LoadedEvents, LedgerError> {
        let slots: Vec<_> =
            lock(&self.slots).iter().map(|(event, slot)| (*event, Arc::clone(slot))).collect();
        let loaded = slots.into_iter().filter(|(_, slot)| lock(slot).ledger.is_some());
        Ok(LoadedEvents { events: loaded.map(|(event, _)| event).collect(), incomplete: None })
    }

    async fn view(&self, event: EventId) -> Result<Option<LedgerView>, LedgerError> {
        Ok(self.read(event, EventLedger::view))
    }

    async fn examine(&self, event: EventId) -> Result<Option<LedgerState>, LedgerError> {
        let Some(slot) = lock(&self.slots).get(&event).cloned() else { return Ok(None) };
        let slot = lock(&slot);
        let state = |ledger: &EventLedger| LedgerState {
            view: ledger.view(),
            revision: slot.revision,
            journal: ledger.entries(),
        };
        Ok(slot.ledger.as_ref().map(state))
    }

    async fn journal_older_than(
        &self,
        event: EventId,
        age_ms: i64,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, LedgerError> {
        let entries = self.read(event, |ledger| {
            let admitted_by = (self.clock)().plus_millis(age_ms.saturating_neg());
            let old =
                ledger.entries().into_iter().take_while(|entry| entry.admission.admitted_at <= admitted_by);
            old.take(limit).collect()
        });
        Ok(entries.unwrap_or_default())
    }

    async fn journal_entry(
        &self,
        event: EventId,
        id: ReservationId,
    ) -> Result<Option<JournalEntry>, LedgerError> {
        Ok(self.read(event, |ledger| ledger.journal.get(&id).copied()).flatten())
    }

    async fn pending_of(&self, event: EventId, user: UserId) -> Result<Vec<JournalEntry>, LedgerError> {
        let entries = self.read(event, EventLedger::entries).unwrap_or_default();
        Ok(entries.into_iter().filter(|entry| entry.request.user == user).collect())
    }

    async fn try_lease(&self, event: EventId, lease_ms: u64) -> Result<bool, LedgerError> {
        let slot = self.slot(event);
        let mut slot = lock(&slot);
        let now = (self.clock)();
        if slot.leased_until.is_some_and(|until| now < until) {
            return Ok(false);
        }
        slot.leased_until = Some(now.plus_millis(i64::try_from(lease_ms).unwrap_or(i64::MAX)));
        Ok(true)
    }

    async fn end_lease(&self, event: EventId) -> Result<(), LedgerError> {
        lock(&self.slot(event)).leased_until = None;
        Ok(())
    }

    fn node_registry(&self) -> &dyn NodeRegistry {
        &self.node_registry
    }

    async fn ping(&self) -> Result<(), LedgerError> {
        Ok(())
    }
}

/// The ledger of one event: what each step does, and in which order it checks.
struct EventLedger {
    epoch: Epoch,
    window: SaleWindow,
    window_since: Option<Timestamp>,
    paused_at: Option<Timestamp>,
    max_per_user: u32,
    ticket_types: BTreeMap<TicketTypeId, TicketType>,
    /// How much each user holds of this event, in settled and in journaled reservations.
    holdings: HashMap<UserId, Holding>,
    journal: HashMap<ReservationId, JournalEntry>,
    /// The reservations of this epoch that the store has.
    settled: HashMap<ReservationId, Mark>,
}

#[derive(Clone, Copy, Default)]
struct Holding {
    tickets: u32,
    /// How many reservations of this epoch the user has made, cancelled ones included.
    reservations: u32,
}

struct TicketType {
    price: u64,
    left: u32,
}

/// What the ledger remembers of a reservation that the store has.
#[derive(PartialEq, Eq)]
enum Mark {
    Settled,
    /// Cancelled. Its seats are already counted as left.
    Released,
}

impl EventLedger {
    fn new(snapshot: &LedgerSnapshot) -> Self {
        let ticket_type = |t: &SnapshotTicketType| (t.id, TicketType { price: t.price, left: t.left });
        let mark = |r: &SnapshotReservation| (r.id, if r.held == 0 { Mark::Released } else { Mark::Settled });
        let mut holdings: HashMap<UserId, Holding> = HashMap::new();
        for reservation in &snapshot.reservations {
            let holding = holdings.entry(reservation.user).or_default();
            holding.tickets += reservation.held;
            holding.reservations += 1;
        }
        Self {
            epoch: snapshot.epoch,
            window: snapshot.window,
            window_since: snapshot.window_since,
            paused_at: snapshot.paused_at,
            max_per_user: snapshot.max_per_user,
            ticket_types: snapshot.ticket_types.iter().map(ticket_type).collect(),
            holdings,
            journal: HashMap::new(),
            settled: snapshot.reservations.iter().map(mark).collect(),
        }
    }

    /// A repeated id gets its earlier answer, whatever the clock and the seats say now. The other checks
    /// follow in this order: the ticket type exists, the sale is open, the journal has room, the user may
    /// make another reservation, there are enough seats, the user may hold that many tickets, and the price
    /// is the one that the user has seen.
    fn admit(&mut self, request: &AdmitRequest, now: Timestamp, journal_len_max: usize) -> Verdict {
        if let Some(entry) = self.journal.get(&request.id) {
            let same = entry.request.is_same_booking(request);
            return if same { Verdict::Admitted(entry.admission) } else { Verdict::Mismatch };
        }
        if self.settled.contains_key(&request.id) {
            return Verdict::Known;
        }
        let Some(ticket_type) = self.ticket_types.get(&request.ticket_type) else {
            return Verdict::NoSuchTicketType;
        };
        match self.window.at(now) {
            SaleState::NotOpen => return Verdict::NotOpen { opens_at: self.window.opens_at },
            SaleState::Closed => return Verdict::Closed,
            SaleState::Open if self.paused_at.is_some() => return Verdict::Paused,
            SaleState::Open => {}
        }
        if self.journal.len() >= journal_len_max {
            return Verdict::JournalFull;
        }
        let holding = self.holding(request.user);
        if holding.reservations >= RESERVATIONS_PER_USER_MAX {
            return Verdict::OverLimit { max_per_user: self.max_per_user, already_held: holding.tickets };
        }
        let admission = Admission { unit_price: ticket_type.price, admitted_at: now, repeated: false };
        match self.take(request, admission) {
            Ok(()) => Verdict::Admitted(admission),
            Err(refusal) => refusal,
        }
    }

    /// Takes the seats and writes the journal entry, if there are enough seats, the user may have them and
    /// the price is right.
    fn take(&mut self, request: &AdmitRequest, admission: Admission) -> Result<(), Verdict> {
        let quantity = request.quantity.get();
        let holding = self.holding(request.user);
        let Some(ticket_type) = self.ticket_types.get_mut(&request.ticket_type) else {
            return Err(Verdict::NoSuchTicketType);
        };
        if ticket_type.left < quantity {
            return Err(Verdict::SoldOut { left: ticket_type.left });
        }
        let already_held = holding.tickets;
        if already_held.saturating_add(quantity) > self.max_per_user {
            return Err(Verdict::OverLimit { max_per_user: self.max_per_user, already_held });
        }
        if request.unit_price.is_some_and(|unit_price| unit_price != admission.unit_price) {
            return Err(Verdict::PriceChanged { unit_price: admission.unit_price });
        }
        ticket_type.left -= quantity;
        let held = Holding { tickets: already_held + quantity, reservations: holding.reservations + 1 };
        self.holdings.insert(request.user, held);
        // A request that finds this entry in the journal is a repeat.
        let admission = Admission { repeated: true, ..admission };
        let request = AdmitRequest { unit_price: None, ..*request };
        self.journal.insert(request.id, JournalEntry { request, admission, epoch: self.epoch });
        Ok(())
    }

    fn holding(&self, user: UserId) -> Holding {
        self.holdings.get(&user).copied().unwrap_or_default()
    }

    fn settle(&mut self, id: ReservationId) {
        if self.journal.remove(&id).is_some() {
            self.settled.insert(id, Mark::Settled);
        }
    }

    /// An id that is neither journaled nor settled is released too: the cancelling transaction has seen that
    /// its seats count as taken in this epoch.
    fn release(&mut self, release: &Release) {
        let before = self.settled.insert(release.id, Mark::Released);
        if before == Some(Mark::Released) {
            return;
        }
        let is_new = self.journal.remove(&release.id).is_none() && before.is_none();
        if let Some(ticket_type) = self.ticket_types.get_mut(&release.ticket_type) {
            ticket_type.left = ticket_type.left.saturating_add(release.quantity.get());
        }
        let holding = self.holdings.entry(release.user).or_default();
        holding.tickets = holding.tickets.saturating_sub(release.quantity.get());
        holding.reservations += u32::from(is_new);
    }

    /// Admits the entries of the journal that this ledger replaces, oldest first, and returns those that do
    /// not fit.
    ///
    /// When they were admitted, the sale was open and the journal had room, so neither is checked again. The
    /// exception is a ledger that did not know that the window had been moved or the sale paused. Entries
    /// that it admitted since then are returned too. Entries keep their age, so that recovery finds them no
    /// matter how often the event is loaded, and the price that their users were told.
    fn carry_over(&mut self, mut old: Vec<JournalEntry>) -> Vec<JournalEntry> {
        old.retain(|JournalEntry { request, admission, .. }| {
            let at = admission.admitted_at;
            let admitted_outside_sale = self.paused_at.is_some_and(|since| at >= since)
                || self.window_since.is_some_and(|since| at >= since)
                    && self.window.at(at) != SaleState::Open;
            !self.settled.contains_key(&request.id)
                && (admitted_outside_sale || self.take(request, *admission).is_err())
        });
        old
    }

    /// The journal, oldest first; entries of the same age by id.
    fn entries(&self) -> Vec<JournalEntry> {
        let mut entries: Vec<_> = self.journal.values().copied().collect();
        entries.sort_unstable_by_key(|entry| (entry.admission.admitted_at, entry.request.id));
        entries
    }

    fn view(&self) -> LedgerView {
        let ticket_type = |(id, t): (&TicketTypeId, &TicketType)| TicketTypeView { id: *id, left: t.left };
        LedgerView {
            epoch: self.epoch,
            paused: self.paused_at.is_some(),
            journal_len: u64::try_from(self.journal.len()).unwrap_or(u64::MAX),
            ticket_types: self.ticket_types.iter().map(ticket_type).collect(),
        }
    }
}

/// A system clock before 1970 is not set. It counts as 1970, so that no sale has opened yet.
fn system_now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

/// Ignores poisoning: a panic under the lock cannot leave a half-finished step that would break a later one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
