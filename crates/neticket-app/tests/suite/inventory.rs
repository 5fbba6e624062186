//! The inventory, action by action: what each does and returns, what the audit log says, and what it never
//! does.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use neticket_app::Reconcile::{Apply, ApplyOnly, DryRun};
use neticket_app::{AppError, InventoryView, Principal};
use neticket_testkit::domain::{Email, Epoch, EventId, EventStatus, Nickname, Role, UserId};
use neticket_testkit::store::{AuditOrigin, NewAudit, NewUser, PauseOutcome};
use neticket_testkit::{Backends, TestEnv, on_both, sql, tickets_of, until};
use serde_json::json;
use tokio::task::block_in_place;
use uuid::Uuid;

use crate::own_servers::{admit, own_redis};

/// Creates an administrator.
pub(crate) async fn admin(env: &TestEnv) -> Principal {
    let email = Email::parse("admin@example.com").unwrap();
    let nickname = Nickname::parse("admin").unwrap();
    let now = env.now().await;
    let new = NewUser { email: &email, nickname: &nickname, password_hash: "-", role: Role::Admin, now };
    let user = env.store.user_create(new).await.unwrap().id;
    Principal { user, role: Role::Admin, session: Uuid::nil() }
}

/// An environment whose background tasks do nothing during the test.
async fn without_background_tasks(backends: Backends) -> TestEnv {
    let mut env = TestEnv::new(backends).await;
    env.config.engine.task_interval_ms = 60_000;
    env.config.engine.grace_ms = 60_000;
    env
}

/// The audit log, oldest first.
async fn audit_log(env: &TestEnv) -> Vec<NewAudit> {
    let (mut records, _) = env.store.audit_page(1, 100).await.unwrap();
    records.sort_by_key(|record| record.id);
    records.into_iter().map(|record| record.entry).collect()
}

fn seats(view: &InventoryView) -> Vec<(u32, Option<u32>, i64)> {
    view.ticket_types
        .iter()
        .map(|ticket_type| (ticket_type.store_left, ticket_type.ledger_left, ticket_type.drift))
        .collect()
}

