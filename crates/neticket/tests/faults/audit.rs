//! Checks the store against the promises to people. Each broken promise is one sentence.

use std::collections::BTreeMap;

use neticket_testkit::domain::{EventId, ReservationId};
use neticket_testkit::ledger::Ledger;
use neticket_testkit::store::{ReservationRecord, ReservationStatus, Store};

use crate::person::{Outcome, Person};

/// The most reservations of one person that are read.
const ROWS_MAX: u32 = 10_000;

/// The result of an audit.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    pub(crate) findings: Vec<String>,
    /// Reservations of a request that was refused in the end, while an earlier attempt with the same key was
    /// still in progress and its answer was lost. They are unexpected, but nobody loses anything. They count
    /// like any other.
    pub(crate) late: usize,
    /// The number of tickets that each person holds.
    pub(crate) held: Vec<u32>,
}

/// Audits all reservations of these people, and all ticket types of the event. `people` must be everyone who
/// has booked.
pub(crate) async fn audit(
    store: &Store,
    ledger: &dyn Ledger,
    event: EventId,
    max_per_user: u32,
    people: &[Person],
) -> Audit {
    let mut audit = audit_people(store, max_per_user, people).await;
    audit.ticket_types(store, ledger, event).await;
    audit
}

/// Audits all reservations of these people.
pub(crate) async fn audit_people(store: &Store, max_per_user: u32, people: &[Person]) -> Audit {
    let mut audit = Audit::default();
    for person in people {
        let (rows, _) = store.reservations_of(person.user, 1, ROWS_MAX).await.expect("the store answers");
        audit.findings.extend(person.violations.iter().cloned());
        audit.person(person, &rows, max_per_user);
    }
    audit
}

impl Audit {
    fn person(&mut self, person: &Person, rows: &[ReservationRecord], max_per_user: u32) {
        let mut unclaimed: BTreeMap<ReservationId, &ReservationRecord> =
            rows.iter().filter(|row| is_taken(row)).map(|row| (row.id, row)).collect();
        for booking in &person.bookings {
            let (id, status) = match booking.outcome {
                Outcome::Booked(id) => (id, ReservationStatus::Confirmed),
                Outcome::Cancelled(id) => (id, ReservationStatus::Cancelled),
                Outcome::Refused(_) => continue,
            };
            match unclaimed.remove(&id) {
                None => self.find(person, &format!("{booking:?} is lost")),
                Some(row)
                    if (row.ticket_type.0, row.quantity.get()) != (booking.ticket_type, booking.quantity) =>
                {
                    self.find(person, &format!("{booking:?} is stored as another booking: {row:?}"));
                }
                Some(row) if row.status != status => {
                    self.find(person, &format!("{booking:?} is {} in the store", row.status.as_str()));
                }
                Some(_) => {}
            }
        }
        // A remaining reservation must belong to a booking that was refused in the end.
        let mut refused: Vec<_> = person.bookings.iter().filter(|booking| booking.disturbed).collect();
        refused.retain(|booking| matches!(booking.outcome, Outcome::Refused(_)));
        for row in unclaimed.values() {
            let content = (row.ticket_type.0, row.quantity.get());
            match refused.iter().position(|booking| (booking.ticket_type, booking.quantity) == content) {
                Some(index) => {
                    refused.swap_remove(index);
                    self.late += 1;
                }
                None => self.find(person, &format!("no client got an answer about {row:?}")),
            }
        }
        let confirmed = rows.iter().filter(|row| row.status == ReservationStatus::Confirmed);
        let held = confirmed.map(|row| row.quantity.get()).sum();
        if held > max_per_user {
            self.find(person, &format!("holds {held} tickets of at most {max_per_user}"));
        }
        self.held.push(held);
    }

    async fn ticket_types(&mut self, store: &Store, ledger: &dyn Ledger, event: EventId) {
        let view = ledger.view(event).await.expect("the ledger answers");
        let Some(view) = view else { return self.findings.push("no ledger is loaded".to_owned()) };
        if view.journal_len > 0 {
            self.findings.push(format!("the journal still has {} entries", view.journal_len));
        }
        for row in store.inventory_audit(Some(event)).await.expect("the store answers") {
            if row.capacity != row.left + row.confirmed {
                self.findings.push(format!("capacity is not left + confirmed: {row:?}"));
            }
            let ticket_type = view.ticket_types.iter().find(|ticket_type| ticket_type.id == row.ticket_type);
            let left = ticket_type.map(|ticket_type| u64::from(ticket_type.left));
            if left != Some(row.left) {
                self.findings.push(format!("the ledger has {left:?} seats left, but the store has {row:?}"));
            }
        }
    }

    fn find(&mut self, person: &Person, finding: &str) {
        self.findings.push(format!("user {}: {finding}", person.user));
    }
}

/// Whether the row is a booking that was confirmed, even if it was cancelled later.
fn is_taken(row: &ReservationRecord) -> bool {
    matches!(row.status, ReservationStatus::Confirmed | ReservationStatus::Cancelled)
}
