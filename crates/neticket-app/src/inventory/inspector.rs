//! Reconciling: compares a ledger with the store and reports what differs. A repair is a load; numbers are
//! never written into a ledger.
//!
//! `ledger.left = store.left − Σ journal` holds whenever nothing is in flight. One reading cannot show
//! whether anything is in flight, because ledger and store cannot be read at the same moment. The ledger is
//! therefore read before and after the store, and there is a conclusion only if it has not changed in
//! between.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use neticket_domain::{Epoch, EventId, ReservationId, TicketTypeId};
use neticket_ledger::{Ledger, LedgerState, LedgerView};
use neticket_store::{Store, StoredInventory};
use tokio::sync::Semaphore;

use crate::booking::Loader;
use crate::error::AppError;

/// How often a ledger that is not at rest is inspected before `Busy` is returned.
const ATTEMPTS_MAX: u32 = 5;
/// The pause between two inspections.
const INSPECTION_PAUSE: Duration = Duration::from_millis(50);

/// How many events a node inspects concurrently for all administrators together. An inspection takes a
/// connection to the store outside the connection budget.
pub(crate) const INSPECTIONS_CONCURRENT_MAX: usize = 4;

/// A ticket type for which the ledger and the store disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatChange {
    pub ticket_type: TicketTypeId,
    /// The seats left in the ledger.
    pub from: u32,
    /// The seats that should be left, by the store and the journal.
    pub to: u32,
}

/// The result of comparing a ledger with the store once.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Compared {
    Consistent,
    /// Something is in flight.
    InFlight,
    /// The ledger's epoch is not the store's. A ledger of `epoch_min` or higher is needed.
    Stale {
        epoch_min: Epoch,
    },
    Differs(Vec<SeatChange>),
}

/// The result of inspecting an event, whose ledger may be absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Inspection {
    Absent,
    Busy,
    Consistent { epoch: Epoch },
    Stale { epoch_min: Epoch },
    Differs { epoch: Epoch, changes: Vec<SeatChange> },
}

/// Inspects ledgers and repairs them.
pub(crate) struct Inspector {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) store: Store,
    pub(crate) loader: Arc<Loader>,
    pub(crate) inspection_permits: Semaphore,
}

/// The result of an inspection, and what the ledger and the store said.
pub(crate) struct Inspected {
    pub(crate) inspection: Inspection,
    /// What the ledger says. `None` if it is not loaded.
    pub(crate) view: Option<LedgerView>,
    /// What the store says. `None` if it was not asked.
    pub(crate) stored: Option<StoredInventory>,
}

impl Inspector {
    /// Inspects the event until it is at rest, at most five times.
    ///
    /// # Errors
    /// `NotFound`, `LedgerUnavailable`, `StoreUnavailable`.
    pub(crate) async fn inspect_until_at_rest(&self, event: EventId) -> Result<Inspection, AppError> {
        let mut inspection = self.inspect_once(event).await?.inspection;
        for _ in 1..ATTEMPTS_MAX {
            // Most likely, a ledger of another epoch is being replaced at this moment.
            if !matches!(inspection, Inspection::Busy | Inspection::Stale { .. }) {
                break;
            }
            tokio::time::sleep(INSPECTION_PAUSE).await;
            inspection = self.inspect_once(event).await?.inspection;
        }
        Ok(inspection)
    }

    /// Inspects the event once. A journal with more than `journal_len_max` entries is not read: such a ledger
    /// is not at rest, and the result is `Busy`.
    ///
    /// # Errors
    /// `NotFound`, `LedgerUnavailable`, `StoreUnavailable`.
    pub(crate) async fn inspect(&self, event: EventId, journal_len_max: u64) -> Result<Inspected, AppError> {
        let _permit = self.inspection_permits.acquire().await;
        match self.ledger.view(event).await? {
            Some(view) if view.journal_len > journal_len_max => {
                Ok(Inspected { inspection: Inspection::Busy, view: Some(view), stored: None })
            }
            Some(_) => self.inspect_once(event).await,
            None => Ok(Inspected { inspection: Inspection::Absent, view: None, stored: None }),
        }
    }

