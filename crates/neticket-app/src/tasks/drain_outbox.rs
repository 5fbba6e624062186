//! Finishes releases whose node died between the cancel's COMMIT and the ledger, or whose ledger did not answer.

use super::{ITEMS_MAX, TaskContext};
use crate::booking::to_ledger;
use crate::error::AppError;

/// One run.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let created_before = context.clock.now().plus_millis(-context.engine.grace_ms);
    let rows = context.store.outbox_before(created_before, ITEMS_MAX.into()).await?;
    if !rows.is_empty() {
        tracing::info!(releases = rows.len(), "finishing releases");
        to_ledger(&context.store, &*context.ledger, &rows).await?;
    }
    Ok(())
}
