//! Removes images that no event names: uploads that came to nothing, and what edits and deletions have left behind.
//!
//! An image stays for a day after it was last put, and whoever names one in an event puts it anew first (`images.rs`): so a form
//! may stay open for days. Where naming and removing meet all the same, one of the two sees the other: this task looks at the
//! store once more *after* removing, and naming looks at the image once more after writing to the store; each of them puts the
//! image back that it has read before.

use neticket_media::ImageCopy;

use super::{ITEMS_MAX, TaskContext};
use crate::error::AppError;

/// After so many failures on end it is not the images.
const FAILURES_MAX: u32 = 10;
/// How often an image is put back that an event has come to name.
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
            // One that cannot be removed keeps no other from being so; the last one is told.
            match remove(context, key, before_ms).await {
                Ok(()) => failures = 0,
                Err(error) if failures + 1 == FAILURES_MAX => return Err(error),
                Err(error) => {
                    tracing::warn!(key, error = %error.with_cause(), "cannot remove an image that no event names");
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
        tracing::info!(half_written, "removed files of images that were never finished");
    }
    failed.map_or(Ok(()), Err)
}

async fn remove(context: &TaskContext, key: &str, before_ms: i64) -> Result<(), AppError> {
    // What is not whole is being removed by another node at this moment, or put back by whoever names it: removing it too would take
    // away what was put back, with no copy to make that good.
    let Some(copy) = context.media.copy(key).await? else { return Ok(()) };
    if copy.modified_ms() >= before_ms {
        return Ok(()); // somebody has put it anew since it was listed
    }
    context.media.remove(key).await?;
    if context.store.images_used(&[key.to_owned()]).await?.is_empty() {
        tracing::info!(key, "removed an image that no event names");
    } else {
        put_back(context, &copy).await.inspect_err(|_| {
            tracing::error!(
                key,
                "an image is lost that an event has come to name: it has to be uploaded again"
            );
        })?;
        tracing::info!(key, "put an image back that an event has come to name");
    }
    Ok(())
}

/// There is no other copy: one failure is not enough to give up.
async fn put_back(context: &TaskContext, copy: &ImageCopy) -> Result<(), AppError> {
    let mut put = context.media.put_back(copy).await;
    for _ in 1..PUTS_MAX {
        if put.is_err() {
            put = context.media.put_back(copy).await;
        }
    }
    Ok(put?)
}
