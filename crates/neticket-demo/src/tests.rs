//! Tests the data of the season, its posters, and the whole season in a store.

use std::collections::HashSet;

use neticket_app::EventSearch;
use neticket_domain::EventStatus;

use super::poster::POSTERS;
use super::*;

/// The shows, each with its date and its poster.
fn posters() -> Vec<(Show, String, String)> {
    let now = Timestamp::parse("2026-11-22T05:00:00Z").unwrap();
    let with_poster = |show: Show| {
        let date = schedule::poster_date(Times::of(&show, now).starts_at);
        let svg = show.poster.with_date(&date);
        (show, date, svg)
    };
    season::shows().unwrap().into_iter().map(with_poster).collect()
}

#[test]
fn a_season_has_fifty_events_with_unique_titles() {
    let shows = season::shows().unwrap();
    assert_eq!(shows.len(), 50);
    let titles: HashSet<_> = shows.iter().map(|show| &show.title).collect();
    assert_eq!(titles.len(), shows.len());
}

#[test]
fn every_event_has_valid_ticket_types_and_a_description() {
    for show in &season::shows().unwrap() {
        let title = &show.title;
        assert!((1..=5).contains(&show.ticket_types.len()), "{title}");
        let names: HashSet<_> = show.ticket_types.iter().map(|ticket_type| &ticket_type.name).collect();
        assert_eq!(names.len(), show.ticket_types.len(), "{title}");
        for ticket_type in &show.ticket_types {
            assert!(
                (5_000..=300_000).contains(&ticket_type.price) && ticket_type.price % 1_000 == 0,
                "{title}"
            );
        }
        let seats: u32 = show.ticket_types.iter().map(|ticket_type| ticket_type.capacity).sum();
        assert!((30..=20_000).contains(&seats), "{title}: {seats}");
        assert!((1..=8).contains(&show.max_per_user), "{title}");
        let sentences = show.story.matches(['.', '!', '?']).count();
        assert!((3..=6).contains(&sentences), "{title}: {sentences} sentences");
        assert!(show.description().contains(&show.age_limit), "{title}");
    }
}

#[test]
fn every_poster_is_well_formed_and_small_and_has_no_script_or_address() {
    for (show, _, svg) in posters() {
        let title = &show.title;
        let document = roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{title}: {error}"));
        assert!(svg.len() < 12 * 1024, "{title}: {} bytes", svg.len());
        assert!(!svg.contains("<script") && !svg.contains("NaN") && !svg.contains("inf"), "{title}");
        for node in document.descendants() {
            for attribute in node.attributes() {
                assert!(!attribute.name().starts_with("on"), "{title}");
                assert!(attribute.name() != "href" || attribute.value().starts_with('#'), "{title}");
            }
        }
        let ids: Vec<_> = document.descendants().filter_map(|node| node.attribute("id")).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "{title}: an id occurs twice");
    }
}

#[test]
fn every_poster_shows_the_title_the_place_and_the_date_of_its_show() {
    for (show, date, svg) in posters() {
        let document = roxmltree::Document::parse(&svg).unwrap();
        let texts = |tag: &'static str| {
            let nodes = document.descendants().filter(move |node| node.has_tag_name(tag));
            nodes.filter_map(|node| node.text()).collect::<Vec<_>>()
        };
        assert_eq!(texts("tspan").join(" "), show.title);
        for line in document.descendants().filter(|node| node.has_tag_name("tspan")) {
            let number =
                |node: roxmltree::Node<'_, '_>, name| node.attribute(name).unwrap().parse::<f64>().unwrap();
            let (size, baseline) = (number(line.parent().unwrap(), "font-size"), number(line, "y"));
            assert!(size >= 48.0 && baseline >= 80.0 + size && baseline <= 690.0, "{}: {line:?}", show.title);
        }
        for wanted in [&date, &show.place] {
            assert!(texts("text").contains(&wanted.as_str()), "{}: {wanted}", show.title);
        }
    }
}

#[test]
fn all_posters_differ() {
    let different: HashSet<_> = posters().into_iter().map(|(_, _, svg)| svg).collect();
    assert_eq!(different.len(), POSTERS.len(), "every poster belongs to a show");
}

fn config(folder: &std::path::Path, environment: &'static str) -> Config {
    let folder = folder.display().to_string();
    Config::read(|name| match name {
        "NETICKET_DATA_DIR" => Some(folder.clone()),
        "NETICKET_ENV" => Some(environment.to_owned()),
        _ => None,
    })
    .unwrap()
}

