//! Finishes releases whose node died between the cancel's COMMIT and the ledger, or whose ledger did not answer.

use std::collections::BTreeMap;

use neticket_domain::{Epoch, EventId};

use super::{ITEMS_MAX, TaskContext};
use crate::booking::to_ledger;
use crate::error::AppError;

/// One run. A ledger older than a cancel, or none, is loaded: what is loaded after the cancel has counted it.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let created_before = context.clock.now().plus_millis(-context.engine.grace_ms);
    let rows = context.store.outbox_before(created_before, ITEMS_MAX.into()).await?;
    if rows.is_empty() {
        return Ok(());
    }
    tracing::info!(releases = rows.len(), "finishing releases");
    let behind = to_ledger(&context.store, &*context.ledger, &rows).await?;
    let mut epochs: BTreeMap<EventId, Epoch> = BTreeMap::new();
    for row in &behind {
        let epoch_min = epochs.entry(row.event).or_insert(row.epoch);
        *epoch_min = row.epoch.max(*epoch_min);
    }
    for (event, epoch) in epochs {
        context.loader.load(event, Epoch(epoch.0 + 1)).await?;
    }
    to_ledger(&context.store, &*context.ledger, &behind).await?;
    Ok(())
}
