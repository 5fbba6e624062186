//! Claims the ledger again for this node's deployment, before the last claim is too old to count.

use super::TaskContext;
use crate::error::AppError;

/// One run.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    match &context.deployment {
        Some(deployment) => deployment.renew(&*context.ledger).await,
        None => Ok(()),
    }
}