fn now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(since_epoch.as_millis().try_into().unwrap())
}

#[tokio::test]
async fn production_refuses_the_demo_season() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = seed(&config(folder.path(), "production")).await.unwrap_err();
    assert!(refusal.to_string().contains("not allowed in production"), "{refusal}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_season_is_created_once_and_keeps_every_rule() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "development");
    let before = now();
    let report = seed(&config).await.unwrap();
    assert_eq!(report, Report { events: 50, created: true });
    assert!(!seed(&config).await.unwrap().created);

    let store = App::open_store(&config).await.unwrap();
    for seats in store.inventory_audit(None).await.unwrap() {
        assert_eq!(seats.capacity, seats.left + seats.confirmed, "{seats:?}");
    }
    let now = now();
    let filter = EventFilter { include_past: true, ..EventFilter::default() };
    let (events, total) = store.events_page(&filter, now, 1, PAGE_LEN).await.unwrap();
    assert_eq!(usize::try_from(total).unwrap(), report.events);
    for (status, least) in [
        (EventStatus::OnSale, 20),
        (EventStatus::Scheduled, 8),
        (EventStatus::SoldOut, 4),
        (EventStatus::Closed, 5),
    ] {
        assert!(events.iter().filter(|event| event.status == status).count() >= least, "{status}");
    }
    let soon = events.iter().filter(|event| {
        let lead_ms = event.opens_at.millis_since(before);
        (schedule::SOON_MS..schedule::SOON_MS + 60_000).contains(&lead_ms)
    });
    assert_eq!(soon.count(), 1);
    let media = App::open_media(&config).unwrap();
    for event in &events {
        assert!(media.contains(event.image_key.as_deref().unwrap()).await.unwrap(), "{}", event.title);
    }
}

#[tokio::test]
async fn the_posters_are_stored_in_s3_if_s3_is_configured() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = neticket_testkit::S3::start().await;
    let config = Config { s3: Some(s3.options()), ..config(folder.path(), "development") };
    let report = seed(&config).await.unwrap();
    assert_eq!(s3.objects().len(), report.events);
    assert!(s3.objects().iter().all(|key| key.split_once('.').is_some_and(|(_, format)| format == "svg")));
    assert!(s3.metadata().iter().all(|said| said.contains("image/svg+xml")));
}

#[tokio::test]
async fn both_logins_work_and_the_demo_person_has_reservations() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "development");
    seed(&config).await.unwrap();
    let app = App::start(config).await.unwrap();
    let admin = app.login(accounts::ADMIN.email, accounts::ADMIN.password).await.unwrap();
    assert_eq!(admin.account.role, neticket_domain::Role::Admin);
    let person = app.login(accounts::PERSON.email, accounts::PERSON.password).await.unwrap();
    assert_eq!(person.account.role, neticket_domain::Role::User);
    let booked = app.reservations_page(person.account.id, 1, 20).await.unwrap();
    assert_eq!(booked.total_items, 4);
    assert_eq!(booked.items.iter().filter(|item| item.cancellable).count(), 2);
    assert!(app.login("audience1@demo.neticket.example", "!").await.is_err());
    let search = EventSearch { query: "부산".to_owned(), page: 1, size: 12, ..EventSearch::default() };
    assert!(app.events_page(&search).await.unwrap().total_items >= 3);
    app.shut_down().await;
}

#[tokio::test]
async fn demo_bookings_fill_an_event_that_a_server_has_loaded_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "development");
    let store = App::open_store(&config).await.unwrap();
    let media = App::open_media(&config).unwrap();
    let (person, now) = accounts::logins(&config, &store).await.unwrap();
    let audience = accounts::audience(&store, now).await.unwrap();
    let shows = season::shows().unwrap();
    let show = shows.iter().find(|show| show.taken == season::Taken::All).unwrap();
    let event = event_create(&store, &media, show, now).await.unwrap();
    store.epoch_raise_and_load(event.id, neticket_domain::Epoch(0)).await.unwrap().unwrap();
    booking::fill(&store, show, &event, &audience, person, now).await.unwrap();
    for row in store.inventory_audit(Some(event.id)).await.unwrap() {
        assert_eq!((row.left, row.confirmed), (0, row.capacity));
    }
}
