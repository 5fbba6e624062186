//! Images of events: uploading them, reading them, and holding on to them while an event comes to name them.

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
    /// Takes an uploaded image: checks it, encodes it anew, keeps it. Until the picture is kept, no connection to the store is
    /// held. `file` is as long as the caller lets it be.
    ///
    /// # Errors
    /// `UnsupportedImage`, `Invalid` (field `file`), `Overloaded`, `ImageStoreUnavailable`: nothing was kept that has a name.
    /// `StoreUnavailable`: nobody was told of what was kept, and it is removed after a day, like whatever no event names. Not at
    /// once: the same image may be another event's.
    pub async fn image_upload(
        &self,
        by: Principal,
        from_ip: Option<String>,
        file: Vec<u8>,
    ) -> Result<ImageView, AppError> {
        let picture = self.media.prepare(file).await?;
        let origin = audit::origin(by, from_ip);
        let (media, store, at) = (Arc::clone(&self.media), self.store.clone(), self.now());
        // To its end, also if the caller goes: what was kept is in the audit log.
        let keeping = tokio::spawn(async move {
            let kept = media.keep(picture).await?;
            let detail = format!("{} × {} pixels, {} bytes", kept.width, kept.height, kept.bytes);
            let entry = origin.did("image_upload", format!("image/{}", kept.key), detail, at);
            store.audit_append(&entry).await?;
            Ok::<_, AppError>(kept)
        });
        let kept = keeping.await.map_err(|panic| AppError::Internal(panic.to_string()))??;
        Ok(ImageView {
            url: self.media.url(&kept.key, ImageSize::Full),
            key: kept.key,
            width: kept.width,
            height: kept.height,
            bytes: kept.bytes,
        })
    }

    /// The image of `key`, of either size; `None` if there is none.
    ///
    /// # Errors
    /// `ImageStoreUnavailable`.
    pub async fn image(&self, key: &str) -> Result<Option<Image>, AppError> {
        Ok(self.media.read(key).await?)
    }

    /// Makes sure that an image is there, and stays, before an event names it: puts it anew, so that it is not old enough to be
    /// removed. Without a key there is nothing to do. Whoever has written the event hands the claim to [`Self::image_keep`].
    ///
    /// # Errors
    /// `Invalid` if there is no such image; `ImageStoreUnavailable`.
    pub(crate) async fn image_claim(&self, key: Option<&str>) -> Result<ImageClaim, AppError> {
        let Some(key) = key else { return Ok(ImageClaim::default()) };
        let Some(copy) = self.media.copy(key).await? else {
            return Err(AppError::Invalid(vec![no_such_image()]));
        };
        self.media.put_back(&copy).await?;
        Ok(ImageClaim(Some((key.to_owned(), copy))))
    }

    /// Once an event names a claimed image: puts it back if `sweep_images` was just about to remove it (which looks at the store
    /// once more after removing, so one of the two sees the other).
    pub(crate) async fn image_keep(&self, claim: ImageClaim) {
        let Some((key, copy)) = claim.0 else { return };
        let kept = async {
            if !self.media.contains(&key).await? {
                self.media.put_back(&copy).await?;
            }
            Ok::<_, AppError>(())
        };
        // The event is written: that its image could not be looked at is no reason to say otherwise.
        if let Err(error) = kept.await {
            tracing::warn!(key, error = %error.with_cause(), "cannot tell whether the image of an event is there");
        }
    }

    /// The address of an event's image for its own page.
    pub(crate) fn image_url(&self, key: Option<&str>) -> Option<String> {
        key.map(|key| self.media.url(key, ImageSize::Full))
    }

    /// The address of an event's image for lists.
    pub(crate) fn card_url(&self, key: Option<&str>) -> Option<String> {
        key.map(|key| self.media.url(key, ImageSize::Card))
    }
}