on_both! {
    async fn the_inventory_shows_the_values_and_actions_report_what_they_did(backends: Backends) {
        let mut env = without_background_tasks(backends).await;
        let (app, by) = (env.node().await, admin(&env).await);
        let event = env.event_on_sale(&[10, 20], 4).await;
        let users = env.users(2).await;
        let view = app.inventory_entry(event.id).await.unwrap();
        assert_eq!((view.epoch, view.paused, view.journal_len), (None, false, 0));
        assert_eq!(seats(&view), [(10, None, 0), (20, None, 0)]);
        // No ledger is loaded, so nothing is evicted or audited.
        assert_eq!(app.ledger_evict(by, None, event.id).await.unwrap().epoch, None);
        assert_eq!(audit_log(&env).await, []);

        app.reservation_create(users[0], None, tickets_of(event.ticket_types[0].id, 3)).await.unwrap();
        until("the booking is settled", async || {
            app.inventory_entry(event.id).await.unwrap().journal_len == 0
        })
        .await;
        let view = app.inventory_entry(event.id).await.unwrap();
        assert_eq!((view.epoch, view.status), (Some(Epoch(1)), EventStatus::OnSale));
        assert_eq!(seats(&view), [(7, Some(7), 0), (20, Some(20), 0)]);
        admit(&env, event.id, users[1], event.ticket_types[1].id).await; // by a node that died
        let view = app.inventory_entry(event.id).await.unwrap();
        assert_eq!((view.journal_len, seats(&view)), (1, vec![(7, Some(7), 0), (20, Some(18), 0)]));
        // A booking is pending, so nothing is evicted or audited.
        let refused = app.ledger_evict(by, None, event.id).await;
        assert!(matches!(refused, Err(AppError::LedgerBusy)), "{refused:?}");
        assert_eq!(app.inventory_entry(event.id).await.unwrap(), view);
        assert_eq!(audit_log(&env).await, []);
        // The ledger and the store agree, so reconciling does nothing and says so.
        let result = app.ledger_reconcile(by, None, event.id, &Apply).await.unwrap();
        assert_eq!((result.applied, result.changes), (false, vec![]));
        assert_eq!((app.inventory_entry(event.id).await.unwrap(), audit_log(&env).await), (view, vec![]));

        let loaded = app.ledger_load(by, Some("192.0.2.1".into()), event.id).await.unwrap();
        assert!(loaded.epoch > Some(Epoch(1)) && loaded.journal_len == 1, "{loaded:?}");
        assert_eq!(
            seats(&loaded),
            [(7, Some(7), 0), (20, Some(18), 0)],
            "the pending booking is carried over"
        );
        let entries = audit_log(&env).await;
        let [entry] = &entries[..] else { panic!("{entries:?}") };
        assert_eq!(
            (entry.actor, entry.action.as_str(), entry.ip.as_str()),
            (Some(by.user), "ledger_load", "192.0.2.1")
        );
        assert_eq!(
            (entry.target.clone(), entry.before.clone()),
            (format!("event/{}", event.id), Some(json!({"epoch": 1})))
        );
        let nothing = app.ledger_load(by, None, EventId(987_654_321)).await;
        assert!(matches!(nothing, Err(AppError::NotFound)), "{nothing:?}");
        env.config.engine.grace_ms = 1_000;
        env.config.engine.task_interval_ms = 100;
        let _recovers = env.node().await;
        until("recovery commits the booking", async || env.confirmed(&event).await == [3, 2]).await;
        until("the booking is settled", async || {
            app.inventory_entry(event.id).await.unwrap().journal_len == 0
        })
        .await;
        env.finish().await;
    }

    async fn an_evicted_ledger_is_loaded_again_by_the_next_booking(backends: Backends) {
        let mut env = without_background_tasks(backends).await;
        let (app, by) = (env.node().await, admin(&env).await);
        let event = env.event_on_sale(&[10], 4).await;
        let (user, ticket_type) = (env.user(0).await, event.ticket_types[0].id);
        app.reservation_create(user, Some("k"), tickets_of(ticket_type, 3)).await.unwrap();
        until("the booking is settled", async || {
            app.inventory_entry(event.id).await.unwrap().journal_len == 0
        })
        .await;
        let gone = app.ledger_evict(by, None, event.id).await.unwrap();
        assert_eq!((gone.epoch, seats(&gone)), (None, vec![(7, None, 0)]));
        assert_eq!(env.ledger.view(event.id).await.unwrap(), None);
        let again = app.reservation_create(user, Some("k"), tickets_of(ticket_type, 3)).await.unwrap();
        assert!(again.replayed, "the evicted ledger loses no booking");
        let entries = audit_log(&env).await;
        assert_eq!(entries.len(), 1);
        assert_eq!(
            (entries[0].action.as_str(), &entries[0].before, &entries[0].after),
            ("ledger_evict", &Some(json!({"epoch": 1})), &None)
        );
        env.finish().await;
    }

    async fn a_paused_sale_sells_nothing_until_it_is_resumed_on_every_node(backends: Backends) {
        let mut env = without_background_tasks(backends).await;
        let (one, other, by) = (env.node().await, env.node().await, admin(&env).await);
        let event = env.event_on_sale(&[10], 4).await;
        let (user, ticket_type) = (env.user(0).await, event.ticket_types[0].id);
        for app in [&one, &other] {
            app.reservation_create(user, None, tickets_of(ticket_type, 1)).await.unwrap();
        }
        let view = one.sale_pause(by, None, event.id, true).await.unwrap();
        assert_eq!((view.paused, view.status), (true, EventStatus::Paused));
        for app in [&one, &other] {
            let refused = app.reservation_create(user, None, tickets_of(ticket_type, 1)).await;
            assert!(matches!(refused, Err(AppError::SalePaused)), "{refused:?}");
        }
        let again = other.sale_pause(by, None, event.id, true).await.unwrap();
        assert_eq!(again, view, "pausing twice changes nothing");
        let view = other.sale_pause(by, None, event.id, false).await.unwrap();
        assert_eq!((view.paused, view.status), (false, EventStatus::OnSale));
        assert!(!one.sale_pause(by, None, event.id, false).await.unwrap().paused);
        one.reservation_create(user, None, tickets_of(ticket_type, 1)).await.unwrap();
        let summary = |entry: &NewAudit| (entry.action.clone(), entry.before.clone(), entry.after.clone());
        let (paused, runs) = (Some(json!({"paused": true})), Some(json!({"paused": false})));
        let expected = [
            ("sale_pause".to_owned(), runs.clone(), paused.clone()),
            ("sale_resume".to_owned(), paused, runs),
        ];
        assert_eq!(
            audit_log(&env).await.iter().map(summary).collect::<Vec<_>>(),
            expected,
            "each change is audited once"
        );
        env.finish().await;
    }

    async fn a_pause_holds_from_its_commit_even_if_its_node_dies_before_the_load(backends: Backends) {
        let mut env = without_background_tasks(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[10], 4).await;
        let (users, ticket_type) = (env.users(2).await, event.ticket_types[0].id);
        app.reservation_create(users[0], None, tickets_of(ticket_type, 1)).await.unwrap();
        let by = AuditOrigin { actor: Some(users[0]), ip: String::new() };
        let now = env.now().await;
        let outcome = env.store.event_pause(event.id, true, &by, || now).await.unwrap();
        assert!(matches!(outcome, PauseOutcome::Changed { .. }), "{outcome:?}"); // and then it died
        assert!(!env.ledger.view(event.id).await.unwrap().unwrap().paused, "the ledger is not paused yet");
        let refused = app.reservation_create(users[1], None, tickets_of(ticket_type, 1)).await;
        assert!(matches!(refused, Err(AppError::SalePaused)), "{refused:?}");
        assert_eq!(env.confirmed(&event).await, [1]);
        let view = env.ledger.view(event.id).await.unwrap().unwrap();
        assert_eq!(
            (view.paused, view.journal_len, view.ticket_types[0].left),
            (true, 0, 9),
            "the refused booking keeps no seats"
        );
        env.finish().await;
    }

    async fn without_the_guard_a_pause_without_a_load_does_not_hold(backends: Backends) {
        let mut env = without_background_tasks(backends).await.without_guard();
        let app = env.node().await;
        let event = env.event_on_sale(&[10], 4).await;
        let (user, ticket_type) = (env.user(0).await, event.ticket_types[0].id);
        app.reservation_create(user, None, tickets_of(ticket_type, 1)).await.unwrap();
        let by = AuditOrigin { actor: Some(user), ip: String::new() };
        let now = env.now().await;
        env.store.event_pause(event.id, true, &by, || now).await.unwrap();
        app.reservation_create(user, None, tickets_of(ticket_type, 1)).await.unwrap();
        env.finish().await;
    }

    async fn a_booking_admitted_before_a_pause_is_confirmed(backends: Backends) {
        let mut env = without_background_tasks(backends).await;
        let (app, by) = (env.node().await, admin(&env).await);
        let event = env.event_on_sale(&[10], 4).await;
        let (users, ticket_type) = (env.users(2).await, event.ticket_types[0].id);
        app.reservation_create(users[0], None, tickets_of(ticket_type, 1)).await.unwrap();
        let before = env.now().await;
        // The node of this user waits for a slow store and has answered 202.
        admit(&env, event.id, users[1], ticket_type).await;
        while env.now().await <= before.plus_millis(300) {
            tokio::time::sleep(Duration::from_millis(5)).await; // longer than clocks differ
        }
        app.sale_pause(by, None, event.id, true).await.unwrap();
        env.config.engine.grace_ms = 1_000;
        env.config.engine.task_interval_ms = 100;
        let _recovers = env.node().await;
        until("recovery commits the booking", async || env.confirmed(&event).await == [3]).await;
        until("the booking is settled", async || {
            app.inventory_entry(event.id).await.unwrap().journal_len == 0
        })
        .await;
        env.finish().await;
    }

    async fn apply_repairs_only_the_difference_that_the_dry_run_showed(backends: Backends) {
        let mut env = without_background_tasks(backends).await;
        let (app, by) = (env.node().await, admin(&env).await);
        let event = env.event_on_sale(&[10], 4).await;
        let ticket_type = event.ticket_types[0].id;
        let mut wrong = env.snapshot(event.id).await;
        wrong.ticket_types[0].left = 13;
        env.install(&wrong).await;
        let shown = app.ledger_reconcile(by, None, event.id, &DryRun).await.unwrap();
        assert_eq!((shown.applied, shown.changes[0].from, shown.changes[0].to), (false, 13, 10));
        assert_eq!(seats(&app.inventory_entry(event.id).await.unwrap()), [(10, Some(13), 3)]);
        let drifted = app.inventory_page("", true, 1, 10).await.unwrap();
        assert_eq!((drifted.total_items, drifted.items[0].event), (1, event.id));
        assert_eq!(app.inventory_page("another", true, 1, 10).await.unwrap().total_items, 0);
        // The ledger gets another difference before the administrator applies the first one.
        wrong.epoch = env.snapshot(event.id).await.epoch;
        wrong.ticket_types[0].left = 3;
        env.install(&wrong).await;
        let only = ApplyOnly(vec!["something".to_owned(), shown.fingerprint]);
        let refused = app.ledger_reconcile(by, None, event.id, &only).await;
        assert!(matches!(refused, Err(AppError::EditConflict)), "{refused:?}");
        assert_eq!(
            env.ledger.view(event.id).await.unwrap().unwrap().ticket_types[0].left,
            3,
            "nothing was changed"
        );
        assert_eq!(audit_log(&env).await, []);
        let shown = app.ledger_reconcile(by, None, event.id, &DryRun).await.unwrap();
        let applied =
            app.ledger_reconcile(by, None, event.id, &ApplyOnly(vec![shown.fingerprint.clone()])).await;
        let applied = applied.unwrap();
        assert_eq!(
            (applied.applied, &applied.fingerprint, &applied.changes),
            (true, &shown.fingerprint, &shown.changes)
        );
        assert_eq!(seats(&app.inventory_entry(event.id).await.unwrap()), [(10, Some(10), 0)]);
        let entries = audit_log(&env).await;
        assert_eq!((entries.len(), entries[0].action.as_str()), (1, "ledger_reconcile"));
        let audited =
            |left| json!({"epoch": wrong.epoch.0, "left": [{"ticket_type_id": ticket_type.0, "left": left}]});
        assert_eq!((&entries[0].before, &entries[0].after), (&Some(audited(3)), &Some(audited(10))));
        let again = app.ledger_reconcile(by, None, event.id, &ApplyOnly(vec![shown.fingerprint])).await;
        assert!(
            matches!(again, Err(AppError::EditConflict)),
            "the difference is repaired already: {again:?}"
        );
        env.finish().await;
    }

    async fn only_one_of_two_concurrent_repairs_is_applied(backends: Backends) {
        let mut env = without_background_tasks(backends).await;
        let (one, other, by) = (env.node().await, env.node().await, admin(&env).await);
        let event = env.event_on_sale(&[10], 4).await;
        for round in 0..10 {
            let mut wrong = env.snapshot(event.id).await;
            wrong.ticket_types[0].left = 13;
            env.install(&wrong).await;
            let (first, second) = tokio::join!(
                one.ledger_reconcile(by, None, event.id, &Apply),
                other.ledger_reconcile(by, None, event.id, &Apply),
            );
            let applied = [&first, &second]
                .iter()
                .filter(|result| result.as_ref().is_ok_and(|result| result.applied))
                .count();
            assert_eq!(applied, 1, "{round}: {first:?} {second:?}");
            assert_eq!(audit_log(&env).await.len(), round + 1);
        }
        env.finish().await;
    }

    async fn the_inventory_pages_through_all_events(backends: Backends) {
        let mut env = without_background_tasks(backends).await;
        let (app, now) = (env.node().await, env.now().await);
        let past = env.event(now.plus_millis(-7_200_000), now.plus_millis(-3_600_000), &[1], 4).await;
        let mut all = vec![env.event_on_sale(&[2], 4).await.id, env.event_on_sale(&[3], 4).await.id, past.id];
        let mut seen = Vec::new();
        for page in 1..=4 {
            let found = app.inventory_page("한여름", false, page, 1).await.unwrap();
            assert_eq!(found.total_items, 3);
            seen.extend(found.items.into_iter().map(|item| item.event));
        }
        seen.sort_unstable();
        all.sort_unstable();
        assert_eq!(seen, all);
        assert_eq!(app.inventory_page("nowhere", false, 1, 10).await.unwrap().items, []);
        env.finish().await;
    }

    async fn the_stats_cover_all_nodes(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let (one, other) = (env.node().await, env.node().await);
        let event = env.event_on_sale(&[3], 2).await;
        let (users, ticket_type) = (env.users(3).await, event.ticket_types[0].id);
        one.reservation_create(users[0], None, tickets_of(ticket_type, 2)).await.unwrap();
        other.reservation_create(users[1], None, tickets_of(ticket_type, 1)).await.unwrap();
        other.count_refusal("sold_out");
        one.count_refusal("sold_out");
        until("both nodes have published their status", async || {
            let stats = one.stats().await;
            stats.nodes == 2 && stats.refusals == [("sold_out".to_owned(), 2)] && stats.bookings_per_s > 0.0
        })
        .await;
        let stats = one.stats().await;
        assert!(stats.p50_ms.is_some() && stats.p50_ms <= stats.p99_ms, "{stats:?}");
        assert_eq!((stats.in_flight, stats.window_s, stats.drift), (0, 5, 0));
        env.finish().await;
    }
}

