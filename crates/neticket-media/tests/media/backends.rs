//! The behaviour that both backends share.

use std::time::Duration;

use futures::future::join_all;
use neticket_media::{ImageFormat, ImageSize};
use neticket_testkit::picture;

use crate::support::{TestBackend, on_both};

const SVG: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
const DAY: Duration = Duration::from_hours(24);

on_both! {
    async fn an_image_is_read_back_by_its_key(backend: &TestBackend) {
        backend.media.ping().await.unwrap();
        let key = backend.media.put(SVG, ImageFormat::Svg).await.unwrap();
        let image = backend.media.read(&key).await.unwrap().unwrap();
        assert_eq!((&*image.bytes, image.content_type), (SVG, "image/svg+xml"));
        assert!(backend.media.contains(&key).await.unwrap());
        for size in [ImageSize::Full, ImageSize::Card] {
            assert_eq!(backend.media.url(&key, size), format!("/images/{key}"));
        }
    }

    async fn an_upload_is_stored_in_two_sizes_under_one_key(backend: &TestBackend) {
        let kept = backend.media.store(backend.media.prepare(picture(1)).await.unwrap()).await.unwrap();
        assert_eq!((kept.width, kept.height), (800, 400));
        let card = kept.key.replace('.', "-card.");
        assert_eq!(backend.names(), [card.clone(), kept.key.clone()]);
        let full = backend.media.read(&kept.key).await.unwrap().unwrap();
        assert_eq!((u64::try_from(full.bytes.len()).unwrap(), full.content_type), (kept.bytes, "image/jpeg"));
        let small =
            image::load_from_memory(&backend.media.read(&card).await.unwrap().unwrap().bytes).unwrap();
        assert_eq!((small.width(), small.height()), (640, 320));
        assert_eq!(backend.media.url(&kept.key, ImageSize::Card), format!("/images/{card}"));
        assert_eq!(backend.media.url(&kept.key, ImageSize::Full), format!("/images/{}", kept.key));
        assert!(backend.media.contains(&kept.key).await.unwrap());
        assert!(!backend.media.contains(&card).await.unwrap(), "an event cannot use a card");
    }

    async fn the_same_image_is_stored_once_and_its_age_is_renewed(backend: &TestBackend) {
        let keep =
            async |n| backend.media.store(backend.media.prepare(picture(n)).await.unwrap()).await.unwrap();
        let first = keep(1).await;
        for name in backend.names() {
            backend.age(&name, 2 * DAY);
        }
        let old = backend.media.copy(&first.key).await.unwrap().unwrap().modified_ms();
        assert_eq!(keep(1).await, first);
        let new = backend.media.copy(&first.key).await.unwrap().unwrap().modified_ms();
        assert!(new - old > 86_400_000, "{old} {new}");
        assert_eq!(backend.names().len(), 2);
        assert_ne!(keep(2).await.key, first.key);
    }

    async fn concurrent_writes_of_an_image_leave_nothing_half_written(backend: &TestBackend) {
        let bytes = vec![7; 200_000];
        let puts = (0..8).map(|_| backend.media.put(&bytes, ImageFormat::Png));
        for key in join_all(puts).await {
            assert_eq!(backend.media.read(&key.unwrap()).await.unwrap().unwrap().bytes, bytes);
        }
        assert_eq!(backend.names().len(), 1);
    }

    async fn a_name_that_is_not_an_image_key_reaches_no_file(backend: &TestBackend) {
        backend.put_foreign("plain.svg");
        for name in
            ["../secret.svg", "plain.svg", "", ".", "..", "/etc/passwd", "%2e%2e/secret.svg", "a/b.jpg"]
        {
            assert_eq!(backend.media.read(name).await.unwrap(), None, "{name}");
            assert!(!backend.media.contains(name).await.unwrap(), "{name}");
            assert!(backend.media.copy(name).await.unwrap().is_none(), "{name}");
            backend.media.remove(name).await.unwrap();
        }
        assert_eq!(backend.names(), ["plain.svg"]);
    }

    async fn an_unknown_image_is_absent(backend: &TestBackend) {
        let key = "00112233445566778899aabbccddeeff.jpg";
        assert_eq!(backend.media.read(key).await.unwrap(), None);
        assert!(!backend.media.contains(key).await.unwrap());
        assert!(backend.media.copy(key).await.unwrap().is_none());
        backend.media.remove(key).await.unwrap();
    }

    async fn a_removed_image_is_gone_in_all_sizes_and_can_be_restored(backend: &TestBackend) {
        let kept = backend.media.store(backend.media.prepare(picture(1)).await.unwrap()).await.unwrap();
        let before = backend.media.read(&kept.key).await.unwrap();
        let copy = backend.media.copy(&kept.key).await.unwrap().unwrap();
        backend.media.remove(&kept.key).await.unwrap();
        assert_eq!(backend.names(), [""; 0]);
        assert_eq!(backend.media.read(&kept.key).await.unwrap(), None);
        backend.media.restore(&copy).await.unwrap();
        assert_eq!(backend.names().len(), 2);
        assert_eq!(backend.media.read(&kept.key).await.unwrap(), before);
    }

    async fn an_image_with_a_missing_size_is_absent(backend: &TestBackend) {
        let kept = backend.media.store(backend.media.prepare(picture(1)).await.unwrap()).await.unwrap();
        assert!(backend.media.contains(&kept.key).await.unwrap());
        let copy = backend.media.copy(&kept.key).await.unwrap().unwrap();
        backend.delete(&kept.key.replace('.', "-card."));
        assert!(!backend.media.contains(&kept.key).await.unwrap());
        assert!(
            backend.media.copy(&kept.key).await.unwrap().is_none(),
            "an incomplete image cannot be copied"
        );
        backend.media.restore(&copy).await.unwrap();
        assert!(backend.media.contains(&kept.key).await.unwrap());
    }

    async fn a_listing_has_every_image_once_and_nothing_else(backend: &TestBackend) {
        let mut expected = Vec::new();
        for n in 0..1_050 {
            let hash = format!("{n:032x}");
            backend.put_foreign(&format!("{hash}.jpg"));
            if n % 2 == 0 {
                backend.put_foreign(&format!("{hash}-card.jpg"));
            }
            expected.push(format!("{hash}.jpg"));
        }
        backend.put_foreign("backup.tar");
        backend.age(&expected[3], 3 * DAY);
        let (mut found, mut after, mut pages) = (std::collections::BTreeMap::new(), None, 0);
        loop {
            let page = backend.media.list(after.as_deref()).await.unwrap();
            assert!(page.images.len() <= 1_000);
            found.extend(page.images);
            pages += 1;
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
        assert!(pages > 1, "{pages}");
        assert!(found[&expected[4]] - found[&expected[3]] > 2 * 86_400_000);
    }
}

#[tokio::test]
async fn old_files_of_unfinished_writes_are_deleted() {
    let backend = TestBackend::folder();
    let key = "00112233445566778899aabbccddeeff.jpg";
    let (old, young) = (format!(".{key}.12.0"), format!(".{key}.12.1"));
    for name in [old.as_str(), &young, ".profile", ".other.jpg.1.2"] {
        backend.put_foreign(name);
    }
    for name in [old.as_str(), ".profile", ".other.jpg.1.2"] {
        backend.age(name, 2 * DAY);
    }
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let yesterday = i64::try_from(now).unwrap() - 86_400_000;
    assert_eq!(backend.media.sweep_half_written(yesterday).await.unwrap(), 1);
    assert_eq!(backend.names(), [young.as_str(), ".other.jpg.1.2", ".profile"]);
}
