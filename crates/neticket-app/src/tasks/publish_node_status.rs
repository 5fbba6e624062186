//! Publishes the status of this node through the ledger, for the statistics of all nodes.

use super::context::TaskContext;
use crate::error::AppError;
use crate::monitoring::in_flight;

/// One run.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    context.stats.sample();
    let in_flight = in_flight(&context.booking_service, &context.cancel_service);
    let status = context.stats.status(in_flight, context.metrics.drift());
    Ok(context.ledger.node_registry().publish(context.stats.node(), &status.write()).await?)
}
