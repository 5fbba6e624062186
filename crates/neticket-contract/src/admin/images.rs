//! Event images.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The largest file that can be uploaded, in bytes: 5 MiB.
pub const IMAGE_BYTES_MAX: usize = 5 * 1024 * 1024;
/// The most pixels that an image may have: width times height.
pub const IMAGE_PIXELS_MAX: u64 = 50_000_000;

/// An image after the upload: encoded anew, without metadata.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct UploadedImage {
    /// The key by which an event refers to the image, in `image_key`.
    pub key: String,
    pub url: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The file size of the image in full size, in bytes.
    pub bytes: u64,
}
