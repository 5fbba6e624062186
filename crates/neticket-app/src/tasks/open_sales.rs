//! Loads the ledger of every event whose sale opens soon or is open, so that the first booking does not wait
//! for it.

use neticket_domain::{Epoch, EventId};

use super::context::{EVENTS_CONCURRENT_MAX, TaskContext, for_each_isolated};
use crate::error::AppError;

/// One run. An event that cannot be loaded does not delay others.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let selling = context.store.events_selling(context.clock.now(), context.engine.preload_lead_ms).await?;
    for_each_isolated(EVENTS_CONCURRENT_MAX, selling.into_iter().map(|event| open(context, event))).await
}

async fn open(context: &TaskContext, event: EventId) -> Result<(), AppError> {
    match context.loader.load(event, Epoch(0)).await {
        Err(AppError::NotFound) => Ok(()),
        outcome => outcome,
    }
}
