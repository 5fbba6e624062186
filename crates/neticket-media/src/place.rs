//! Where images are kept: one of two places, of one behaviour (`tests/media`).

use bytes::Bytes;

use crate::bucket::Bucket;
use crate::error::MediaError;
use crate::folder::Folder;
use crate::key::Key;

/// The most images of one listing: as many as S3 lists at once.
pub(crate) const LISTING_LEN_MAX: usize = 1_000;

#[derive(Debug)]
pub(crate) enum Place {
    Folder(Folder),
    Bucket(Bucket),
}

/// An image, and when it was put by the place's own clock.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) bytes: Bytes,
    /// Milliseconds since 1970.
    pub(crate) modified_ms: i64,
}

/// An image of a listing.
pub(crate) struct Entry {
    pub(crate) key: Key,
    /// Milliseconds since 1970.
    pub(crate) modified_ms: i64,
}

/// Some of the images that are kept.
pub(crate) struct Listed {
    pub(crate) entries: Vec<Entry>,
    /// To be handed in for those that follow; `None`: there are no more.
    pub(crate) next: Option<String>,
}

impl Place {
    /// Whether the place answers.
    pub(crate) async fn ping(&self) -> Result<(), MediaError> {
        match self {
            Self::Folder(folder) => folder.ping().await,
            Self::Bucket(bucket) => bucket.ping().await,
        }
    }

    /// Keeps `bytes` under `key`, whole or not at all. What is there already is as old as new from then on.
    pub(crate) async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), MediaError> {
        match self {
            Self::Folder(folder) => folder.put(key, &bytes).await,
            Self::Bucket(bucket) => bucket.put(key, bytes).await,
        }
    }

    /// For visitors: refused while too many are read at once.
    pub(crate) async fn serve(&self, key: &Key) -> Result<Option<Found>, MediaError> {
        match self {
            Self::Folder(folder) => folder.read(key).await,
            Self::Bucket(bucket) => bucket.serve(key).await,
        }
    }

    pub(crate) async fn read(&self, key: &Key) -> Result<Option<Found>, MediaError> {
        match self {
            Self::Folder(folder) => folder.read(key).await,
            Self::Bucket(bucket) => bucket.read(key).await,
        }
    }

    pub(crate) async fn contains(&self, key: &Key) -> Result<bool, MediaError> {
        match self {
            Self::Folder(folder) => folder.contains(key).await,
            Self::Bucket(bucket) => bucket.contains(key).await,
        }
    }

    /// Removes what is kept under `key`, if anything is.
    pub(crate) async fn remove(&self, key: &Key) -> Result<(), MediaError> {
        match self {
            Self::Folder(folder) => folder.remove(key).await,
            Self::Bucket(bucket) => bucket.remove(key).await,
        }
    }

    /// Images in the order of their keys, at most [`LISTING_LEN_MAX`] of them; what is no image is left out.
    pub(crate) async fn list(&self, after: Option<&str>) -> Result<Listed, MediaError> {
        match self {
            Self::Folder(folder) => folder.list(after).await,
            Self::Bucket(bucket) => bucket.list(after).await,
        }
    }

    /// Removes what was being written before `before_ms` and has never been finished. Nothing in S3 is ever half written.
    pub(crate) async fn sweep_half_written(&self, before_ms: i64) -> Result<usize, MediaError> {
        match self {
            Self::Folder(folder) => folder.sweep_half_written(before_ms).await,
            Self::Bucket(_) => Ok(0),
        }
    }
}
