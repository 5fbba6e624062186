//! Images of events: uploading them, reading them, and keeping them while an event comes to name them.

use std::sync::Arc;

use neticket_media::{Image, ImageCopy, ImageSize};

use crate::App;
use crate::audit;
use crate::error::AppError;
use crate::events::no_such_image;
use crate::views::{ImageView, Principal};

/// An image that an event is about to name: see [`App::image_claim`].
#[must_use = "hand it to `image_keep` once the event is written"]
#[derive(Debug, Default)]
pub(crate) struct ImageClaim(Option<(String, ImageCopy)>);

impl App {
    /// Takes an uploaded image: checks it, encodes it anew and stores it. No connection to the store is held
    /// until the image is stored. The caller limits the length of `file`.
    ///
    /// # Errors
    /// `UnsupportedImage`, `Invalid` (field `file`), `Overloaded`, `ImageStoreUnavailable`: no image was
    /// stored under a key. `StoreUnavailable`: the image was stored, but nobody knows its key. `sweep_images`
    /// removes it after a day, like every image that no event names. It is not removed at once, because
    /// another event may have the same image.
    pub async fn image_upload(
        &self,
        by: Principal,
        from_ip: Option<String>,
        file: Vec<u8>,
    ) -> Result<ImageView, AppError> {
        let picture = self.media.prepare(file).await?;
        let origin = audit::origin(by, from_ip);
        let (media, store, at) = (Arc::clone(&self.media), self.store.clone(), self.now());
        // Runs to the end, even if the caller is cancelled, so that a stored image gets its entry in the
        // audit log.
        let storing = tokio::spawn(async move {
            let stored = media.store(picture).await?;
            let detail = format!("{} × {} pixels, {} bytes", stored.width, stored.height, stored.bytes);
            let entry = origin.did("image_upload", format!("image/{}", stored.key), detail, at);
            store.audit_append(&entry).await?;
            Ok::<_, AppError>(stored)
        });
        let stored = storing.await.map_err(|panic| AppError::Internal(panic.to_string()))??;
        Ok(ImageView {
            url: self.media.url(&stored.key, ImageSize::Full),
            key: stored.key,
            width: stored.width,
            height: stored.height,
            bytes: stored.bytes,
        })
    }

    /// The image of `key`, of either size. `None` if there is none.
    ///
    /// # Errors
    /// `ImageStoreUnavailable`.
    pub async fn image(&self, key: &str) -> Result<Option<Image>, AppError> {
        Ok(self.media.read(key).await?)
    }

    /// Makes sure that an image exists and stays before an event names it: it is written again, so that it is
    /// not old enough to be removed. Without a key nothing is done. After the event is written, the caller
    /// hands the claim to [`Self::image_keep`].
    ///
    /// # Errors
    /// `Invalid` if there is no such image; `ImageStoreUnavailable`.
    pub(crate) async fn image_claim(&self, key: Option<&str>) -> Result<ImageClaim, AppError> {
        let Some(key) = key else { return Ok(ImageClaim::default()) };
        let Some(copy) = self.media.copy(key).await? else {
            return Err(AppError::Invalid(vec![no_such_image()]));
        };
        self.media.restore(&copy).await?;
        Ok(ImageClaim(Some((key.to_owned(), copy))))
    }

    /// Called once an event names a claimed image, or may name it. Writes the image again if `sweep_images`
    /// was removing it at the same moment. `sweep_images` asks the store once more after it has removed an
    /// image, so one of the two notices the other.
    pub(crate) async fn image_keep(&self, claim: ImageClaim) {
        let Some((key, copy)) = claim.0 else { return };
        let stored = async {
            if !self.media.contains(&key).await? {
                self.media.restore(&copy).await?;
            }
            Ok::<_, AppError>(())
        };
        // The event is written. A failure to check its image must not make the answer a failure.
        if let Err(error) = stored.await {
            tracing::warn!(key, error = %error.with_cause(), "cannot check whether the image of an event exists");
        }
    }

    /// The URL of an event's image for the event's own page.
    pub(crate) fn image_url(&self, key: Option<&str>) -> Option<String> {
        key.map(|key| self.media.url(key, ImageSize::Full))
    }

    /// The URL of an event's image for lists.
    pub(crate) fn card_url(&self, key: Option<&str>) -> Option<String> {
        key.map(|key| self.media.url(key, ImageSize::Card))
    }
}
