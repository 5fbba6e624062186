//! Loads the ledger of every event whose sale opens soon or is open, so that the first buyer does not wait for it.

use neticket_domain::Epoch;

use super::TaskContext;
use crate::error::AppError;

/// One run. An event that cannot be loaded keeps no other from opening.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let selling = context.store.events_selling(context.clock.now(), context.engine.preload_lead_ms).await?;
    let mut failure = None;
    for event in selling {
        match context.loader.load(event, Epoch(0)).await {
            Ok(()) | Err(AppError::NotFound) => {}
            Err(error) => failure = Some(error),
        }
    }
    failure.map_or(Ok(()), Err)
}
