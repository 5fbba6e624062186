//! Compares every ledger that is at rest with the store. A difference is a bug somewhere, so it is logged as
//! an error, counted, and repaired.

use neticket_domain::EventId;

use super::context::{COMPARISONS_CONCURRENT_MAX, TaskContext, for_each_isolated};
use crate::error::AppError;
use crate::inventory::Inspection;

/// One run.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let events = context.ledger.loaded().await?.events;
    for_each_isolated(COMPARISONS_CONCURRENT_MAX, events.into_iter().map(|event| reconcile(context, event)))
        .await
}

async fn reconcile(context: &TaskContext, event: EventId) -> Result<(), AppError> {
    // A ledger with pending bookings is rarely at rest, so reading its journal is not worth it.
    if context.ledger.view(event).await?.is_none_or(|view| view.journal_len > 0) {
        return Ok(());
    }
    let inspection = match context.inspector.inspect_until_at_rest(event).await {
        Err(AppError::NotFound) => return Ok(()), // deleted: `close_sales` deletes its ledger
        inspection => inspection?,
    };
    let Inspection::Differs { epoch, changes } = &inspection else {
        return context.inspector.repair(event, &inspection).await;
    };
    tracing::error!(%event, %epoch, ?changes, "an idle ledger differs from the store, reloading it");
    context.metrics.drifted(u64::try_from(changes.len()).unwrap_or(u64::MAX));
    context.inspector.repair(event, &inspection).await?;
    context.metrics.repaired();
    Ok(())
}
