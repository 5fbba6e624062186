//! The list of events.

use std::fmt::Write as _;

use neticket_domain::{EventStatus, SaleWindow, SearchWords, Timestamp};
use neticket_store::{EventFilter, EventSummaryRecord, NewEvent};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::support::{NOW, TestStore, at, new_event, on_both};

async fn titles(store: &TestStore, filter: &EventFilter) -> Vec<String> {
    let (page, total) = store.events_page(filter, at(NOW), 1, 100).await.unwrap();
    assert_eq!(u64::try_from(page.len()).unwrap(), total);
    page.into_iter().map(|event| event.title).collect()
}

async fn make(store: &TestStore, title: &str, place: &str) {
    let new = NewEvent { title: title.to_owned(), place: place.to_owned(), ..new_event(&[1]) };
    store.event_create(&new, None, at(1)).await.unwrap();
}

fn words(query: &str) -> EventFilter {
    EventFilter { words: SearchWords::parse(query), ..EventFilter::default() }
}

/// The fields on which the status depends.
#[derive(Clone, Debug)]
struct StatusFields {
    opens_at: i64,
    closes_at: i64,
    starts_at: i64,
    paused: bool,
    cancelled: bool,
    left: Vec<u32>,
}

/// Times around [`NOW`], so that the boundaries are included.
fn status_fields() -> impl Strategy<Value = StatusFields> {
    let moment = || NOW - 2..=NOW + 2;
    let left = prop::collection::vec(0..3_u32, 0..4);
    (moment(), moment(), moment(), any::<bool>(), prop::bool::weighted(0.2), left).prop_map(
        |(opens_at, closes_at, starts_at, paused, cancelled, left)| StatusFields {
            opens_at,
            closes_at,
            starts_at,
            paused,
            cancelled,
            left,
        },
    )
}

impl StatusFields {
    fn status(&self) -> EventStatus {
        let window = SaleWindow { opens_at: at(self.opens_at), closes_at: at(self.closes_at) };
        let left = self.left.iter().map(|left| u64::from(*left)).sum();
        EventStatus::of(self.cancelled, self.paused, window, left, at(NOW))
    }

    fn rank(&self) -> u8 {
        match self.status() {
            EventStatus::OnSale => 0,
            EventStatus::Scheduled => 1,
            _ => 2,
        }
    }

    async fn make(&self, store: &TestStore) -> i64 {
        let new = NewEvent {
            opens_at: at(self.opens_at),
            closes_at: at(self.closes_at),
            starts_at: at(self.starts_at),
            ..new_event(&vec![2; self.left.len()])
        };
        store.event_create(&new, None, at(1)).await.unwrap().id.0
    }
}

/// Sets with SQL what no function of the store sets.
async fn settle(store: &TestStore, made: &[(i64, StatusFields)]) {
    let quote = if store.is_embedded() { '"' } else { '`' };
    let mut sql = String::new();
    for (id, status_fields) in made {
        let cancelled = if status_fields.cancelled { "1" } else { "NULL" };
        let _ = write!(
            sql,
            "UPDATE events SET paused = {}, cancelled_at = {cancelled} WHERE id = {id};",
            status_fields.paused
        );
        for (position, left) in status_fields.left.iter().enumerate() {
            let _ = write!(
                sql,
                "UPDATE ticket_types SET {quote}left{quote} = {left}, capacity = {left} \
                 WHERE event_id = {id} AND position = {position};"
            );
        }
    }
    store.sql(&sql).await.unwrap();
}

