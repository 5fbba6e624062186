//! The behaviour that both backends share.

use std::time::Duration;

use futures::future::join_all;
use neticket_media::{ImageFormat, ImageSize};
use neticket_testkit::picture;

use crate::support::{Place, on_both};

const SVG: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
const DAY: Duration = Duration::from_hours(24);

on_both! {
    async fn an_image_is_read_back_by_its_key(place: &Place) {
        place.media.ping().await.unwrap();
        let key = place.media.put(SVG, ImageFormat::Svg).await.unwrap();
        let image = place.media.read(&key).await.unwrap().unwrap();
        assert_eq!((&*image.bytes, image.content_type), (SVG, "image/svg+xml"));
        assert!(place.media.contains(&key).await.unwrap());
        for size in [ImageSize::Full, ImageSize::Card] {
            assert_eq!(place.media.url(&key, size), format!("/images/{key}"));
        }
    }

    async fn an_upload_is_stored_in_two_sizes_under_one_key(place: &Place) {
        let kept = place.media.store(place.media.prepare(picture(1)).await.unwrap()).await.unwrap();
        assert_eq!((kept.width, kept.height), (800, 400));
        let card = kept.key.replace('.', "-card.");
        assert_eq!(place.names(), [card.clone(), kept.key.clone()]);
        let full = place.media.read(&kept.key).await.unwrap().unwrap();
        assert_eq!((u64::try_from(full.bytes.len()).unwrap(), full.content_type), (kept.bytes, "image/jpeg"));
        let small = image::load_from_memory(&place.media.read(&card).await.unwrap().unwrap().bytes).unwrap();
        assert_eq!((small.width(), small.height()), (640, 320));
        assert_eq!(place.media.url(&kept.key, ImageSize::Card), format!("/images/{card}"));
        assert_eq!(place.media.url(&kept.key, ImageSize::Full), format!("/images/{}", kept.key));
        assert!(place.media.contains(&kept.key).await.unwrap());
        assert!(!place.media.contains(&card).await.unwrap(), "an event cannot use a card");
    }

    async fn the_same_image_is_stored_once_and_its_age_is_renewed(place: &Place) {
        let keep = async |n| place.media.store(place.media.prepare(picture(n)).await.unwrap()).await.unwrap();
        let first = keep(1).await;
        for name in place.names() {
            place.age(&name, 2 * DAY);
        }
        let old = place.media.copy(&first.key).await.unwrap().unwrap().modified_ms();
        assert_eq!(keep(1).await, first);
        let new = place.media.copy(&first.key).await.unwrap().unwrap().modified_ms();
        assert!(new - old > 86_400_000, "{old} {new}");
        assert_eq!(place.names().len(), 2);
        assert_ne!(keep(2).await.key, first.key);
    }

    async fn concurrent_writes_of_an_image_leave_nothing_half_written(place: &Place) {
        let bytes = vec![7; 200_000];
        let puts = (0..8).map(|_| place.media.put(&bytes, ImageFormat::Png));
        for key in join_all(puts).await {
            assert_eq!(place.media.read(&key.unwrap()).await.unwrap().unwrap().bytes, bytes);
        }
        assert_eq!(place.names().len(), 1);
    }

    async fn a_name_that_is_not_an_image_key_reaches_no_file(place: &Place) {
        place.put_foreign("plain.svg");
        for name in ["../secret.svg", "plain.svg", "", ".", "..", "/etc/passwd", "%2e%2e/secret.svg", "a/b.jpg"] {
            assert_eq!(place.media.read(name).await.unwrap(), None, "{name}");
            assert!(!place.media.contains(name).await.unwrap(), "{name}");
            assert!(place.media.copy(name).await.unwrap().is_none(), "{name}");
            place.media.remove(name).await.unwrap();
        }
        assert_eq!(place.names(), ["plain.svg"]);
    }

    async fn an_unknown_image_is_absent(place: &Place) {
        let key = "00112233445566778899aabbccddeeff.jpg";
        assert_eq!(place.media.read(key).await.unwrap(), None);
        assert!(!place.media.contains(key).await.unwrap());
        assert!(place.media.copy(key).await.unwrap().is_none());
        place.media.remove(key).await.unwrap();
    }

    async fn a_removed_image_is_gone_in_all_sizes_and_can_be_restored(place: &Place) {
        let kept = place.media.store(place.media.prepare(picture(1)).await.unwrap()).await.unwrap();
        let before = place.media.read(&kept.key).await.unwrap();
        let copy = place.media.copy(&kept.key).await.unwrap().unwrap();
        place.media.remove(&kept.key).await.unwrap();
        assert_eq!(place.names(), [""; 0]);
        assert_eq!(place.media.read(&kept.key).await.unwrap(), None);
        place.media.restore(&copy).await.unwrap();
        assert_eq!(place.names().len(), 2);
        assert_eq!(place.media.read(&kept.key).await.unwrap(), before);
    }

    async fn an_image_with_a_missing_size_is_absent(place: &Place) {
        let kept = place.media.store(place.media.prepare(picture(1)).await.unwrap()).await.unwrap();
        assert!(place.media.contains(&kept.key).await.unwrap());
        let copy = place.media.copy(&kept.key).await.unwrap().unwrap();
        place.delete(&kept.key.replace('.', "-card."));
        assert!(!place.media.contains(&kept.key).await.unwrap());
        assert!(place.media.copy(&kept.key).await.unwrap().is_none(), "an incomplete image cannot be copied");
        place.media.restore(&copy).await.unwrap();
        assert!(place.media.contains(&kept.key).await.unwrap());
    }

    async fn a_listing_has_every_image_once_and_nothing_else(place: &Place) {
        let mut expected = Vec::new();
        for n in 0..1_050 {
            let hash = format!("{n:032x}");
            place.put_foreign(&format!("{hash}.jpg"));
            if n % 2 == 0 {
                place.put_foreign(&format!("{hash}-card.jpg"));
            }
            expected.push(format!("{hash}.jpg"));
        }
        place.put_foreign("backup.tar");
        place.age(&expected[3], 3 * DAY);
        let (mut found, mut after, mut pages) = (std::collections::BTreeMap::new(), None, 0);
        loop {
            let page = place.media.list(after.as_deref()).await.unwrap();
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
    let place = Place::folder();
    let key = "00112233445566778899aabbccddeeff.jpg";
    let (old, young) = (format!(".{key}.12.0"), format!(".{key}.12.1"));
    for name in [old.as_str(), &young, ".profile", ".other.jpg.1.2"] {
        place.put_foreign(name);
    }
    for name in [old.as_str(), ".profile", ".other.jpg.1.2"] {
        place.age(name, 2 * DAY);
    }
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let yesterday = i64::try_from(now).unwrap() - 86_400_000;
    assert_eq!(place.media.sweep_half_written(yesterday).await.unwrap(), 1);
    assert_eq!(place.names(), [young.as_str(), ".other.jpg.1.2", ".profile"]);
}
