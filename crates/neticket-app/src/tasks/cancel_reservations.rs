//! Cancels the reservations of cancelled events, in batches: as if every owner had done so, by the same transactions and
//! the same way back to the ledger.
//!
//! What was admitted before the event was cancelled may come into the store after it. So an event stays on the list until
//! nothing of it is confirmed and its ledger is one that was made after the cancelling, which admits nothing, and has an
//! empty journal. Then nothing is on its way any more, and nothing can come.

use neticket_domain::{Epoch, EventId};

use super::{EVENTS_AT_ONCE, TaskContext, each_on_its_own};
use crate::booking::deliver;
use crate::error::AppError;

/// Most events that one run takes up.
const EVENTS_MAX: u64 = 100;
/// Most reservations of one transaction: each keeps the event's rows locked.
const BATCH_LEN: u64 = 500;
/// Most transactions for one event in one run; the next goes on. A node that ends waits for the run.
const BATCHES_MAX: u32 = 20;

/// One run. An event whose rows or ledger do not answer keeps no other from its cancellation.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let events = context.store.events_cancelling(EVENTS_MAX).await?;
    each_on_its_own(EVENTS_AT_ONCE, events.into_iter().map(|event| cancel(context, event))).await
}

async fn cancel(context: &TaskContext, event: EventId) -> Result<(), AppError> {
    let Some(record) = context.store.event(event).await? else { return Ok(()) };
    let epoch = record.ticket_types.iter().map(|grade| grade.epoch).max().unwrap_or(Epoch(0));
    // The ledger of before takes no seats back. People are not kept waiting for it, though.
    let loaded = load_after(context, event, epoch).await;
    for _ in 0..BATCHES_MAX {
        if cancel_batch(context, event).await? == 0 {
            loaded?;
            return finish(context, event, epoch).await;
        }
    }
    loaded
}

/// Makes sure that the event's ledger is one that was made after the event was cancelled and its epoch raised to `epoch`.
async fn load_after(context: &TaskContext, event: EventId, epoch: Epoch) -> Result<(), AppError> {
    let view = context.ledger.view(event).await?;
    // One that is ahead of a store that was restored from a backup may be older than the cancelling all the same.
    let ahead = view.filter(|view| view.epoch > epoch).map(|view| Epoch(view.epoch.0 + 1));
    context.loader.load(event, ahead.unwrap_or(epoch)).await
}

/// How many reservations it found; none of them is confirmed any more.
async fn cancel_batch(context: &TaskContext, event: EventId) -> Result<usize, AppError> {
    let confirmed = context.store.reservations_confirmed(event, BATCH_LEN).await?;
    if confirmed.is_empty() {
        return Ok(0);
    }
    let turn = context.turns.recovery.acquire().await;
    let outcomes = context.store.cancel(&confirmed, context.clock.now()).await;
    drop(turn);
    let releases: Vec<_> = outcomes?
        .into_iter()
        .filter_map(|outcome| match outcome {
            neticket_store::CancelOutcome::Cancelled { release, .. } => Some(release),
            _ => None,
        })
        .collect();
    tracing::info!(%event, reservations = releases.len(), "cancelled reservations of a cancelled event");
    if let Some(error) = deliver(&context.store, &*context.ledger, &context.metrics, &releases).await.failure
    {
        tracing::warn!(%event, error = %error.with_cause(), "left to the outbox: releasing failed");
    }
    Ok(confirmed.len())
}

/// Takes the event off the list, if nothing of it can become confirmed any more.
async fn finish(context: &TaskContext, event: EventId, epoch: Epoch) -> Result<(), AppError> {
    let is_at_rest =
        context.ledger.view(event).await?.is_some_and(|view| view.epoch >= epoch && view.pending == 0);
    if !is_at_rest {
        return Ok(()); // recovery has to do with it first
    }
    let turn = context.turns.recovery.acquire().await;
    let finished = context.store.cancellation_finish(event, context.clock.now()).await;
    drop(turn);
    if let Some(epoch) = finished? {
        tracing::info!(%event, "all reservations of a cancelled event are cancelled");
        context.loader.load(event, epoch).await?;
    }
    Ok(())
}
