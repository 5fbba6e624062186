//! The invariants of ARCHITECTURE.md, as far as the backends show them.

use std::collections::BTreeMap;
use std::rc::Rc;

use neticket_testkit::domain::{ReservationId, TicketTypeId};
use neticket_testkit::ledger::LedgerState;
use neticket_testkit::store::{InventoryRecord, ReservationRecord, ReservationStatus, StoredInventory};

use crate::calls::CallFailed;
use crate::protocol::Node;
use crate::shared::Shared;

/// What the store contained at the last inspection.
pub(crate) struct Stored {
    records: BTreeMap<ReservationId, ReservationRecord>,
    inventory: StoredInventory,
}

struct Inspection {
    store: Rc<Stored>,
    ledger: Option<LedgerState>,
}

/// Inspects the ledger. Inspects the store too if it has been called since the last inspection.
async fn inspect(shared: &Shared) -> Inspection {
    let last_inspection = shared.last_inspection.borrow().clone();
    let store = match last_inspection {
        Some(last_inspection) => last_inspection,
        None => Rc::new(inspect_store(shared).await),
    };
    shared.last_inspection.replace(Some(Rc::clone(&store)));
    Inspection { store, ledger: shared.backends.ledger.examine(shared.event).await.unwrap() }
}

async fn inspect_store(shared: &Shared) -> Stored {
    let ids: Vec<ReservationId> = shared.reference.borrow().asked.keys().copied().collect();
    let records = shared.backends.store.reservations(&ids).await.unwrap();
    Stored {
        records: records
            .into_iter()
            .filter(|record| record.event == shared.event)
            .map(|record| (record.id, record))
            .collect(),
        inventory: shared.backends.store.inventory_of(shared.event, &ids).await.unwrap().unwrap(),
    }
}

/// What must hold after every step, whatever is in progress.
pub(crate) async fn after_a_step(shared: &Shared, max_per_user: u32) -> Result<(), String> {
    let inspection = inspect(shared).await;
    capacity_is_left_and_confirmed(&inspection.store)?;
    if let Some(ledger) = &inspection.ledger {
        drift(shared, ledger, &inspection.store)?;
    }
    shared.reference.borrow().check(&inspection.store.records, max_per_user)
}

fn capacity_is_left_and_confirmed(inspection: &Stored) -> Result<(), String> {
    let mut confirmed: BTreeMap<TicketTypeId, u64> = BTreeMap::new();
    for record in inspection.records.values().filter(|record| record.status == ReservationStatus::Confirmed) {
        *confirmed.entry(record.ticket_type).or_default() += u64::from(record.quantity.get());
    }
    for ticket_type in &inspection.inventory.ticket_types {
        let confirmed = confirmed.get(&ticket_type.id).copied().unwrap_or(0);
        if ticket_type.capacity != ticket_type.left + confirmed {
            return Err(format!("capacity is not left + {confirmed} confirmed: {ticket_type:?}"));
        }
    }
    Ok(())
}

/// The number of seats that a ledger offers must be: the seats left in the store, minus the entries of its
/// journal that the store does not have yet, minus the cancelled seats that are not yet released. It is never
/// higher. It is not lower either once the outbox is empty. This also holds for a ledger of a lower epoch,
/// unless the capacity has changed since, because nothing is committed until the next ledger is installed. A
/// booking that the store has rejected keeps its seats in the ledger until a load drops it.
fn drift(shared: &Shared, ledger: &LedgerState, store: &Stored) -> Result<(), String> {
    let is_committed =
        |id| store.records.get(&id).is_some_and(|record| record.status != ReservationStatus::Rejected);
    differs(shared, ledger, &store.inventory, is_committed)
}