/// Sends a command to the Redis of this environment.
fn redis(port: u16, command: &[&str]) -> String {
    let output = Command::new("redis-cli").args(["-p", &port.to_string()]).args(command).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_inventory_action_deletes_reservations_or_foreign_redis_keys() {
    let mut env = without_background_tasks(Backends::Shared).await;
    let server = own_redis(&mut env);
    let (app, by) = (env.node().await, admin(&env).await);
    let (event, bystander) = (env.event_on_sale(&[10], 4).await, env.event_on_sale(&[10], 4).await);
    let user = env.user(0).await;
    for event in [&event, &bystander] {
        app.reservation_create(user, None, tickets_of(event.ticket_types[0].id, 3)).await.unwrap();
        until("the booking is settled", async || {
            app.inventory_entry(event.id).await.unwrap().journal_len == 0
        })
        .await;
    }
    assert_eq!(redis(server.port(), &["SET", "somebody:elses", "treasure"]), "OK");
    let prefix = env.config.redis_prefix.clone();
    assert_eq!(redis(server.port(), &["SET", &format!("{prefix}:neighbour"), "too"]), "OK");
    let untouched = app.inventory_entry(bystander.id).await.unwrap();
    let done = run_every_action(&app, by, event.id).await;
    assert_eq!(done, BTreeSet::from(["apply", "clear", "evict", "load", "pause", "reconcile", "resume"]));
    assert_eq!(redis(server.port(), &["GET", "somebody:elses"]), "treasure");
    assert_eq!(redis(server.port(), &["GET", &format!("{prefix}:neighbour")]), "too");
    assert_eq!(
        app.inventory_entry(bystander.id).await.unwrap(),
        untouched,
        "the ledger of another event is unchanged"
    );
    for event in [&event, &bystander] {
        assert_eq!(env.confirmed(event).await, [3], "the reservations still exist");
    }
    env.finish().await;
}

/// Calls every action once, whatever it answers. Returns those that did what they say.
pub(crate) async fn run_every_action(
    app: &neticket_app::App,
    by: Principal,
    event: EventId,
) -> BTreeSet<&'static str> {
    let outcomes = [
        ("load", app.ledger_load(by, None, event).await.is_ok()),
        ("reconcile", app.ledger_reconcile(by, None, event, &DryRun).await.is_ok()),
        ("apply", app.ledger_reconcile(by, None, event, &Apply).await.is_ok()),
        ("evict", app.ledger_evict(by, None, event).await.is_ok()),
        ("pause", app.sale_pause(by, None, event, true).await.is_ok()),
        ("evict", app.ledger_evict(by, None, event).await.is_ok()),
        ("clear", app.cache_clear(by, None).await.is_ok()),
        ("resume", app.sale_pause(by, None, event, false).await.is_ok()),
    ];
    outcomes.into_iter().filter(|(_, done)| *done).map(|(action, _)| action).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_while_the_ledger_is_down_and_after_it_is_back() {
    let mut env = without_background_tasks(Backends::Shared).await;
    let server = own_redis(&mut env);
    env.config.engine.ledger_timeout_ms = 300;
    let (app, by) = (env.node().await, admin(&env).await);
    let event = env.event_on_sale(&[10], 4).await;
    let (user, ticket_type): (UserId, _) = (env.user(0).await, event.ticket_types[0].id);
    app.reservation_create(user, None, tickets_of(ticket_type, 1)).await.unwrap();
    block_in_place(|| server.pause()).unwrap();
    let result = app.sale_pause(by, None, event.id, true).await;
    assert!(
        matches!(result, Err(AppError::LedgerUnavailable(_))),
        "the answer must not claim that the ledger is paused: {result:?}"
    );
    assert!(env.store.event(event.id).await.unwrap().unwrap().paused);
    assert!(matches!(app.inventory_page("", false, 1, 10).await, Err(AppError::LedgerUnavailable(_))));
    assert_eq!(app.stats().await.nodes, 1, "the stats cover this node only");
    block_in_place(|| server.resume()).unwrap();
    until("Redis answers", async || env.ledger.ping().await.is_ok()).await;
    let refused = app.reservation_create(user, None, tickets_of(ticket_type, 1)).await;
    assert!(matches!(refused, Err(AppError::SalePaused)), "{refused:?}");
    let view = app.sale_pause(by, None, event.id, true).await.unwrap();
    assert!(view.paused && view.epoch.is_some());
    assert_eq!((env.confirmed(&event).await, audit_log(&env).await.len()), (vec![1], 1));
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_event_is_neither_paused_nor_resumed() {
    let mut env = without_background_tasks(Backends::Shared).await;
    let (app, by) = (env.node().await, admin(&env).await);
    let event = env.event_on_sale(&[10], 4).await;
    sql(&env, &format!("UPDATE events SET cancelled_at = 1 WHERE id = {}", event.id));
    for paused in [true, false] {
        let refused = app.sale_pause(by, None, event.id, paused).await;
        assert!(matches!(refused, Err(AppError::EventCancelled)), "{refused:?}");
    }
    let nothing = app.sale_pause(by, None, EventId(987_654_321), true).await;
    assert!(matches!(nothing, Err(AppError::NotFound)), "{nothing:?}");
    assert_eq!(audit_log(&env).await.iter().filter(|entry| entry.action.starts_with("sale_")).count(), 0);
    env.finish().await;
}
