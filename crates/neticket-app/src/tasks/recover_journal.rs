//! Commits journal entries that a node left behind, because it died or the store did not answer. It does so
//! also for events that have closed or started meanwhile: a booking that was admitted in time is decided.

use neticket_domain::{Epoch, EventId};

use super::context::{EVENTS_CONCURRENT_MAX, ITEMS_MAX, TaskContext, for_each_isolated};
use crate::error::AppError;

/// One run. An event whose journal cannot be read or whose ledger cannot be loaded does not delay the
/// recovery of others. If the list of loaded events is incomplete, the known events are recovered and the run
/// fails.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let loaded = context.ledger.loaded().await?;
    let recoveries = loaded.events.into_iter().map(|event| recover(context, event));
    let recovered = for_each_isolated(EVENTS_CONCURRENT_MAX, recoveries).await;
    loaded.incomplete.map_or(Ok(()), |reason| Err(reason.into())).and(recovered)
}

async fn recover(context: &TaskContext, event: EventId) -> Result<(), AppError> {
    if context.ledger.view(event).await?.is_none() {
        if context.ledger.current_epoch(event).await? == Epoch(0) {
            return Ok(()); // lost or evicted, together with its journal
        }
        // A ledger of another server run, perhaps with a journal. The load carries the journal over.
        match context.loader.load(event, Epoch(0)).await {
            Err(AppError::NotFound) => return Ok(()), // deleted: `close_sales` deletes its ledger
            outcome => outcome?,
        }
    }
    let entries = context.ledger.journal_older_than(event, context.engine.grace_ms, ITEMS_MAX.into()).await?;
    if entries.is_empty() {
        return Ok(());
    }
    context.metrics.recovered_entries.inc_by(u64::try_from(entries.len()).unwrap_or(u64::MAX));
    tracing::info!(%event, entries = entries.len(), "recovering journal entries");
    for chunk in entries.chunks(context.engine.batch_len_max) {
        context.committer.recover(event, chunk).await;
    }
    Ok(())
}
