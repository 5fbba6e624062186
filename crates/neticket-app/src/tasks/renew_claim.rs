//! Renews the claim of this node's deployment on the ledger, before the last claim expires.

use super::context::TaskContext;
use crate::error::AppError;

/// One run.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    match &context.deployment {
        Some(deployment) => deployment.renew(&*context.ledger).await,
        None => Ok(()),
    }
}
