//! Errors of the backends that store images.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// The cause of an S3 error. It is shared by all callers that waited for the same answer.
pub(crate) type Cause = Arc<dyn Error + Send + Sync>;

/// The backend that stores images has failed. A later call may succeed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum MediaError {
    #[error("cannot use the image folder {}", .folder.display())]
    Folder {
        folder: PathBuf,
        #[source]
        source: Arc<io::Error>,
    },
    #[error("cannot write image {key}")]
    Write {
        key: String,
        #[source]
        source: Arc<io::Error>,
    },
    #[error("cannot read image {key}")]
    Read {
        key: String,
        #[source]
        source: Arc<io::Error>,
    },
    #[error("cannot remove image {key}")]
    Remove {
        key: String,
        #[source]
        source: Arc<io::Error>,
    },
    /// S3 refused the request or could not be reached.
    #[error("bucket {bucket}: {what} failed")]
    Bucket {
        bucket: String,
        what: &'static str,
        #[source]
        source: Cause,
    },
    #[error("bucket {bucket}: {what} did not finish within {timeout_ms} ms")]
    TimedOut { bucket: String, what: &'static str, timeout_ms: u128 },
    #[error("bucket {bucket}: too many images are being read from it at once")]
    TooManyReads { bucket: String },
    #[error("bucket {bucket}: image {key} is larger than the maximum size")]
    Oversized { bucket: String, key: String },
}
