//! Lets the ledgers of events that have started go, once everything taken in time is decided and they agree with the store.

use neticket_domain::{Epoch, EventId};

use super::{COMPARED_AT_ONCE, TaskContext, each_on_its_own};
use crate::error::AppError;
use crate::reconcile::Look;

/// How long a ledger stays after the start: by then nobody loads it any more who saw the event on sale a moment before, or whose
/// clock is a little behind.
const LINGER_MS: i64 = 1_000;

/// Higher than that of any ledger: evicting under it forgets nothing but a name without one.
const ANY_EPOCH: Epoch = Epoch(i64::MAX);

/// One run. Whoever repeats a key later is answered from the store.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let loaded = context.ledger.loaded().await?;
    if loaded.is_empty() {
        return Ok(());
    }
    let now = context.clock.now();
    let events = context.store.events(&loaded).await?;
    let started = events.into_iter().filter(|event| now.millis_since(event.starts_at) >= LINGER_MS);
    each_on_its_own(COMPARED_AT_ONCE, started.map(|event| close(context, event.id))).await
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
        tracing::info!(%event, %epoch, "the event has started: its ledger is not needed any more");
    }
    Ok(())
}