fn differs(
    shared: &Shared,
    ledger: &LedgerState,
    store: &StoredInventory,
    is_committed: impl Fn(ReservationId) -> bool,
) -> Result<(), String> {
    let epoch = ledger.view.epoch;
    if shared.wrong.borrow().contains(&epoch) || epoch < shared.edited.get() {
        return Ok(());
    }
    for ticket_type in &store.ticket_types {
        let in_flight = ledger
            .journal
            .iter()
            .map(|entry| entry.request)
            .filter(|request| request.ticket_type == ticket_type.id && !is_committed(request.id));
        let in_flight: u64 = in_flight.map(|request| u64::from(request.quantity.get())).sum();
        let offered =
            ledger.view.ticket_types.iter().find(|t| t.id == ticket_type.id).map_or(0, |t| u64::from(t.left));
        let more = offered + in_flight > ticket_type.left;
        let less = offered + in_flight < ticket_type.left && store.releases.is_empty();
        if more || less {
            return Err(format!(
                "the ledger offers {offered} seats with {in_flight} in flight, but the store has {ticket_type:?}"
            ));
        }
    }
    Ok(())
}

/// Compares ledger and store. Unlike in [`after_a_step`], the nodes continue meanwhile, so it inspects the
/// ledger twice, with the store in between, and compares only if the ledger has not changed.
pub(crate) async fn reconcile(node: &Node) -> Result<Result<(), String>, CallFailed> {
    let (event, backends) = (node.shared.event, &node.shared.backends);
    node.await_read().await?;
    let Some(ledger) = backends.ledger.examine(event).await.unwrap() else { return Ok(Ok(())) };
    node.await_read().await?;
    let ids: Vec<ReservationId> = ledger.journal.iter().map(|entry| entry.request.id).collect();
    let store = backends.store.inventory_of(event, &ids).await.unwrap().unwrap();
    node.await_read().await?;
    let again = backends.ledger.examine(event).await.unwrap();
    let same = again.is_some_and(|again| again.revision == ledger.revision);
    // An entry that is also in the store is in progress: it is committed and not settled yet.
    let is_at_rest = same && store.present.is_empty();
    Ok(if is_at_rest { differs(&node.shared, &ledger, &store, |_| false) } else { Ok(()) })
}

/// Whether the journal and the outbox are empty, which is the goal of the background tasks.
pub(crate) async fn is_at_rest(shared: &Shared) -> bool {
    let inspection = inspect(shared).await;
    inspection.store.inventory.releases.is_empty()
        && inspection.ledger.is_some_and(|ledger| ledger.journal.is_empty())
}

/// What must hold when nothing is in progress.
pub(crate) async fn at_rest(shared: &Shared) -> Result<(), String> {
    let inspection = inspect(shared).await;
    capacity_is_left_and_confirmed(&inspection.store)?;
    let ledger = inspection.ledger.as_ref().ok_or("no ledger is loaded")?;
    if !ledger.journal.is_empty() {
        return Err(format!("the journal is not empty: {:?}", ledger.journal));
    }
    drift(shared, ledger, &inspection.store)?;
    shared.reference.borrow().check_at_rest(&inspection.store.records)
}

/// The same after a load that was the last call, so that the ledger is of the store's epoch.
pub(crate) async fn at_rest_in_one_epoch(shared: &Shared) -> Result<(), String> {
    let inspection = inspect(shared).await;
    let epoch = inspection.ledger.as_ref().map(|ledger| ledger.view.epoch);
    if inspection.store.inventory.ticket_types.iter().any(|ticket_type| Some(ticket_type.epoch) != epoch) {
        return Err(format!(
            "the epoch of the ledger differs from that of the store: {epoch:?}, {:?}",
            inspection.store.inventory
        ));
    }
    at_rest(shared).await
}

/// How many seats of each ticket type are left in the store.
pub(crate) async fn left(shared: &Shared) -> Vec<u64> {
    let inventory: Vec<InventoryRecord> =
        shared.backends.store.inventory_audit(Some(shared.event)).await.unwrap();
    inventory.into_iter().map(|row| row.left).collect()
}
