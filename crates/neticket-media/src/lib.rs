//! Event images: checked and encoded anew, stored under a key that is made from their content, and read by
//! that key.
//!
//! A key identifies the content (`blake3` of the bytes) and says how to serve it (the extension). An image
//! therefore never changes under its URL and may be cached forever. The bytes are stored in a `place`: a
//! folder or an S3 bucket.
//!
//! Uploads are stored in two sizes. The card is written before the full size and removed after it. An image
//! exists only if both sizes do, so an image that is found under its name is complete.

mod backend;
mod decode_queue;
mod error;
mod key;
mod local;
mod picture;
mod s3;
mod stored;

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use moka::future::Cache;

use backend::ImageBackend;
use decode_queue::DecodeQueue;
use key::Key;
use local::LocalBackend;
use s3::S3Backend;
use stored::Found;

pub use decode_queue::PrepareError;
pub use error::MediaError;
pub use key::{ImageFormat, ImageSize};
pub use picture::{CARD_SIDE_MAX, FULL_SIDE_MAX, PIXELS_MAX, Picture, Refused};
pub use s3::{S3Credentials, S3Options};

/// Capacity, in bytes, of a node's cache of images that were read from S3.
const REMEMBERED_LEN_MAX: u64 = 64 * 1024 * 1024;

/// Checks, encodes and stores event images. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Media {
    backend: ImageBackend,
    /// Cache of images from S3. `None` for a folder, whose files the operating system caches.
    remembered: Option<Cache<String, Bytes>>,
    decode_queue: DecodeQueue,
    /// What URLs begin with.
    base_url: String,
}

/// An image as it is sent to a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub bytes: Bytes,
    pub content_type: &'static str,
}

/// An image that has just been stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredImage {
    pub key: String,
    /// Of the full size, in pixels.
    pub width: u32,
    pub height: u32,
    /// Of the full size.
    pub bytes: u64,
}

/// The bytes of an image in all its sizes, as they were read.
#[derive(Debug)]
pub struct ImageCopy {
    /// The full size is last, because it is written last.
    sizes: Vec<(Key, Found)>,
}

impl ImageCopy {
    /// When the image was last written, in milliseconds since 1970.
    pub fn modified_ms(&self) -> i64 {
        self.sizes.iter().map(|(_, found)| found.modified_ms).max().unwrap_or(i64::MAX)
    }
}

/// One page of the stored images.
#[derive(Debug, PartialEq, Eq)]
pub struct Listing {
    /// By key, each with the time when it was last written, in milliseconds since 1970.
    pub images: BTreeMap<String, i64>,
    /// Where the next page begins: pass it to [`Media::list`]. `None` if there are no more images.
    pub next: Option<String>,
}

/// Why an image cannot be returned.
enum Missing {
    Absent,
    Unreadable(MediaError),
}

