//! One test for each fault.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::fault::Fault;
use crate::scenario::{Rush, run};

/// How long nodes may take to correct what they have loaded from a store that was wrong.
const TIMEOUT: Duration = Duration::from_secs(40);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Makes a test of each line.
macro_rules! rushes {
    ($($name:ident: $fault:ident,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                run(stringify!($name), Fault::$fault).await;
            }
        )+
    };
}

rushes! {
    a_redis_that_answers_too_late_sells_no_seat_twice: RedisLate,
    a_redis_that_restarts_with_old_data_sells_no_seat_twice: RedisRolledBack,
    a_redis_that_restarts_empty_during_a_rush_oversells_nothing: RedisEmptied,
    a_node_killed_during_a_rush_loses_no_seat: NodeKilled,
    a_node_frozen_during_a_rush_breaks_no_promise: NodePaused,
    a_redis_killed_during_a_rush_breaks_no_promise: RedisKilled,
    a_redis_frozen_during_a_rush_breaks_no_promise: RedisPaused,
    a_broken_connection_to_redis_breaks_no_promise: RedisConnectionBroken,
    a_mariadb_killed_during_a_rush_breaks_no_promise: MariaDbKilled,
    a_mariadb_frozen_during_a_rush_breaks_no_promise: MariaDbPaused,
    a_full_disk_under_mariadb_during_a_rush_breaks_no_promise: MariaDbDiskFull,
    a_broken_connection_to_mariadb_breaks_no_promise: MariaDbConnectionBroken,
    inventory_actions_during_a_rush_lose_no_booking_and_oversell_nothing: InventoryActions,
}

/// Negative control of the audit: each of these manipulations would be a bug, and the audit finds each.
#[tokio::test(flavor = "multi_thread")]
async fn the_audit_finds_every_broken_promise() {
    let rush = Rush::hold(Fault::None).await;
    assert_eq!(rush.wait_until_at_rest().await, None);
    assert_eq!(rush.audit().await.findings, [""; 0]);
    let confirmed = "SELECT id FROM reservations WHERE status = 'confirmed' ORDER BY id LIMIT 1";
    let ticket_type = rush.event.ticket_types[0].id;
    for (harm, repair, finding) in [
        (
            format!("CREATE TABLE kept AS SELECT * FROM reservations WHERE id = ({confirmed}); \
                 DELETE FROM reservations WHERE id IN (SELECT id FROM kept)"),
            "INSERT INTO reservations SELECT * FROM kept; DROP TABLE kept".to_owned(),
            "is lost",
        ),
        (
            format!("UPDATE ticket_types SET `left` = `left` + 1 WHERE id = {ticket_type}"),
            format!("UPDATE ticket_types SET `left` = `left` - 1 WHERE id = {ticket_type}"),
            "capacity is not left + confirmed",
        ),
        (
            format!("CREATE TABLE kept AS {confirmed}; UPDATE reservations SET quantity = quantity + 4 \
                 WHERE id IN (SELECT id FROM kept)"),
            "UPDATE reservations SET quantity = quantity - 4 WHERE id IN (SELECT id FROM kept); DROP TABLE kept"
                .to_owned(),
            "tickets of at most 4",
        ),
    ] {
        rush.cluster.sql(&harm);
        let found = rush.audit().await.findings;
        assert!(found.iter().any(|text| text.contains(finding)), "{harm}: {found:?}");
        rush.cluster.sql(&repair);
        // The nodes may have loaded the ledger from the manipulated store meanwhile. They repair that
        // themselves.
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let findings = rush.audit().await.findings;
            if findings.is_empty() {
                break;
            }
            assert!(Instant::now() < deadline, "after {repair}: {findings:?}");
            sleep(POLL_INTERVAL).await;
        }
    }
    rush.cluster.close();
}