on_both! {
    async fn a_summary_contains_what_a_list_shows(store: &TestStore) {
        let event = store.event_of(&[1, 1]).await;
        let (page, total) = store.events_page(&EventFilter::default(), at(NOW), 1, 10).await.unwrap();
        let expected = EventSummaryRecord {
            id: event.id,
            title: event.title,
            place: event.place,
            starts_at: event.starts_at,
            opens_at: event.window.opens_at,
            closes_at: event.window.closes_at,
            status: EventStatus::OnSale,
            price_from: 10_000,
            image_key: event.image_key,
        };
        assert_eq!((page, total), (vec![expected], 1));
    }

    async fn an_event_without_ticket_types_is_sold_out_with_price_zero(store: &TestStore) {
        store.event_of(&[]).await;
        let (page, _) = store.events_page(&EventFilter::default(), at(NOW), 1, 10).await.unwrap();
        assert_eq!((page[0].status, page[0].price_from), (EventStatus::SoldOut, 0));
    }

    async fn a_search_requires_every_word_in_title_or_place_regardless_of_case(store: &TestStore) {
        make(store, "Hamlet", "서울 예술의전당").await;
        make(store, "HAMLET again", "Busan").await;
        make(store, "Ärger", "Berlin").await;
        assert_eq!(titles(store, &words("hAmLeT")).await, ["Hamlet", "HAMLET again"]);
        assert_eq!(titles(store, &words("서울 ham")).await, ["Hamlet"]);
        assert_eq!(titles(store, &words("hamlet berlin")).await, Vec::<String>::new());
        assert_eq!(titles(store, &words("ÄRGER")).await, ["Ärger"]);
        // MariaDB's default collation treats these as equal.
        assert_eq!(titles(store, &words("arger")).await, Vec::<String>::new());
        assert_eq!(titles(store, &words("")).await.len(), 3);
    }

    async fn a_search_treats_wildcards_quotes_and_backslashes_literally(store: &TestStore) {
        for title in ["100% off", "100 off", "a_b", "axb", "wow!", "back\\slash", "it's", "\"quoted\""] {
            make(store, title, "here").await;
        }
        for (query, found) in [
            ("100%", "100% off"),
            ("a_b", "a_b"),
            ("wow!", "wow!"),
            ("\\", "back\\slash"),
            ("k\\s", "back\\slash"),
            ("it's", "it's"),
            ("\"", "\"quoted\""),
        ] {
            assert_eq!(titles(store, &words(query)).await, [found], "{query}");
        }
        assert_eq!(titles(store, &words("' OR 1=1 --")).await, Vec::<String>::new());
    }

    async fn past_events_are_listed_only_on_request(store: &TestStore) {
        for (title, starts_at) in [("past", NOW - 1), ("now", NOW), ("future", NOW + 1)] {
            let new = NewEvent { title: title.to_owned(), starts_at: at(starts_at), ..new_event(&[1]) };
            store.event_create(&new, None, at(1)).await.unwrap();
        }
        assert_eq!(titles(store, &EventFilter::default()).await, ["future"]);
        let all = EventFilter { include_past: true, ..EventFilter::default() };
        assert_eq!(titles(store, &all).await, ["past", "now", "future"]);
    }

    async fn pages_have_no_gaps_and_no_duplicates(store: &TestStore) {
        for _ in 0..7 {
            store.event_of(&[1]).await;
        }
        let mut seen = Vec::new();
        for page in 1..=4 {
            let (events, total) = store.events_page(&EventFilter::default(), at(NOW), page, 3).await.unwrap();
            assert_eq!(total, 7);
            seen.extend(events.into_iter().map(|event| event.id.0));
        }
        assert_eq!(seen, (1..=7).collect::<Vec<_>>());
        let first = store.events_page(&EventFilter::default(), at(NOW), 1, 3).await.unwrap();
        assert_eq!(store.events_page(&EventFilter::default(), at(NOW), 0, 3).await.unwrap(), first);
        assert_eq!(
            store.events_page(&EventFilter::default(), at(NOW), u32::MAX, u32::MAX).await.unwrap().1,
            7
        );
    }

    async fn status_and_order_in_sql_agree_with_the_domain(store: &TestStore) {
        let mut runner = TestRunner::deterministic();
        let mut made = Vec::new();
        for _ in 0..120 {
            let status_fields = status_fields().new_tree(&mut runner).unwrap().current();
            made.push((status_fields.make(store).await, status_fields));
        }
        settle(store, &made).await;

        let everything = EventFilter { include_past: true, ..EventFilter::default() };
        let (page, total) = store.events_page(&everything, at(NOW), 1, 1_000).await.unwrap();
        assert_eq!(total, 120);
        let mut expected = made.clone();
        expected.sort_by_key(|(id, status_fields)| (status_fields.rank(), status_fields.starts_at, *id));
        let order: Vec<_> = page.iter().map(|event| event.id.0).collect();
        assert_eq!(order, expected.iter().map(|(id, _)| *id).collect::<Vec<_>>());
        for (event, (_, status_fields)) in page.iter().zip(&expected) {
            assert_eq!(event.status, status_fields.status(), "{status_fields:?}");
        }
        for status in EventStatus::ALL {
            let filter = EventFilter { status: Some(status), ..EventFilter::default() };
            let (page, total) = store.events_page(&filter, at(NOW), 1, 1_000).await.unwrap();
            let wanted = |(_, status_fields): &&(i64, StatusFields)| {
                status_fields.status() == status && Timestamp::from_millis(status_fields.starts_at) > at(NOW)
            };
            let expected: Vec<_> = expected.iter().filter(wanted).map(|(id, _)| *id).collect();
            assert!(!expected.is_empty(), "no event is {status}");
            assert_eq!(page.iter().map(|event| event.id.0).collect::<Vec<_>>(), expected, "{status}");
            assert_eq!(usize::try_from(total).unwrap(), expected.len());
        }
    }
}
