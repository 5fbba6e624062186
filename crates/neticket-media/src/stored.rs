//! What a backend says about the images that it stores.

use bytes::Bytes;

use crate::key::Key;

/// Most images in one listing, as many as S3 lists at once.
pub(crate) const LISTING_LEN_MAX: usize = 1_000;

/// An image, and when it was last written by the backend's own clock.
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

/// One page of the stored images.
pub(crate) struct Listed {
    pub(crate) entries: Vec<Entry>,
    /// Where the next page begins: pass it to `ImageBackend::list`. `None` if there are no more images.
    pub(crate) next: Option<String>,
}
