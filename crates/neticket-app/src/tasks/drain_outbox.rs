//! Finishes releases whose node died between the cancel's COMMIT and the ledger, or whose ledger did not answer.

use std::collections::BTreeMap;

use neticket_domain::{Epoch, EventId};

use super::{ITEMS_MAX, TaskContext};
use crate::booking::deliver;
use crate::error::AppError;

/// One run. A ledger older than a cancel, or none, is loaded: what is loaded after the cancel has counted it. An event
/// whose ledger cannot be loaded keeps no other from its releases.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let created_before = context.clock.now().plus_millis(-context.engine.grace_ms);
    let rows = context.store.outbox_before(created_before, ITEMS_MAX.into()).await?;
    if rows.is_empty() {
        return Ok(());
    }
    context.metrics.recovered_releases.inc_by(u64::try_from(rows.len()).unwrap_or(u64::MAX));
    tracing::info!(releases = rows.len(), "finishing releases");
    let first = deliver(&context.store, &*context.ledger, &context.metrics, &rows).await;
    let mut failure = first.failure;
    let mut epochs: BTreeMap<EventId, Epoch> = BTreeMap::new();
    for row in &first.behind {
        let epoch = epochs.entry(row.event).or_insert(row.epoch);
        *epoch = row.epoch.max(*epoch);
    }
    for (event, epoch) in epochs {
        if let Err(error) = context.loader.load(event, Epoch(epoch.0 + 1)).await {
            failure = Some(error);
        }
    }
    let second = deliver(&context.store, &*context.ledger, &context.metrics, &first.behind).await;
    failure.or(second.failure).map_or(Ok(()), Err)
}