    async fn inspect_once(&self, event: EventId) -> Result<Inspected, AppError> {
        let Some(before) = self.ledger.examine(event).await? else {
            return Ok(Inspected { inspection: Inspection::Absent, view: None, stored: None });
        };
        let journal: Vec<ReservationId> = before.journal.iter().map(|entry| entry.request.id).collect();
        let stored = self.store.inventory_of(event, &journal).await?.ok_or(AppError::NotFound)?;
        let after = self.ledger.examine(event).await?;
        let epoch = before.view.epoch;
        let is_same = |after: LedgerState| after.revision == before.revision && after.view.epoch == epoch;
        let inspection = if after.is_some_and(is_same) {
            match compare(&stored, &before) {
                Compared::Consistent => Inspection::Consistent { epoch },
                Compared::InFlight => Inspection::Busy,
                Compared::Stale { epoch_min } => Inspection::Stale { epoch_min },
                Compared::Differs(changes) => Inspection::Differs { epoch, changes },
            }
        } else {
            Inspection::Busy
        };
        Ok(Inspected { inspection, view: Some(before.view), stored: Some(stored) })
    }

    /// Loads the ledger anew if it differs from the store or is stale, unless it was loaded anew since the
    /// inspection.
    ///
    /// # Errors
    /// As [`Loader::load`].
    pub(crate) async fn repair(&self, event: EventId, inspection: &Inspection) -> Result<(), AppError> {
        match inspection {
            Inspection::Differs { epoch, .. } => self.loader.load(event, Epoch(epoch.0 + 1)).await,
            Inspection::Stale { epoch_min } => self.loader.load(event, *epoch_min).await,
            Inspection::Absent | Inspection::Busy | Inspection::Consistent { .. } => Ok(()),
        }
    }
}

