//! Where images are stored: one of two backends with the same behaviour (`tests/media`).

use bytes::Bytes;

use crate::error::MediaError;
use crate::key::Key;
use crate::local::LocalBackend;
use crate::s3::S3Backend;
use crate::stored::{Found, Listed};

#[derive(Debug)]
pub(crate) enum ImageBackend {
    Local(LocalBackend),
    S3(S3Backend),
}

impl ImageBackend {
    /// Checks whether the backend answers.
    pub(crate) async fn ping(&self) -> Result<(), MediaError> {
        match self {
            Self::Local(folder) => folder.ping().await,
            Self::S3(bucket) => bucket.ping().await,
        }
    }

    /// Stores `bytes` under `key`, completely or not at all. If they are stored already, this renews the time
    /// of the last write.
    pub(crate) async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), MediaError> {
        match self {
            Self::Local(folder) => folder.put(key, &bytes).await,
            Self::S3(bucket) => bucket.put(key, bytes).await,
        }
    }

    /// Reads an image for a visitor. A bucket refuses this while too many images are being read.
    pub(crate) async fn serve(&self, key: &Key) -> Result<Option<Found>, MediaError> {
        match self {
            Self::Local(folder) => folder.read(key).await,
            Self::S3(bucket) => bucket.serve(key).await,
        }
    }

    pub(crate) async fn read(&self, key: &Key) -> Result<Option<Found>, MediaError> {
        match self {
            Self::Local(folder) => folder.read(key).await,
            Self::S3(bucket) => bucket.read(key).await,
        }
    }

    pub(crate) async fn contains(&self, key: &Key) -> Result<bool, MediaError> {
        match self {
            Self::Local(folder) => folder.contains(key).await,
            Self::S3(bucket) => bucket.contains(key).await,
        }
    }

    /// Removes what is stored under `key`, if there is anything.
    pub(crate) async fn remove(&self, key: &Key) -> Result<(), MediaError> {
        match self {
            Self::Local(folder) => folder.remove(key).await,
            Self::S3(bucket) => bucket.remove(key).await,
        }
    }

    /// Images in the order of their keys, at most `LISTING_LEN_MAX` of them. Other files are left out.
    pub(crate) async fn list(&self, after: Option<&str>) -> Result<Listed, MediaError> {
        match self {
            Self::Local(folder) => folder.list(after).await,
            Self::S3(bucket) => bucket.list(after).await,
        }
    }

    /// Removes half-written files that were last modified before `before_ms` (milliseconds since 1970). S3
    /// has none.
    pub(crate) async fn sweep_half_written(&self, before_ms: i64) -> Result<usize, MediaError> {
        match self {
            Self::Local(folder) => folder.sweep_half_written(before_ms).await,
            Self::S3(_) => Ok(0),
        }
    }
}
