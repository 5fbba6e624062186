//! S3 is down, hangs, dies during an upload, or refuses access.

use std::time::{Duration, Instant};

use futures::future::join_all;
use neticket_media::{ImageFormat, ImageSize, Media, MediaError, S3Options};
use neticket_testkit::{S3, picture};

const SVG: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
/// How soon a server that is down is reported, also on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let s3 = S3::start().await;
    let key = Media::in_bucket(s3.options()).put(SVG, ImageFormat::Svg).await.unwrap();
    let stranger = Media::in_bucket(s3.options_with_a_wrong_secret());
    assert!(stranger.ping().await.is_err());
    assert!(stranger.put(b"other", ImageFormat::Svg).await.is_err());
    assert!(stranger.read(&key).await.is_err());
    assert!(stranger.remove(&key).await.is_err());
    assert!(stranger.list(None).await.is_err());
    assert_eq!(s3.objects(), [key]);
}

#[tokio::test]
async fn a_missing_bucket_is_an_error() {
    let s3 = S3::start().await;
    let media = Media::in_bucket(S3Options { bucket: "elsewhere".to_owned(), ..s3.options() });
    assert!(media.ping().await.is_err());
    assert!(media.list(None).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_fails_at_once_and_is_used_again_later() {
    let s3 = S3::start().await;
    let media = Media::in_bucket(s3.options());
    let prepared = media.prepare(picture(1)).await.unwrap();
    s3.stop();
    let started = Instant::now();
    assert!(matches!(media.store(prepared).await, Err(MediaError::Bucket { .. })));
    assert!(media.read("00112233445566778899aabbccddeeff.jpg").await.is_err());
    assert!(media.contains("00112233445566778899aabbccddeeff.jpg").await.is_err());
    assert!(started.elapsed() < 3 * AT_ONCE, "{:?}", started.elapsed());
    s3.resume();
    // The server may need a moment until it listens on the port again.
    let deadline = Instant::now() + Duration::from_secs(10);
    while media.ping().await.is_err() {
        assert!(Instant::now() < deadline, "the server is found again");
    }
    assert_eq!(s3.objects(), [""; 0]);
    media.store(media.prepare(picture(1)).await.unwrap()).await.unwrap();
    assert_eq!(s3.objects().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_between_the_sizes_leaves_no_usable_image() {
    let s3 = S3::start().await;
    let media = Media::in_bucket(s3.options());
    s3.stop_after_writes(1);
    assert!(media.store(media.prepare(picture(1)).await.unwrap()).await.is_err());
    s3.resume();
    let deadline = Instant::now() + Duration::from_secs(10);
    while media.ping().await.is_err() {
        assert!(Instant::now() < deadline, "the server is found again");
    }
    let objects = s3.objects();
    assert_eq!(objects.len(), 1, "only the card was written: {objects:?}");
    let key = objects[0].replace("-card", "");
    assert!(!media.contains(&key).await.unwrap());
    assert!(media.copy(&key).await.unwrap().is_none());
    assert!(
        media.list(None).await.unwrap().images.contains_key(&key),
        "the listing contains it, so that it is deleted later"
    );
    assert_eq!(media.store(media.prepare(picture(1)).await.unwrap()).await.unwrap().key, key);
    assert!(media.contains(&key).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_server_times_out_and_limits_concurrent_reads() {
    let s3 = S3::start().await;
    let media = Media::in_bucket(s3.options());
    media.ping().await.unwrap();
    s3.freeze();
    let started = Instant::now();
    let keys: Vec<String> = (0..100).map(|n| format!("{n:032x}.jpg")).collect();
    let answers = join_all(keys.iter().map(|key| media.read(key))).await;
    assert!(answers.iter().all(Result::is_err));
    let too_many = answers.iter().filter(|answer| matches!(answer, Err(MediaError::TooManyReads { .. })));
    assert_eq!(too_many.count(), 36);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_cached_and_concurrent_reads_request_it_once() {
    let s3 = S3::start().await;
    let media = Media::in_bucket(s3.options());
    let key = media.put(SVG, ImageFormat::Svg).await.unwrap();
    let before = s3.requests();
    let answers = join_all((0..500).map(|_| media.read(&key))).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().is_some()));
    assert_eq!(s3.requests() - before, 1);
    s3.stop();
    assert!(media.read(&key).await.unwrap().is_some());
    let another = Media::in_bucket(s3.options());
    assert!(another.read(&key).await.is_err(), "the first reader answered from its cache");
}

#[tokio::test]
async fn objects_have_their_content_type_and_are_immutable() {
    let s3 = S3::start().await;
    let options = S3Options { public_url: Some("https://img.example.com/x".to_owned()), ..s3.options() };
    let media = Media::in_bucket(options);
    let kept = media.store(media.prepare(picture(1)).await.unwrap()).await.unwrap();
    let said = s3.metadata();
    assert_eq!(said.len(), 2);
    for said in said {
        assert!(said.contains("image/jpeg") && said.contains("max-age=31536000, immutable"), "{said}");
    }
    assert_eq!(media.url(&kept.key, ImageSize::Full), format!("https://img.example.com/x/{}", kept.key));
}

/// The server's URL, for the test that runs in its own process.
const ENDPOINT: &str = "NETICKET_TEST_S3_ENDPOINT";

#[tokio::test(flavor = "multi_thread")]
async fn credentials_and_region_come_from_the_environment_of_the_sdk() {
    let s3 = S3::start().await;
    let options = s3.options();
    let (endpoint, given) = (options.endpoint.unwrap(), options.credentials.unwrap());
    let puts_with_secret = async |secret: &str| {
        let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
        child
            .args(["--exact", "outages::a_child_process_uses_its_environment"])
            .env(ENDPOINT, &endpoint)
            .env("AWS_ACCESS_KEY_ID", &given.access_key)
            .env("AWS_SECRET_ACCESS_KEY", secret)
            .env("AWS_REGION", "ap-northeast-2");
        child.output().await.unwrap()
    };
    let refused = puts_with_secret("guessed").await;
    assert!(!refused.status.success() && s3.objects().is_empty());
    let put = puts_with_secret(&given.secret_key).await;
    assert!(put.status.success(), "{}", String::from_utf8_lossy(&put.stdout));
    assert_eq!(s3.objects().len(), 1);
}

/// The child process of the test above, which sets its environment. Without that environment it does nothing.
#[tokio::test]
async fn a_child_process_uses_its_environment() {
    let Ok(endpoint) = std::env::var(ENDPOINT) else { return };
    let bucket = "tickets".to_owned();
    let options = S3Options { bucket, endpoint: Some(endpoint), public_url: None, credentials: None };
    Media::in_bucket(options).put(SVG, ImageFormat::Svg).await.unwrap();
}
