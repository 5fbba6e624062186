//! Images of events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The largest file that is taken, in bytes: 5 MiB.
pub const IMAGE_BYTES_MAX: usize = 5 * 1024 * 1024;
/// The most pixels an image may have, width times height.
pub const IMAGE_PIXELS_MAX: u64 = 50_000_000;

/// An image as it is kept: encoded anew, without metadata.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct UploadedImage {
    /// What an event names it by (`image_key`).
    pub key: String,
    pub url: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Of the full size.
    pub bytes: u64,
}
