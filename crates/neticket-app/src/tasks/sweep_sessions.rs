//! Deletes expired refresh tokens, so that their table does not grow forever.

use super::context::{ITEMS_MAX, TaskContext};
use crate::error::AppError;

/// One run.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let swept = context.store.sessions_expired_delete(context.clock.now(), ITEMS_MAX.into()).await?;
    if swept > 0 {
        tracing::debug!(swept, "deleted expired refresh tokens");
    }
    Ok(())
}
