//! Sales open by the ledger's clock, to the millisecond, without any action by an administrator.

use std::time::Duration;

use neticket_app::{AppError, EventSearch};
use neticket_domain::{Epoch, EventStatus, Timestamp};
use neticket_testkit::{TestEnv, on_both, tickets_of, until};

/// How old the data that readers see may be, in milliseconds.
const SEEN_AGE_MAX_MS: i64 = 1_000;

on_both! {
    async fn no_booking_succeeds_before_the_opening_time(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let users = env.users(20).await;
        let opens_at = env.now().await.plus_millis(2_000);
        let event = env.event(opens_at, opens_at.plus_millis(86_400_000), &[10_000], 100).await;
        let ticket_type = event.ticket_types[0].id;
        let mut refused_until = Timestamp::from_millis(0);
        let opened = 'open: loop {
            for user in &users {
                let asked = env.now().await;
                let outcome = app.reservation_create(*user, None, tickets_of(ticket_type, 1)).await;
                let answered = env.now().await;
                match outcome {
                    Ok(_) => break 'open answered,
                    Err(AppError::SaleNotOpen { opens_at: said, .. }) => {
                        assert_eq!(said, opens_at);
                        assert!(asked < opens_at, "refused at {asked}, after the opening at {opens_at}");
                        refused_until = answered;
                    }
                    Err(other) => panic!("{other:?}"),
                }
            }
        };
        assert!(opened >= opens_at, "admitted at {opened}, before the opening at {opens_at}");
        assert!(refused_until > Timestamp::from_millis(0), "some attempts came before the opening");
        env.finish().await;
    }

    async fn a_booking_after_the_end_of_the_sale_is_refused_as_closed(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let user = env.user(0).await;
        let now = env.now().await;
        let event = env.event(now.plus_millis(-60_000), now.plus_millis(3_000), &[10], 4).await;
        let ticket_type = event.ticket_types[0].id;
        let booked = app.reservation_create(user, Some("k"), tickets_of(ticket_type, 1)).await.unwrap();
        while env.now().await < event.starts_at {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let late = app.reservation_create(user, None, tickets_of(ticket_type, 1)).await;
        assert!(matches!(late, Err(AppError::SaleClosed)), "{late:?}");
        let cancel = app.reservation_cancel(user, booked.reservation.id).await;
        assert!(
            matches!(cancel, Err(AppError::NotCancellable { starts_at }) if starts_at == event.starts_at)
        );
        env.lose_ledger(event.id).await;
        let again = app.reservation_create(user, Some("k"), tickets_of(ticket_type, 1)).await.unwrap();
        assert!(again.replayed, "the repeat returns the first booking");
        env.finish().await;
    }

    async fn an_event_added_after_its_opening_opens_although_another_event_cannot_be_loaded(
        backends: Backends,
    ) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.task_interval_ms = 20;
        let app = env.node().await;
        let _without_ticket_types = env.event_on_sale(&[], 4).await;
        let broken = env.event_on_sale(&[10], 4).await;
        // There is no higher epoch, so nobody can load this event any more.
        env.store.epoch_raise_and_load(broken.id, Epoch(i64::MAX - 1)).await.unwrap();
        until("opening the broken event fails", async || {
            let mut numbers = String::new();
            app.metrics().register().write(&mut numbers);
            numbers.contains("task_failures_total{task=\"open_sales\"}")
        })
        .await;
        let event = env.event_on_sale(&[10], 4).await;
        until("the other event is loaded by the background task", async || {
            env.ledger.view(event.id).await.unwrap().is_some()
        })
        .await;
        let user = env.user(0).await;
        let outcome = app.reservation_create(user, None, tickets_of(broken.ticket_types[0].id, 1)).await;
        assert!(outcome.is_err(), "{outcome:?}");
        assert!(env.ledger.view(broken.id).await.unwrap().is_none());
        app.reservation_create(user, None, tickets_of(event.ticket_types[0].id, 1)).await.unwrap();
        env.finish().await;
    }

    async fn an_event_read_before_its_opening_is_shown_on_sale_after_it(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let user = env.user(0).await;
        let opens_at = env.now().await.plus_millis(2_000);
        let event = env.event(opens_at, opens_at.plus_millis(86_400_000), &[10], 4).await;
        let search = EventSearch { page: 1, size: 10, ..EventSearch::default() };
        let (mut looks_before, mut looks) = (0, 0);
        until("all readers see it on sale", async || {
            let asked = env.now().await;
            let detail = app.event(event.id).await.unwrap().summary.status;
            let listed = app.events_page(&search).await.unwrap().items[0].status;
            looks += 1;
            for status in [detail, listed] {
                match status {
                    EventStatus::Scheduled => {
                        assert!(
                            asked < opens_at.plus_millis(SEEN_AGE_MAX_MS),
                            "still not open at {asked}, after {opens_at}"
                        );
                    }
                    EventStatus::OnSale => {}
                    other => panic!("{other:?}"),
                }
            }
            looks_before += usize::from(detail == EventStatus::Scheduled && listed == EventStatus::Scheduled);
            (detail, listed) == (EventStatus::OnSale, EventStatus::OnSale)
        })
        .await;
        assert!(looks_before > 0, "some of the {looks} reads came before the opening");
        until("the sale is open by the ledger's clock", async || env.now().await >= opens_at).await;
        app.reservation_create(user, None, tickets_of(event.ticket_types[0].id, 1)).await.unwrap();
        assert_eq!(app.event(event.id).await.unwrap().summary.status, EventStatus::OnSale);
        env.finish().await;
    }

    async fn a_request_long_before_the_opening_loads_no_ledger(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let now = env.now().await;
        let event = env.event(now.plus_millis(86_400_000), now.plus_millis(2 * 86_400_000), &[10], 4).await;
        let outcome =
            app.reservation_create(env.user(0).await, None, tickets_of(event.ticket_types[0].id, 1)).await;
        assert!(matches!(outcome, Err(AppError::SaleNotOpen { .. })), "{outcome:?}");
        assert!(env.ledger.view(event.id).await.unwrap().is_none());
        assert_eq!(app.event(event.id).await.unwrap().summary.status, EventStatus::Scheduled);
        env.finish().await;
    }

    async fn a_ticket_type_that_does_not_exist_is_not_found(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let nothing = neticket_domain::TicketTypeId(987_654_321);
        let outcome = app.reservation_create(env.user(0).await, None, tickets_of(nothing, 1)).await;
        assert!(matches!(outcome, Err(AppError::NotFound)), "{outcome:?}");
        env.finish().await;
    }
}
