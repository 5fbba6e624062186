//! Images of events: uploading them, naming them, and collecting those that no event names. In the data
//! folder and in S3.

use std::time::Duration;

use neticket_testkit::app::{
    App, AppError, EventChange, EventDraft, EventSearch, Expected, Principal, TicketTypeDraft,
};
use neticket_testkit::domain::{Role, UserId};
use neticket_testkit::media::{ImageFormat, Media};
use neticket_testkit::{Backends, S3, TestEnv, age, on_both, picture, until};

const DAY: Duration = Duration::from_hours(24);

/// An environment with a backend for images: the data folder beside SQLite, or S3 beside MariaDB.
struct Gallery {
    env: TestEnv,
    s3: Option<S3>,
}

impl Gallery {
    async fn new(backends: Backends) -> Self {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.image_sweep_interval_ms = 20;
        let s3 = if backends == Backends::Shared { Some(S3::start().await) } else { None };
        env.config.s3 = s3.as_ref().map(S3::options);
        Self { env, s3 }
    }

    fn names(&self) -> Vec<String> {
        if let Some(s3) = &self.s3 {
            return s3.objects();
        }
        let entries = std::fs::read_dir(self.env.config.data_dir.join("images")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn has(&self, key: &str) -> bool {
        self.names().contains(&key.to_owned()) && self.names().contains(&card_of(key))
    }

    fn age(&self, key: &str, by: Duration) {
        for name in [key.to_owned(), card_of(key)] {
            match &self.s3 {
                Some(s3) => s3.age(&name, by),
                None => age(&self.env.config.data_dir.join("images").join(name), by),
            }
        }
    }
}

fn card_of(key: &str) -> String {
    key.replace('.', "-card.")
}

fn admin() -> Principal {
    Principal { user: UserId(1), role: Role::Admin, session: Default::default() }
}

async fn upload(app: &App, n: u8) -> String {
    app.image_upload(admin(), Some("192.0.2.1".to_owned()), picture(n)).await.unwrap().key
}

async fn draft(env: &TestEnv, image_key: &str) -> EventDraft {
    let now = env.now().await;
    EventDraft {
        title: "햄릿".to_owned(),
        place: "예술의전당".to_owned(),
        description: String::new(),
        starts_at: now.plus_millis(86_400_000),
        opens_at: now,
        closes_at: None,
        max_per_user: None,
        image_key: Some(image_key.to_owned()),
        ticket_types: vec![TicketTypeDraft { name: "R".to_owned(), price: 1, capacity: 1 }],
    }
}

on_both! {
    async fn an_event_shows_its_uploaded_image_in_the_fitting_size(backends: Backends) {
        let mut gallery = Gallery::new(backends).await;
        let app = gallery.env.node().await;
        let image = app.image_upload(admin(), Some("192.0.2.1".to_owned()), picture(1)).await.unwrap();
        assert_eq!(
            (image.width, image.height, image.url.clone()),
            (800, 400, format!("/images/{}", image.key))
        );
        let log = gallery.env.store.audit_page(1, 10).await.unwrap().0;
        assert_eq!(
            (log[0].entry.action.as_str(), &log[0].entry.target),
            ("image_upload", &format!("image/{}", image.key))
        );
        assert_eq!((log[0].entry.actor, log[0].entry.ip.as_str()), (Some(UserId(1)), "192.0.2.1"));

        let event = app.event_create(admin(), None, draft(&gallery.env, &image.key).await).await.unwrap();
        assert_eq!(event.summary.image_url.as_deref(), Some(image.url.as_str()));
        let search = EventSearch { page: 1, size: 10, ..EventSearch::default() };
        let listed = app.events_page(&search).await.unwrap().items.remove(0).image_url.unwrap();
        assert_eq!(listed, format!("/images/{}", card_of(&image.key)));
        let admins = app.admin_events_page(&search).await.unwrap().items.remove(0).summary.image_url.unwrap();
        assert_eq!(admins, listed);
        let card = app.image(&card_of(&image.key)).await.unwrap().unwrap();
        let full = app.image(&image.key).await.unwrap().unwrap();
        assert_eq!(u64::try_from(full.bytes.len()).unwrap(), image.bytes);
        assert!(card.bytes.len() < full.bytes.len());
        gallery.env.finish().await;
    }

    async fn an_event_can_only_use_an_existing_image(backends: Backends) {
        let mut gallery = Gallery::new(backends).await;
        let app = gallery.env.node().await;
        let key = upload(&app, 1).await;
        for name in ["00112233445566778899aabbccddeeff.jpg", "../secret", "", &card_of(&key)] {
            let refused = app.event_create(admin(), None, draft(&gallery.env, name).await).await.unwrap_err();
            let AppError::Invalid(fields) = refused else { panic!("{refused}") };
            assert_eq!((fields[0].field.as_str(), fields[0].code), ("image_key", "not_found"), "{name}");
        }
        gallery.env.finish().await;
    }

    async fn an_edit_that_uses_an_image_renews_its_age(backends: Backends) {
        let mut gallery = Gallery::new(backends).await;
        gallery.env.config.engine.image_sweep_interval_ms = 3_600_000;
        let app = gallery.env.node().await;
        let (first, second) = (upload(&app, 1).await, upload(&app, 2).await);
        let event = app.event_create(admin(), None, draft(&gallery.env, &first).await).await.unwrap();
        gallery.age(&second, 2 * DAY);
        let named =
            |key: &str| EventChange { image_key: Some(Some(key.to_owned())), ..EventChange::default() };
        let id = event.summary.id;
        let changed = app.event_update(admin(), None, id, &Expected::Any, &named(&second)).await.unwrap();
        assert_eq!(changed.image_key, Some(second.clone()));
        let put_ms =
            App::open_media(&gallery.env.config).unwrap().copy(&second).await.unwrap().unwrap().modified_ms();
        assert!(app.now().as_millis() - put_ms < 3_600_000, "{put_ms}");
        let absent = named("00112233445566778899aabbccddeeff.jpg");
        let refused = app.event_update(admin(), None, id, &Expected::Any, &absent).await.unwrap_err();
        assert!(matches!(refused, AppError::Invalid(fields) if fields[0].field == "image_key"));
        gallery.env.finish().await;
    }

    async fn only_images_that_no_event_uses_are_deleted_after_a_day(backends: Backends) {
        let mut gallery = Gallery::new(backends).await;
        // No sweep before everything is in place.
        gallery.env.config.engine.image_sweep_interval_ms = 3_600_000;
        let app = gallery.env.node().await;
        let (orphan, young, named) = (upload(&app, 1).await, upload(&app, 2).await, upload(&app, 3).await);
        app.event_create(admin(), None, draft(&gallery.env, &named).await).await.unwrap();
        let poster =
            App::open_media(&gallery.env.config).unwrap().put(b"<svg/>", ImageFormat::Svg).await.unwrap();
        for key in [&orphan, &named] {
            gallery.age(key, 2 * DAY);
        }
        gallery.age(&young, DAY / 2);
        gallery.env.config.engine.image_sweep_interval_ms = 20;
        let _sweeper = gallery.env.node().await;
        until("the unused image is deleted", async || {
            !gallery.names().iter().any(|name| name.contains(&orphan[..32]))
        })
        .await;
        assert!(gallery.has(&young) && gallery.has(&named) && gallery.names().contains(&poster));
        assert_eq!(app.image(&named).await.unwrap().map(|image| image.content_type), Some("image/jpeg"));
        gallery.env.finish().await;
    }

    async fn an_event_with_an_old_image_keeps_it_although_the_sweeper_runs(backends: Backends) {
        let mut gallery = Gallery::new(backends).await;
        gallery.env.config.engine.image_sweep_interval_ms = 3_600_000;
        let app = gallery.env.node().await;
        let mut keys = Vec::new();
        for n in 0..12 {
            keys.push(upload(&app, n).await);
        }
        for key in &keys {
            gallery.age(key, 2 * DAY);
        }
        let mut drafts = Vec::new();
        for key in &keys {
            drafts.push((key, draft(&gallery.env, key).await));
        }
        let (first, draft) = drafts.remove(0);
        app.event_create(admin(), None, draft).await.unwrap();
        // Two sweepers that run without a pause start while the other images are being named.
        gallery.env.config.engine.image_sweep_interval_ms = 1;
        let naming = async {
            let mut named = vec![first];
            for (key, draft) in drafts {
                match app.event_create(admin(), None, draft).await {
                    Ok(_) => named.push(key),
                    Err(AppError::Invalid(fields)) => assert_eq!(fields[0].field, "image_key"),
                    Err(error) => panic!("{error}"),
                }
            }
            named
        };
        let env = &mut gallery.env;
        let sweeping = async { (env.node().await, env.node().await) };
        let (named, _sweepers) = tokio::join!(naming, sweeping);
        until("used images exist and unused images are deleted", async || {
            keys.iter().all(|key| gallery.has(key) == named.contains(&key))
        })
        .await;
        gallery.env.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_image_does_not_stop_the_deletion_of_other_images() {
    let mut gallery = Gallery::new(Backends::Embedded).await;
    let app = gallery.env.node().await;
    let orphan = upload(&app, 1).await;
    // The first one in the listing, and a folder instead of a file.
    let folder = gallery.env.config.data_dir.join("images").join(format!("{}.jpg", "0".repeat(32)));
    std::fs::create_dir(&folder).unwrap();
    let old = std::time::SystemTime::now() - 2 * DAY;
    std::fs::File::open(&folder).unwrap().set_modified(old).unwrap();
    gallery.age(&orphan, 2 * DAY);
    until("the unused image is deleted", async || !gallery.names().contains(&orphan)).await;
    assert!(folder.is_dir());
    gallery.env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_audit_entry_fails_is_deleted_later() {
    let mut gallery = Gallery::new(Backends::Shared).await;
    let app = gallery.env.node().await;
    // An IP address that is too long for its column.
    let failed = app.image_upload(admin(), Some("x".repeat(100)), picture(1)).await;
    assert!(matches!(failed, Err(AppError::Internal(_))), "{failed:?}");
    let left = gallery.names();
    assert_eq!(left.len(), 2, "the image was stored before its audit entry: {left:?}");
    let key = left.iter().find(|name| !name.contains("-card")).unwrap();
    gallery.age(key, 2 * DAY);
    until("the image is deleted", async || gallery.names().is_empty()).await;
    gallery.env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_holds_no_store_connection_while_it_waits_for_s3() {
    let mut env = TestEnv::new(Backends::Shared).await;
    let s3 = S3::start().await;
    env.config.s3 = Some(s3.options());
    let app = env.node().await;
    upload(&app, 0).await;
    s3.freeze();
    let before = s3.requests();
    let uploads: Vec<_> = (1..=6)
        .map(|n| {
            let app = app.clone();
            tokio::spawn(async move { app.image_upload(admin(), None, picture(n)).await })
        })
        .collect();
    until("all uploads wait for S3", async || s3.requests() >= before + 6).await;
    until("no connection is in use", async || {
        let used = env.store.connections();
        used.open == used.idle
    })
    .await;
    assert!(uploads.iter().all(|upload| !upload.is_finished()), "the uploads still wait");
    s3.resume();
    for upload in uploads {
        upload.await.unwrap().unwrap();
    }
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s3_outage_leaves_nothing_half_made_and_events_stay_readable() {
    let mut gallery = Gallery::new(Backends::Shared).await;
    let app = gallery.env.node().await;
    let key = upload(&app, 1).await;
    let event = app.event_create(admin(), None, draft(&gallery.env, &key).await).await.unwrap();
    let s3 = gallery.s3.as_ref().unwrap();
    let unavailable =
        |error: AppError| assert!(matches!(error, AppError::ImageStoreUnavailable(_)), "{error}");
    s3.stop();
    unavailable(app.image_upload(admin(), None, picture(2)).await.unwrap_err());
    unavailable(app.event_create(admin(), None, draft(&gallery.env, &key).await).await.unwrap_err());
    assert_eq!(app.event(event.summary.id).await.unwrap().summary.title, event.summary.title);
    let search = EventSearch { page: 1, size: 10, ..EventSearch::default() };
    assert_eq!(app.events_page(&search).await.unwrap().total_items, 1, "the refused event was not created");
    // A node starts although S3 is down.
    let second = gallery.env.node().await;
    unavailable(second.image(&key).await.unwrap_err());
    gallery.s3.as_ref().unwrap().resume();
    let media = Media::in_bucket(gallery.s3.as_ref().unwrap().options());
    until("S3 is back", async || media.ping().await.is_ok()).await;
    assert!(second.image(&key).await.unwrap().is_some());
    assert_eq!(gallery.names().len(), 2, "the failed upload left no object");
    gallery.env.finish().await;
}
