//! Images as objects of a bucket of S3 or of another server with the same protocol.
//!
//! Every call has a timeout, because a visitor or an administrator waits for it. The client is created at the
//! first call, so that a node can start without S3.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::meta::region::RegionProviderChain;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::timeout;

use crate::error::MediaError;
use crate::key::Key;
use crate::stored::{Entry, Found, LISTING_LEN_MAX, Listed};

/// Timeout for establishing a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Timeout for one attempt: enough for some megabytes over a slow line.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);
/// Timeout for a call with its retry, until the last byte.
const CALL_TIMEOUT: Duration = Duration::from_secs(6);
/// A connection may be closed just when it is used again. One retry is enough for that.
const ATTEMPTS_MAX: u32 = 2;
const BACKOFF: Duration = Duration::from_millis(50);
/// Most images that a node reads concurrently for visitors. A bucket that hangs keeps no more requests than
/// this waiting.
const READS_MAX: usize = 64;
/// The largest object that is read, in bytes. Lossless images are the largest: 1600 × 1600 pixels of 4 bytes.
const OBJECT_LEN_MAX: u64 = 11 * 1024 * 1024;
/// The region for signing requests if none is configured. Most servers other than Amazon's accept it.
const REGION_USUAL: &str = "us-east-1";
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Which bucket is used, and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Options {
    pub bucket: String,
    /// `https://host` of a server that speaks S3 and has buckets as paths. `None` for Amazon's own.
    pub endpoint: Option<String>,
    /// The URL at which browsers reach the objects, without a slash at the end. `None` if this server serves
    /// them.
    pub public_url: Option<String>,
    /// `None` if the AWS SDK has to find them (environment, profiles, the machine's role). It then finds the
    /// region too.
    pub credentials: Option<S3Credentials>,
}

/// Credentials for a bucket that the SDK does not have to find. Only tests use them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Credentials {
    pub access_key: String,
    pub secret_key: String,
}

#[derive(Debug)]
pub(crate) struct S3Backend {
    options: S3Options,
    client: OnceCell<Client>,
    reads: Semaphore,
}

impl S3Backend {
    pub(crate) fn new(options: S3Options) -> Self {
        Self { options, client: OnceCell::new(), reads: Semaphore::new(READS_MAX) }
    }

    /// Checks whether the bucket exists and may be used.
    pub(crate) async fn ping(&self) -> Result<(), MediaError> {
        let head = async |client: &Client| client.head_bucket().bucket(&self.options.bucket).send().await;
        self.call("checking the bucket", head).await.map(|_| ())
    }

