//! Commits journal entries that their node left behind, because it died or the store did not answer it.

use super::{ITEMS_MAX, TaskContext};
use crate::booking::Admitted;
use crate::error::AppError;

/// One run.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let selling = context.store.events_selling(context.clock.now(), context.engine.preload_lead_ms).await?;
    for event in selling {
        let entries =
            context.ledger.journal_older_than(event, context.engine.grace_ms, ITEMS_MAX.into()).await?;
        if entries.is_empty() {
            continue;
        }
        tracing::info!(%event, entries = entries.len(), "recovering journal entries");
        for chunk in entries.chunks(context.engine.batch_len_max) {
            let batch = chunk.iter().map(|entry| Admitted::recovered(event, *entry)).collect();
            context.committer.commit(batch).await;
        }
    }
    Ok(())
}