impl Media {
    /// Stores images in `folder`, which is created if it does not exist.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub fn in_folder(folder: &Path) -> Result<Self, MediaError> {
        let backend = ImageBackend::Local(LocalBackend::open(folder)?);
        Ok(Self {
            backend,
            remembered: None,
            decode_queue: DecodeQueue::new(),
            base_url: "/images".to_owned(),
        })
    }

    /// Stores images in a bucket. Does not connect to it yet.
    pub fn in_bucket(options: S3Options) -> Self {
        let base_url = options.public_url.clone().unwrap_or_else(|| "/images".to_owned());
        let weigh = |key: &String, bytes: &Bytes| u32::try_from(key.len() + bytes.len()).unwrap_or(u32::MAX);
        let remembered = Cache::builder().weigher(weigh).max_capacity(REMEMBERED_LEN_MAX).build();
        let backend = ImageBackend::S3(S3Backend::new(options));
        Self { backend, remembered: Some(remembered), decode_queue: DecodeQueue::new(), base_url }
    }

    /// Checks whether the images can be reached.
    ///
    /// # Errors
    /// The reason why they cannot.
    pub async fn ping(&self) -> Result<(), MediaError> {
        self.backend.ping().await
    }

    /// Makes a picture from an uploaded file, whose length the caller has limited. Stores nothing yet.
    ///
    /// # Errors
    /// The file is refused, or too many files are waiting.
    pub async fn prepare(&self, file: Vec<u8>) -> Result<Picture, PrepareError> {
        self.decode_queue.prepare(file).await
    }

    /// Stores a picture. The same picture always gets the same key. Storing it again renews the time of its
    /// last write.
    ///
    /// # Errors
    /// The picture could not be stored. Its key then names an image only if it did before.
    pub async fn store(&self, picture: Picture) -> Result<StoredImage, MediaError> {
        let key = Key::of(&picture.full, picture.format);
        let bytes = u64::try_from(picture.full.len()).unwrap_or(u64::MAX);
        if let Some(card) = key.card() {
            self.backend.put(&card, picture.card.into()).await?;
        }
        self.backend.put(&key, picture.full.into()).await?;
        Ok(StoredImage { key: key.to_string(), width: picture.width, height: picture.height, bytes })
    }

    /// Stores `bytes` as they are and returns their key. The same bytes always get the same key. Storing them
    /// again renews the time of their last write. The caller makes sure that `bytes` are of `format`, and
    /// harmless.
    ///
    /// # Errors
    /// The image could not be written. Its key then names an image only if it did before.
    pub async fn put(&self, bytes: &[u8], format: ImageFormat) -> Result<String, MediaError> {
        let key = Key::of(bytes, format);
        let bytes = Bytes::copy_from_slice(bytes);
        if let Some(card) = key.card() {
            self.backend.put(&card, bytes.clone()).await?;
        }
        self.backend.put(&key, bytes).await?;
        Ok(key.to_string())
    }

    /// The image of `key`, of either size. `None` if there is none, or if `key` is not a valid key.
    ///
    /// # Errors
    /// The image cannot be looked up or read at this moment.
    pub async fn read(&self, key: &str) -> Result<Option<Image>, MediaError> {
        let Some(key) = Key::parse(key) else { return Ok(None) };
        // Boxed, because the SDK's futures are large and this one is part of every request for an image.
        let read = Box::pin(async {
            match self.backend.serve(&key).await {
                Ok(Some(found)) => Ok(found.bytes),
                Ok(None) => Err(Missing::Absent),
                Err(error) => Err(Missing::Unreadable(error)),
            }
        });
        let bytes = match &self.remembered {
            Some(remembered) => match remembered.try_get_with(key.to_string(), read).await {
                Ok(bytes) => bytes,
                Err(missing) => return missing.answer(),
            },
            None => match read.await {
                Ok(bytes) => bytes,
                Err(missing) => return missing.answer(),
            },
        };
        Ok(Some(Image { bytes, content_type: key.format().content_type() }))
    }

    /// Whether `key` names an image of which all sizes are stored.
    ///
    /// # Errors
    /// This cannot be determined at this moment.
    pub async fn contains(&self, key: &str) -> Result<bool, MediaError> {
        let Some(key) = Key::parse_full(key) else { return Ok(false) };
        // The card is checked too: if an image is written and removed at the same time, only one of its sizes
        // may be left.
        if let Some(card) = key.card()
            && !self.backend.contains(&card).await?
        {
            return Ok(false);
        }
        self.backend.contains(&key).await
    }

    /// All sizes of the image of `key`, read from where they are stored, not from the cache. `None` if there
    /// is no such image, or if a size is missing because the image is being written or removed: an incomplete
    /// copy could not restore it.
    ///
    /// # Errors
    /// The image cannot be read at this moment.
    pub async fn copy(&self, key: &str) -> Result<Option<ImageCopy>, MediaError> {
        let Some(key) = Key::parse_full(key) else { return Ok(None) };
        let Some(full) = self.backend.read(&key).await? else { return Ok(None) };
        let mut sizes = Vec::new();
        if let Some(card) = key.card() {
            let Some(found) = self.backend.read(&card).await? else { return Ok(None) };
            sizes.push((card, found));
        }
        sizes.push((key, full));
        Ok(Some(ImageCopy { sizes }))
    }

    /// Writes an image again from its copy. If the image still exists, this renews the time of its last
    /// write.
    ///
    /// # Errors
    /// The image could not be written. It then exists only if it did before.
    pub async fn restore(&self, copy: &ImageCopy) -> Result<(), MediaError> {
        for (key, found) in &copy.sizes {
            self.backend.put(key, found.bytes.clone()).await?;
        }
        Ok(())
    }

    /// Removes the image of `key` in all its sizes, if it exists.
    ///
    /// # Errors
    /// Some of its sizes may still be stored.
    pub async fn remove(&self, key: &str) -> Result<(), MediaError> {
        let Some(key) = Key::parse_full(key) else { return Ok(()) };
        self.remove_size(&key).await?;
        match key.card() {
            Some(card) => self.remove_size(&card).await,
            None => Ok(()),
        }
    }

    async fn remove_size(&self, key: &Key) -> Result<(), MediaError> {
        let removed = self.backend.remove(key).await;
        if let Some(remembered) = &self.remembered {
            remembered.invalidate(&key.to_string()).await;
        }
        removed
    }

    /// One page of the images of which any size is stored, of at most 1,000 sizes. `after` is the `next` of
    /// the page before.
    ///
    /// # Errors
    /// The images cannot be listed at this moment.
    pub async fn list(&self, after: Option<&str>) -> Result<Listing, MediaError> {
        let listed = self.backend.list(after).await?;
        let mut images = BTreeMap::new();
        for entry in listed.entries {
            let newest = images.entry(entry.key.full().to_string()).or_insert(entry.modified_ms);
            *newest = entry.modified_ms.max(*newest);
        }
        Ok(Listing { images, next: listed.next })
    }

    /// Removes half-written files that were last modified before `before_ms` (milliseconds since 1970).
    /// Returns how many files it removed.
    ///
    /// # Errors
    /// The files cannot be listed at this moment.
    pub async fn sweep_half_written(&self, before_ms: i64) -> Result<usize, MediaError> {
        self.backend.sweep_half_written(before_ms).await
    }

    /// The URL by which a browser requests the image of `key`, in this size if the image has it. Uses only
    /// the key and needs no I/O.
    pub fn url(&self, key: &str, size: ImageSize) -> String {
        let card = Key::parse_full(key).filter(|_| size == ImageSize::Card).and_then(|key| key.card());
        let name = card.map_or_else(|| key.to_owned(), |card| card.to_string());
        format!("{}/{name}", self.base_url)
    }
}

impl Missing {
    fn answer(&self) -> Result<Option<Image>, MediaError> {
        match self {
            Self::Absent => Ok(None),
            Self::Unreadable(error) => Err(error.clone()),
        }
    }
}
