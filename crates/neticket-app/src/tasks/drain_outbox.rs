//! Finishes releases whose node died between the cancel's `COMMIT` and the release, or whose ledger did not
//! answer.

use std::collections::BTreeMap;

use neticket_domain::{Epoch, EventId};
use neticket_store::OutboxRecord;

use super::context::{EVENTS_CONCURRENT_MAX, ITEMS_MAX, TaskContext, for_each_isolated};
use crate::booking::deliver;
use crate::error::AppError;

/// One run. If the ledger is older than the cancel, or absent, it is loaded: a load after the cancel has
/// counted it. An event whose ledger cannot be loaded does not delay the releases of others.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let created_before = context.clock.now().plus_millis(-context.engine.grace_ms);
    let rows = context.store.outbox_before(created_before, ITEMS_MAX.into()).await?;
    if rows.is_empty() {
        return Ok(());
    }
    context.metrics.recovered_releases.inc_by(u64::try_from(rows.len()).unwrap_or(u64::MAX));
    tracing::info!(releases = rows.len(), "applying releases from the outbox");
    let mut by_event: BTreeMap<EventId, Vec<OutboxRecord>> = BTreeMap::new();
    for row in rows {
        by_event.entry(row.event).or_default().push(row);
    }
    for_each_isolated(
        EVENTS_CONCURRENT_MAX,
        by_event.into_iter().map(|(event, rows)| finish(context, event, rows)),
    )
    .await
}

async fn finish(context: &TaskContext, event: EventId, rows: Vec<OutboxRecord>) -> Result<(), AppError> {
    let deliver_all =
        async |rows: &[OutboxRecord]| deliver(&context.store, &*context.ledger, &context.metrics, rows).await;
    let first = deliver_all(&rows).await;
    if let Some(epoch) = first.behind.iter().map(|row| row.epoch).max() {
        match context.loader.load(event, Epoch(epoch.0 + 1)).await {
            Err(AppError::NotFound) => {
                // The event is deleted, so its seats are not sold any more.
                let ids: Vec<_> = first.behind.iter().map(|row| row.id).collect();
                return Ok(context.store.outbox_done(&ids).await?);
            }
            outcome => outcome?,
        }
    }
    let second = deliver_all(&first.behind).await;
    first.failure.or(second.failure).map_or(Ok(()), Err)
}
