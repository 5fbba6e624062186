//! Cancels the reservations of cancelled events, in batches. It uses the same transactions and the same
//! releases to the ledger as a cancel by the owner.
//!
//! A booking that was admitted before the event was cancelled may be committed after that. The event
//! therefore stays on the list until none of its reservations is confirmed, its ledger was loaded after the
//! event was cancelled (such a ledger admits nothing), and the journal of this ledger is empty. Then no
//! booking is in flight, and none can come.

use neticket_domain::{Epoch, EventId};

use super::context::{EVENTS_CONCURRENT_MAX, TaskContext, for_each_isolated};
use crate::booking::deliver;
use crate::error::AppError;

/// Most events per run.
const EVENTS_MAX: u64 = 100;
/// Most reservations per transaction. A transaction keeps the rows of the event locked.
const BATCH_LEN: u64 = 500;
/// Most transactions per event and run. The next run continues. A node that shuts down waits for the run.
const BATCHES_MAX: u32 = 20;

/// One run. An event whose rows or ledger do not answer does not delay the cancellation of others.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let events = context.store.events_cancelling(EVENTS_MAX).await?;
    for_each_isolated(EVENTS_CONCURRENT_MAX, events.into_iter().map(|event| cancel(context, event))).await
}

async fn cancel(context: &TaskContext, event: EventId) -> Result<(), AppError> {
    let Some(record) = context.store.event(event).await? else { return Ok(()) };
    let epoch = record.ticket_types.iter().map(|ticket_type| ticket_type.epoch).max().unwrap_or(Epoch(0));
    // A ledger from before the event was cancelled does not apply the releases, so it is replaced first. If
    // that fails, the reservations are cancelled nevertheless, so that people do not have to wait for the
    // ledger.
    let loaded = load_after(context, event, epoch).await;
    for _ in 0..BATCHES_MAX {
        if cancel_batch(context, event).await? == 0 {
            loaded?;
            return finish(context, event, epoch).await;
        }
    }
    loaded
}

/// Makes sure that the event's ledger was loaded after the event was cancelled, which raised its epoch to
/// `epoch`.
async fn load_after(context: &TaskContext, event: EventId, epoch: Epoch) -> Result<(), AppError> {
    let view = context.ledger.view(event).await?;
    // If the store was restored from a backup, a ledger of a higher epoch may still be older than the
    // cancellation.
    let ahead = view.filter(|view| view.epoch > epoch).map(|view| Epoch(view.epoch.0 + 1));
    context.loader.load(event, ahead.unwrap_or(epoch)).await
}

/// Cancels one batch. Returns how many confirmed reservations it found; none of them is confirmed any more.
async fn cancel_batch(context: &TaskContext, event: EventId) -> Result<usize, AppError> {
    let confirmed = context.store.reservations_confirmed(event, BATCH_LEN).await?;
    if confirmed.is_empty() {
        return Ok(0);
    }
    let permit = context.budget.recovery.acquire().await;
    let outcomes = context.store.cancel(&confirmed, context.clock.now()).await;
    drop(permit);
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
        tracing::warn!(%event, error = %error.with_cause(), "cannot release seats, the outbox task will retry");
    }
    Ok(confirmed.len())
}

/// Takes the event off the list if none of its reservations can become confirmed any more.
async fn finish(context: &TaskContext, event: EventId, epoch: Epoch) -> Result<(), AppError> {
    let is_at_rest =
        context.ledger.view(event).await?.is_some_and(|view| view.epoch >= epoch && view.journal_len == 0);
    if !is_at_rest {
        return Ok(()); // recovery decides the journal first
    }
    let permit = context.budget.recovery.acquire().await;
    let finished = context.store.cancellation_finish(event, context.clock.now()).await;
    drop(permit);
    if let Some(epoch) = finished? {
        tracing::info!(%event, "all reservations of a cancelled event are cancelled");
        context.loader.load(event, epoch).await?;
    }
    Ok(())
}
