//! Commits journal entries that their node left behind, because it died or the store did not answer it.

use neticket_domain::EventId;

use super::{ITEMS_MAX, TaskContext};
use crate::booking::Admitted;
use crate::error::AppError;

/// One run. An event whose journal cannot be read keeps no other from recovery.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let selling = context.store.events_selling(context.clock.now(), context.engine.preload_lead_ms).await?;
    let mut failure = None;
    for event in selling {
        if let Err(error) = recover(context, event).await {
            failure = Some(error);
        }
    }
    failure.map_or(Ok(()), Err)
}

async fn recover(context: &TaskContext, event: EventId) -> Result<(), AppError> {
    let entries = context.ledger.journal_older_than(event, context.engine.grace_ms, ITEMS_MAX.into()).await?;
    if entries.is_empty() {
        return Ok(());
    }
    context.metrics.recovered_entries.inc_by(u64::try_from(entries.len()).unwrap_or(u64::MAX));
    tracing::info!(%event, entries = entries.len(), "recovering journal entries");
    for chunk in entries.chunks(context.engine.batch_len_max) {
        let batch = chunk.iter().map(|entry| Admitted::recovered(event, *entry)).collect();
        context.committer.commit(batch).await;
    }
    Ok(())
}
