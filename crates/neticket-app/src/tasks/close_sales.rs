//! Evicts ledgers that are not needed any more: those of events that have started or are cancelled, once
//! every booking that was admitted in time is decided and the ledger agrees with the store; and those of
//! deleted events.

use std::collections::BTreeSet;

use neticket_domain::{Epoch, EventId};

use super::context::{COMPARISONS_CONCURRENT_MAX, TaskContext, for_each_isolated};
use crate::error::AppError;
use crate::inventory::Inspection;

/// How long a ledger stays after the event's start, in milliseconds. After that time no node loads it again
/// because it saw the event on sale a moment before, or because its clock is a little behind.
const EVICTION_DELAY_MS: i64 = 1_000;

/// The age, in milliseconds, that all journal entries of an event must have before they are deleted because
/// the store does not have the event. It is much longer than the time within which an entry can be committed.
/// A node that was given another store by mistake therefore deletes no entries of the nodes with the right
/// store.
const DELETED_ENTRIES_AGE_MIN_MS: i64 = 60_000;

/// Higher than the epoch of any ledger. Evicting with it only takes an event without a ledger off the list of
/// loaded events.
const ANY_EPOCH: Epoch = Epoch(i64::MAX);

/// One run. A request that repeats a key later is answered from the store.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let loaded = context.ledger.loaded().await?.events;
    if loaded.is_empty() {
        return Ok(());
    }
    let now = context.clock.now();
    let events = context.store.events(&loaded).await?;
    let existing: BTreeSet<EventId> = events.iter().map(|event| event.id).collect();
    let gone = loaded.into_iter().filter(|event| !existing.contains(event));
    let deleted =
        for_each_isolated(COMPARISONS_CONCURRENT_MAX, gone.map(|event| delete_ledger(context, event))).await;
    let ended = events.into_iter().filter(|event| {
        event.cancelled_at.is_some_and(|at| now.millis_since(at) >= EVICTION_DELAY_MS)
            || now.millis_since(event.starts_at) >= EVICTION_DELAY_MS
    });
    for_each_isolated(COMPARISONS_CONCURRENT_MAX, ended.map(|event| close(context, event.id))).await?;
    deleted
}

/// Deletes the ledger of a deleted event. The request that deleted the event has checked the journal; what
/// was admitted since cannot be committed.
async fn delete_ledger(context: &TaskContext, event: EventId) -> Result<(), AppError> {
    match context.ledger.view(event).await? {
        Some(view) if view.journal_len == 0 => {
            if !context.ledger.evict(event, view.epoch).await? {
                return Ok(()); // it is in use after all
            }
        }
        Some(view) => {
            let entries = usize::try_from(view.journal_len).unwrap_or(usize::MAX);
            let old = context.ledger.journal_older_than(event, DELETED_ENTRIES_AGE_MIN_MS, entries).await?;
            if old.len() < entries {
                return Ok(());
            }
            tracing::warn!(%event, entries, "discarding pending bookings of a deleted event");
            context.ledger.delete(event).await?;
        }
        None => context.ledger.delete(event).await?,
    }
    tracing::info!(%event, "removed the ledger of a deleted event");
    Ok(())
}

async fn close(context: &TaskContext, event: EventId) -> Result<(), AppError> {
    let Some(view) = context.ledger.view(event).await? else {
        // The event is listed without a ledger: this takes it off the list. A ledger of another server run
        // stays, and recovery loads it.
        context.ledger.evict(event, ANY_EPOCH).await?;
        return Ok(());
    };
    if view.journal_len > 0 {
        return Ok(()); // recovery decides the journal first
    }
    // `reconcile_ledgers` reports and repairs a difference.
    if let Inspection::Consistent { epoch } = context.inspector.inspect_until_at_rest(event).await?
        && context.ledger.evict(event, epoch).await?
    {
        tracing::info!(%event, %epoch, "evicted the ledger of an event that has started or is cancelled");
    }
    Ok(())
}