    /// S3 stores an object completely or not at all.
    pub(crate) async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), MediaError> {
        let put = async |client: &Client| {
            let request = client.put_object().bucket(&self.options.bucket).key(key.to_string());
            let request = request.content_type(key.format().content_type()).cache_control(IMMUTABLE);
            request.body(ByteStream::from(bytes.clone())).send().await
        };
        self.call("putting an image", put).await.map(|_| ())
    }

    /// Reads an image for a visitor. Refused while too many images are being read from the bucket.
    pub(crate) async fn serve(&self, key: &Key) -> Result<Option<Found>, MediaError> {
        let too_many = |_| MediaError::TooManyReads { bucket: self.options.bucket.clone() };
        let _turn = self.reads.try_acquire().map_err(too_many)?;
        self.read(key).await
    }

    pub(crate) async fn read(&self, key: &Key) -> Result<Option<Found>, MediaError> {
        let get = async |client: &Client| {
            let request = client.get_object().bucket(&self.options.bucket).key(key.to_string());
            match request.send().await {
                Ok(object) => self.collect(key, object).await.map(Some),
                Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                    Ok(None)
                }
                Err(error) => Err(Failure::of(error)),
            }
        };
        self.call("reading an image", get).await
    }

    async fn collect(&self, key: &Key, mut object: GetObjectOutput) -> Result<Found, Failure> {
        let oversized =
            || MediaError::Oversized { bucket: self.options.bucket.clone(), key: key.to_string() };
        let len_max = usize::try_from(OBJECT_LEN_MAX).unwrap_or(usize::MAX);
        let modified_ms = object.last_modified().and_then(|at| at.to_millis().ok()).unwrap_or(i64::MAX);
        let mut bytes = Vec::new();
        while let Some(piece) = object.body.next().await {
            let piece = piece.map_err(Failure::of)?;
            if bytes.len() + piece.len() > len_max {
                return Err(Failure::Ours(oversized()));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Found { bytes: Bytes::from(bytes), modified_ms })
    }

    pub(crate) async fn contains(&self, key: &Key) -> Result<bool, MediaError> {
        let head = async |client: &Client| {
            let request = client.head_object().bucket(&self.options.bucket).key(key.to_string());
            match request.send().await {
                Ok(_) => Ok(true),
                Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => {
                    Ok(false)
                }
                Err(error) => Err(Failure::of(error)),
            }
        };
        self.call("looking for an image", head).await
    }

    pub(crate) async fn remove(&self, key: &Key) -> Result<(), MediaError> {
        let delete = async |client: &Client| {
            client.delete_object().bucket(&self.options.bucket).key(key.to_string()).send().await
        };
        self.call("removing an image", delete).await.map(|_| ())
    }

    pub(crate) async fn list(&self, after: Option<&str>) -> Result<Listed, MediaError> {
        let list = async |client: &Client| {
            let request = client.list_objects_v2().bucket(&self.options.bucket);
            let request = request.max_keys(i32::try_from(LISTING_LEN_MAX).unwrap_or(i32::MAX));
            request.set_continuation_token(after.map(str::to_owned)).send().await
        };
        let page = self.call("listing images", list).await?;
        let entry = |object: &aws_sdk_s3::types::Object| {
            let key = Key::parse(object.key()?)?;
            Some(Entry { key, modified_ms: object.last_modified()?.to_millis().ok()? })
        };
        let entries = page.contents().iter().filter_map(entry).collect();
        Ok(Listed { entries, next: page.next_continuation_token().map(str::to_owned) })
    }

    /// Calls S3, within [`CALL_TIMEOUT`].
    async fn call<T, E: Into<Failure>>(
        &self,
        what: &'static str,
        work: impl AsyncFnOnce(&Client) -> Result<T, E>,
    ) -> Result<T, MediaError> {
        let bucket = || self.options.bucket.clone();
        // Finding the credentials may take longer, once. It is outside the timeout, which could otherwise end
        // it at every call before it is finished.
        let client = self.client().await;
        match timeout(CALL_TIMEOUT, work(client)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(failure)) => Err(match failure.into() {
                Failure::Ours(error) => error,
                Failure::Theirs(source) => MediaError::Bucket { bucket: bucket(), what, source },
            }),
            Err(_) => {
                let timeout_ms = CALL_TIMEOUT.as_millis();
                Err(MediaError::TimedOut { bucket: bucket(), what, timeout_ms })
            }
        }
    }

    fn client(&self) -> impl Future<Output = &Client> {
        self.client.get_or_init(|| async { client(&self.options).await })
    }
}

/// Why a call failed.
enum Failure {
    /// Caused by S3 or the connection to it.
    Theirs(crate::error::Cause),
    Ours(MediaError),
}

impl Failure {
    fn of(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Theirs(Arc::new(error))
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::of(error)
    }
}

async fn client(options: &S3Options) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build();
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX).with_initial_backoff(BACKOFF);
    let mut found = aws_config::defaults(BehaviorVersion::latest());
    found = match &options.credentials {
        Some(S3Credentials { access_key, secret_key }) => found
            .credentials_provider(Credentials::new(access_key, secret_key, None, None, "given"))
            .region(Region::new(REGION_USUAL)),
        None => found.region(RegionProviderChain::default_provider().or_else(REGION_USUAL)),
    };
    let mut config = aws_sdk_s3::config::Builder::from(&found.load().await);
    config.set_endpoint_url(options.endpoint.clone());
    let config = config
        .timeout_config(timeouts)
        .retry_config(retries)
        .force_path_style(options.endpoint.is_some())
        // Not every server understands newer checksums, and the signature covers the content already.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    Client::from_conf(config.build())
}