/// Compares the store with the ledger. Both must be of the same moment.
///
/// A journal entry that is in the store is about to be settled or, if it was rejected, to be released. A row
/// of the outbox is about to be released. In both cases the event is not at rest.
fn compare(stored: &StoredInventory, ledger: &LedgerState) -> Compared {
    let is_stored = |id| stored.present.contains(&id);
    if !stored.releases.is_empty() || ledger.journal.iter().any(|entry| is_stored(entry.request.id)) {
        return Compared::InFlight;
    }
    let epoch = ledger.view.epoch;
    if let Some(stores) = stored.ticket_types.iter().map(|t| t.epoch).find(|stores| *stores != epoch) {
        // A store that is behind its ledger was restored from a backup. A ledger newer than the present one
        // is needed then.
        return Compared::Stale { epoch_min: if stores > epoch { stores } else { Epoch(epoch.0 + 1) } };
    }
    // For each ticket type: the seats left in the ledger, and the seats that should be left.
    let mut seats: BTreeMap<TicketTypeId, (u32, u64)> = BTreeMap::new();
    for ticket_type in &ledger.view.ticket_types {
        seats.entry(ticket_type.id).or_default().0 = ticket_type.left;
    }
    for ticket_type in &stored.ticket_types {
        seats.entry(ticket_type.id).or_default().1 = ticket_type.left;
    }
    for entry in &ledger.journal {
        let (_, to) = seats.entry(entry.request.ticket_type).or_default();
        *to = to.saturating_sub(u64::from(entry.request.quantity.get()));
    }
    let changes: Vec<SeatChange> = seats
        .into_iter()
        .map(|(ticket_type, (from, to))| SeatChange {
            ticket_type,
            from,
            to: u32::try_from(to).unwrap_or(u32::MAX),
        })
        .filter(|change| change.from != change.to)
        .collect();
    if changes.is_empty() { Compared::Consistent } else { Compared::Differs(changes) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use neticket_domain::{Quantity, Timestamp, UserId};
    use neticket_ledger::{Admission, AdmitRequest, JournalEntry, LedgerView, TicketTypeView};
    use neticket_store::{OutboxRecord, StoredTicketType};
    use uuid::Uuid;

    use super::*;

    const TICKET_TYPE: TicketTypeId = TicketTypeId(7);

    fn store(left: u64, epoch: i64) -> StoredInventory {
        let ticket_type = StoredTicketType { id: TICKET_TYPE, capacity: 100, left, epoch: Epoch(epoch) };
        StoredInventory { ticket_types: vec![ticket_type], present: BTreeSet::new(), releases: Vec::new() }
    }

    fn ledger(left: u32, journal: &[u32]) -> LedgerState {
        let entry = |(n, quantity): (usize, &u32)| JournalEntry {
            request: AdmitRequest {
                id: ReservationId(Uuid::from_u128(u128::try_from(n).unwrap())),
                user: UserId(1),
                ticket_type: TICKET_TYPE,
                quantity: Quantity::new(*quantity).unwrap(),
                unit_price: None,
            },
            admission: Admission { unit_price: 1, admitted_at: Timestamp::from_millis(0), repeated: true },
            epoch: Epoch(3),
        };
        LedgerState {
            view: LedgerView {
                epoch: Epoch(3),
                paused: false,
                journal_len: u64::try_from(journal.len()).unwrap(),
                ticket_types: vec![TicketTypeView { id: TICKET_TYPE, left }],
            },
            revision: 1,
            journal: journal.iter().enumerate().map(entry).collect(),
        }
    }

    #[test]
    fn journal_entries_that_are_not_stored_explain_the_difference() {
        assert_eq!(compare(&store(10, 3), &ledger(10, &[])), Compared::Consistent);
        assert_eq!(compare(&store(10, 3), &ledger(5, &[2, 3])), Compared::Consistent);
    }

    #[test]
    fn a_difference_reports_the_actual_and_the_expected_seats() {
        let change = |from, to| Compared::Differs(vec![SeatChange { ticket_type: TICKET_TYPE, from, to }]);
        assert_eq!(compare(&store(10, 3), &ledger(11, &[])), change(11, 10));
        assert_eq!(compare(&store(10, 3), &ledger(10, &[2])), change(10, 8));
        assert_eq!(compare(&store(1, 3), &ledger(3, &[2])), change(3, 0));
        let mut more = store(10, 3);
        more.ticket_types.push(StoredTicketType {
            id: TicketTypeId(8),
            capacity: 4,
            left: 4,
            epoch: Epoch(3),
        });
        let missing = SeatChange { ticket_type: TicketTypeId(8), from: 0, to: 4 };
        assert_eq!(compare(&more, &ledger(10, &[])), Compared::Differs(vec![missing]));
    }

    #[test]
    fn unsettled_bookings_and_pending_releases_are_no_difference() {
        let mut settling = store(8, 3);
        settling.present.insert(ReservationId(Uuid::from_u128(0)));
        assert_eq!(compare(&settling, &ledger(8, &[2])), Compared::InFlight);
        let mut releasing = store(12, 3);
        releasing.releases.push(OutboxRecord {
            id: ReservationId(Uuid::from_u128(9)),
            event: EventId(1),
            ticket_type: TICKET_TYPE,
            user: UserId(1),
            quantity: Quantity::new(2).unwrap(),
            epoch: Epoch(3),
            created_at: Timestamp::from_millis(0),
        });
        assert_eq!(compare(&releasing, &ledger(10, &[])), Compared::InFlight);
    }

    #[test]
    fn a_ledger_of_another_epoch_is_stale_and_not_different() {
        assert_eq!(compare(&store(9, 4), &ledger(10, &[])), Compared::Stale { epoch_min: Epoch(4) });
        assert_eq!(compare(&store(9, 2), &ledger(10, &[])), Compared::Stale { epoch_min: Epoch(4) });
    }
}
