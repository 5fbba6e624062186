//! Event images: checked and encoded anew, kept under a key made from their content, and read back by that key.
//!
//! A key says what it names (`blake3` of the bytes) and how to serve it (the extension), so an image never changes
//! under its address and may be cached for ever. What keeps the bytes is a `place`: a folder, or a bucket of S3.
//!
//! Uploads are kept in two sizes. The card is written before the full size and removed after it, and only both of them make
//! an image one that is there: whatever has a name is whole.

mod bucket;
mod error;
mod folder;
mod key;
mod picture;
mod place;
mod workshop;

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use moka::future::Cache;

use bucket::Bucket;
use folder::Folder;
use key::Key;
use place::{Found, Place};
use workshop::Workshop;

pub use bucket::{S3Credentials, S3Options};
pub use error::MediaError;
pub use key::{ImageFormat, ImageSize};
pub use picture::{CARD_SIDE_MAX, FULL_SIDE_MAX, PIXELS_MAX, Picture, Refused};
pub use workshop::PrepareError;

/// The most bytes of images that a node remembers of those it has read from S3.
const REMEMBERED_LEN_MAX: u64 = 64 * 1024 * 1024;

/// Where event images are made and kept. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Media {
    place: Place,
    /// Of S3's images only: a folder's are in the memory of the operating system.
    remembered: Option<Cache<String, Bytes>>,
    workshop: Workshop,
    /// What addresses begin with.
    base_url: String,
}

/// An image as it goes to a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub bytes: Bytes,
    pub content_type: &'static str,
}

/// An image that has just been kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
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
    /// The full size last, as it is to be written.
    sizes: Vec<(Key, Found)>,
}

impl ImageCopy {
    /// When the image was last put, in milliseconds since 1970.
    pub fn modified_ms(&self) -> i64 {
        self.sizes.iter().map(|(_, found)| found.modified_ms).max().unwrap_or(i64::MAX)
    }
}

/// Some of the images that are kept.
#[derive(Debug, PartialEq, Eq)]
pub struct Listing {
    /// By key, with when each was last put, in milliseconds since 1970.
    pub images: BTreeMap<String, i64>,
    /// To be handed in for those that follow; `None`: there are no more.
    pub next: Option<String>,
}

/// Why an image is not there.
enum Missing {
    Absent,
    Unreadable(MediaError),
}

