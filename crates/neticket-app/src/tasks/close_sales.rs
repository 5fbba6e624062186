//! Lets ledgers go that are not needed any more: of events that have started or are cancelled, once everything taken in time
//! is decided and they agree with the store; and of events that are deleted.

use std::collections::BTreeSet;

use neticket_domain::{Epoch, EventId};

use super::{COMPARED_AT_ONCE, TaskContext, each_on_its_own};
use crate::error::AppError;
use crate::reconcile::Look;

/// How long a ledger stays after the start: by then nobody loads it any more who saw the event on sale a moment before, or whose
/// clock is a little behind.
const LINGER_MS: i64 = 1_000;

/// How old what is in the journal of an event that is not in the store has to be before it is forgotten. Long after whatever
/// can be committed is: so a node that was given another store by mistake takes nothing from those of the right one.
const GONE_AGE_MS: i64 = 60_000;

/// Higher than that of any ledger: evicting under it forgets nothing but a name without one.
const ANY_EPOCH: Epoch = Epoch(i64::MAX);

/// One run. Whoever repeats a key later is answered from the store.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let loaded = context.ledger.loaded().await?.events;
    if loaded.is_empty() {
        return Ok(());
    }
    let now = context.clock.now();
    let events = context.store.events(&loaded).await?;
    let there: BTreeSet<EventId> = events.iter().map(|event| event.id).collect();
    let gone = loaded.into_iter().filter(|event| !there.contains(event));
    let forgotten = each_on_its_own(COMPARED_AT_ONCE, gone.map(|event| forget(context, event))).await;
    let over = events.into_iter().filter(|event| {
        event.cancelled_at.is_some_and(|at| now.millis_since(at) >= LINGER_MS)
            || now.millis_since(event.starts_at) >= LINGER_MS
    });
    each_on_its_own(COMPARED_AT_ONCE, over.map(|event| close(context, event.id))).await?;
    forgotten
}

/// Whoever deleted it had a look at its journal; what has come since cannot be committed.
async fn forget(context: &TaskContext, event: EventId) -> Result<(), AppError> {
    match context.ledger.view(event).await? {
        Some(view) if view.pending == 0 => {
            if !context.ledger.evict(event, view.epoch).await? {
                return Ok(()); // it is in use after all
            }
        }
        Some(view) => {
            let pending = usize::try_from(view.pending).unwrap_or(usize::MAX);
            let old = context.ledger.journal_older_than(event, GONE_AGE_MS, pending).await?;
            if old.len() < pending {
                return Ok(());
            }
            tracing::warn!(%event, entries = pending, "forgetting what was on its way of a deleted event");
            context.ledger.forget(event).await?;
        }
        None => context.ledger.forget(event).await?,
    }
    tracing::info!(%event, "the event is deleted: its ledger is not needed any more");
    Ok(())
}

async fn close(context: &TaskContext, event: EventId) -> Result<(), AppError> {
    let Some(view) = context.ledger.view(event).await? else {
        // Listed without a ledger, it is listed no more. One of another run of the server is recovery's.
        context.ledger.evict(event, ANY_EPOCH).await?;
        return Ok(());
    };
    if view.pending > 0 {
        return Ok(()); // recovery has to do with it first
    }
    // What differs is for `reconcile_ledgers` to tell and to repair.
    if let Look::Consistent { epoch } = context.reconciler.look(event).await?
        && context.ledger.evict(event, epoch).await?
    {
        tracing::info!(%event, %epoch, "the event is over: its ledger is not needed any more");
    }
    Ok(())
}
