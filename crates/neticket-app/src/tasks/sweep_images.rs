//! Removes images that no event names: uploads that were never used, and images that edits and deletions left
//! behind.
//!
//! An image stays for a day after it was last written. Before an event names an image, the image is written
//! again (`images.rs`), so a form may stay open for days. If an image is named and removed at the same
//! moment, one of the two notices the other: this task asks the store once more *after* it has removed the
//! image, and the code that names the image checks once more that it exists *after* the event is written.
//! Both have read the image before, and write it again if it is missing.

use neticket_media::ImageCopy;

use super::context::{ITEMS_MAX, TaskContext};
use crate::error::AppError;

/// After so many consecutive failures the cause is not a single image.
const FAILURES_MAX: u32 = 10;
/// How many times this task tries to restore an image that an event has come to name.
const PUTS_MAX: u32 = 3;

/// One run.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let before_ms = context.clock.now().plus_millis(-context.engine.image_orphan_age_ms).as_millis();
    let mut left = usize::from(ITEMS_MAX);
    let mut after: Option<String> = None;
    let (mut failures, mut failed) = (0, None);
    loop {
        let listing = context.media.list(after.as_deref()).await?;
        let old = listing.images.into_iter().filter(|(_, modified_ms)| *modified_ms < before_ms);
        let old: Vec<String> = old.map(|(key, _)| key).collect();
        let used = context.store.images_used(&old).await?;
        for key in old.iter().filter(|key| !used.contains(*key)).take(left) {
            if context.stop.is_cancelled() {
                return Ok(());
            }
            left -= 1;
            // An image that cannot be removed does not stop the removal of others. The last failure is
            // returned.
            match remove(context, key, before_ms).await {
                Ok(()) => failures = 0,
                Err(error) if failures + 1 == FAILURES_MAX => return Err(error),
                Err(error) => {
                    tracing::warn!(key, error = %error.with_cause(), "cannot delete an image that no event uses");
                    failures += 1;
                    failed = Some(error);
                }
            }
        }
        match listing.next {
            Some(next) if left > 0 => after = Some(next),
            _ => break,
        }
    }
    let half_written = context.media.sweep_half_written(before_ms).await?;
    if half_written > 0 {
        tracing::info!(half_written, "deleted files of unfinished uploads");
    }
    failed.map_or(Ok(()), Err)
}

async fn remove(context: &TaskContext, key: &str, before_ms: i64) -> Result<(), AppError> {
    // If not all sizes are there, another node is removing the image at this moment, or the code that names
    // it is restoring it. Removing it as well would undo the restoring, and there is no copy to restore it
    // from again.
    let Some(copy) = context.media.copy(key).await? else { return Ok(()) };
    if copy.modified_ms() >= before_ms {
        return Ok(()); // it was written again since it was listed
    }
    context.media.remove(key).await?;
    if context.store.images_used(&[key.to_owned()]).await?.is_empty() {
        tracing::info!(key, "deleted an image that no event uses");
    } else {
        restore(context, &copy).await.inspect_err(|_| {
            tracing::error!(key, "lost an image that an event now uses, upload it again");
        })?;
        tracing::info!(key, "restored an image that an event now uses");
    }
    Ok(())
}

/// Writes the image again. There is no other copy, so one failure is not enough to give up.
async fn restore(context: &TaskContext, copy: &ImageCopy) -> Result<(), AppError> {
    let mut put = context.media.restore(copy).await;
    for _ in 1..PUTS_MAX {
        if put.is_err() {
            put = context.media.restore(copy).await;
        }
    }
    Ok(put?)
}