impl Media {
    /// Keeps images in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn in_folder(folder: &Path) -> Result<Self, MediaError> {
        let place = Place::Folder(Folder::open(folder)?);
        Ok(Self { place, remembered: None, workshop: Workshop::new(), base_url: "/images".to_owned() })
    }

    /// Keeps images in a bucket. Nothing is asked of it yet.
    pub fn in_bucket(options: S3Options) -> Self {
        let base_url = options.public_url.clone().unwrap_or_else(|| "/images".to_owned());
        let weigh = |key: &String, bytes: &Bytes| u32::try_from(key.len() + bytes.len()).unwrap_or(u32::MAX);
        let remembered = Cache::builder().weigher(weigh).max_capacity(REMEMBERED_LEN_MAX).build();
        let place = Place::Bucket(Bucket::new(options));
        Self { place, remembered: Some(remembered), workshop: Workshop::new(), base_url }
    }

    /// Whether images can be had where they are kept.
    ///
    /// # Errors
    /// Says why not.
    pub async fn ping(&self) -> Result<(), MediaError> {
        self.place.ping().await
    }

    /// Makes a picture of an uploaded file, whose length the caller has limited. Keeps nothing yet.
    ///
    /// # Errors
    /// The file is not taken, or too many are waiting.
    pub async fn prepare(&self, file: Vec<u8>) -> Result<Picture, PrepareError> {
        self.workshop.prepare(file).await
    }

    /// Keeps a picture. The same picture has the same key; keeping it again makes it as old as new.
    ///
    /// # Errors
    /// The picture could not be kept; then nothing has its key that had not before.
    pub async fn keep(&self, picture: Picture) -> Result<Kept, MediaError> {
        let key = Key::of(&picture.full, picture.format);
        let bytes = u64::try_from(picture.full.len()).unwrap_or(u64::MAX);
        if let Some(card) = key.card() {
            self.place.put(&card, picture.card.into()).await?;
        }
        self.place.put(&key, picture.full.into()).await?;
        Ok(Kept { key: key.to_string(), width: picture.width, height: picture.height, bytes })
    }

    /// Keeps `bytes` as they are and answers their key. The same bytes have the same key; keeping them again makes them as
    /// old as new. The caller has made sure that `bytes` are what `format` says, and harmless.
    ///
    /// # Errors
    /// The image could not be written; then nothing is kept under its key that was not there before.
    pub async fn put(&self, bytes: &[u8], format: ImageFormat) -> Result<String, MediaError> {
        let key = Key::of(bytes, format);
        let bytes = Bytes::copy_from_slice(bytes);
        if let Some(card) = key.card() {
            self.place.put(&card, bytes.clone()).await?;
        }
        self.place.put(&key, bytes).await?;
        Ok(key.to_string())
    }

    /// The image of `key`, of either size; `None` if there is none, or if `key` is not a key.
    ///
    /// # Errors
    /// It cannot be told, or read, at this moment.
    pub async fn read(&self, key: &str) -> Result<Option<Image>, MediaError> {
        let Some(key) = Key::parse(key) else { return Ok(None) };
        // Boxed: the SDK's futures are large, and this one is part of every request for an image.
        let read = Box::pin(async {
            match self.place.serve(&key).await {
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

    /// Whether `key` names an image that is kept here, whole.
    ///
    /// # Errors
    /// It cannot be told at this moment.
    pub async fn contains(&self, key: &str) -> Result<bool, MediaError> {
        let Some(key) = Key::parse_full(key) else { return Ok(false) };
        // The card too: where an image is put and removed at once, one of them may be left with the other's half.
        if let Some(card) = key.card()
            && !self.place.contains(&card).await?
        {
            return Ok(false);
        }
        self.place.contains(&key).await
    }

    /// All sizes of the image of `key`, as the place has them at this moment; `None` if there is no such image, or if it is not
    /// whole, because it is being put or removed: with a copy of half an image nobody could put it back.
    ///
    /// # Errors
    /// It cannot be read at this moment.
    pub async fn copy(&self, key: &str) -> Result<Option<ImageCopy>, MediaError> {
        let Some(key) = Key::parse_full(key) else { return Ok(None) };
        let Some(full) = self.place.read(&key).await? else { return Ok(None) };
        let mut sizes = Vec::new();
        if let Some(card) = key.card() {
            let Some(found) = self.place.read(&card).await? else { return Ok(None) };
            sizes.push((card, found));
        }
        sizes.push((key, full));
        Ok(Some(ImageCopy { sizes }))
    }

    /// Puts an image back, or makes it as old as new if it is still there.
    ///
    /// # Errors
    /// It could not be written; then it is there only if it was before.
    pub async fn put_back(&self, copy: &ImageCopy) -> Result<(), MediaError> {
        for (key, found) in &copy.sizes {
            self.place.put(key, found.bytes.clone()).await?;
        }
        Ok(())
    }

    /// Removes the image of `key` in all its sizes, if it is there.
    ///
    /// # Errors
    /// Something of it may still be there.
    pub async fn remove(&self, key: &str) -> Result<(), MediaError> {
        let Some(key) = Key::parse_full(key) else { return Ok(()) };
        self.remove_size(&key).await?;
        match key.card() {
            Some(card) => self.remove_size(&card).await,
            None => Ok(()),
        }
    }

    async fn remove_size(&self, key: &Key) -> Result<(), MediaError> {
        let removed = self.place.remove(key).await;
        if let Some(remembered) = &self.remembered {
            remembered.invalidate(&key.to_string()).await;
        }
        removed
    }

    /// Images of which any size is there, a page of at most 1,000 sizes. `after` is the `next` of the page before.
    ///
    /// # Errors
    /// They cannot be listed at this moment.
    pub async fn list(&self, after: Option<&str>) -> Result<Listing, MediaError> {
        let listed = self.place.list(after).await?;
        let mut images = BTreeMap::new();
        for entry in listed.entries {
            let newest = images.entry(entry.key.full().to_string()).or_insert(entry.modified_ms);
            *newest = entry.modified_ms.max(*newest);
        }
        Ok(Listing { images, next: listed.next })
    }

    /// Removes files that were being written before `before_ms` (milliseconds since 1970) and never finished. Answers how
    /// many there were.
    ///
    /// # Errors
    /// They cannot be listed at this moment.
    pub async fn sweep_half_written(&self, before_ms: i64) -> Result<usize, MediaError> {
        self.place.sweep_half_written(before_ms).await
    }

    /// The address by which a browser asks for the image of `key`, in this size if it has it. Looks at the key alone.
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
