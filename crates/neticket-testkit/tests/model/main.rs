//! The booking protocol under random histories: real stores and ledgers, several nodes that die between any
//! two calls, and calls that are lost, delayed and repeated. `cargo xtask soak` plays them for as long as
//! you want.
//!
//! - `history.rs`: what may happen, as data.
//! - `protocol.rs`, `administration.rs`: what a node does, call by call, as `neticket-app` does it.
//! - `runner.rs`, `machine.rs`, `calls.rs`, `shared.rs`, `fixture.rs`: what plays a history, and on which
//!   backends.
//! - `reference.rs`, `checks.rs`: what must hold.
//! - `whole_nodes.rs`, `faulty_ledger.rs`: the product's own nodes, which die while their calls fail. Not
//!   step by step.

#[cfg(test)]
mod administration;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod faulty_ledger;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod history;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod protocol;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod runner;
#[cfg(test)]
mod shared;
#[cfg(test)]
mod whole_nodes;

#[cfg(test)]
use {crate::runner::Runner, crate::shared::Variant, neticket_testkit::Backends as Kind};

#[cfg(test)]
const HISTORIES_EMBEDDED: u32 = 2_000;
#[cfg(test)]
const HISTORIES_SHARED: u32 = 300;
#[cfg(test)]
const RUSHES: u32 = 5;
#[cfg(test)]
const HISTORIES_OF_CONTROLS: u32 = 1_000;

#[test]
fn every_history_on_sqlite_and_memory_keeps_every_promise() {
    Runner::on(Kind::Embedded).keeps_every_promise(HISTORIES_EMBEDDED);
}

#[test]
fn every_history_on_mariadb_and_redis_keeps_every_promise() {
    Runner::on(Kind::Shared).keeps_every_promise(HISTORIES_SHARED);
}

#[test]
fn without_the_guard_the_model_notices_a_wrong_capacity_sum() {
    let mut runner = Runner::on(Kind::Embedded);
    runner.fixture = runner.fixture.without_guard();
    runner.is_caught(HISTORIES_OF_CONTROLS, "capacity is not left");
}

#[test]
fn the_model_notices_a_settle_before_the_commit() {
    Runner::of(Variant::SettleBeforeCommit).is_caught(HISTORIES_OF_CONTROLS, "the ledger offers");
}

#[test]
fn the_model_notices_a_release_that_ignores_the_epoch() {
    let history = history::a_cancel_within_a_load();
    Runner::of(Variant::Product).plays(&history).unwrap();
    let noticed = Runner::of(Variant::ReleaseInAnyEpoch).plays(&history).unwrap_err();
    assert!(noticed.contains("the ledger offers"), "{noticed}");
}

#[test]
fn a_late_load_after_a_loss_does_not_restore_its_epoch() {
    let history = history::a_late_load_after_a_loss();
    for kind in [Kind::Embedded, Kind::Shared] {
        Runner::on(kind).plays(&history).unwrap();
    }
    let noticed = Runner::of(Variant::BeginLoadLate).plays(&history).unwrap_err();
    assert!(noticed.contains("came back"), "{noticed}");
}

#[test]
fn the_model_notices_a_rejection_that_is_not_recorded() {
    Runner::of(Variant::RecordNoRejections)
        .is_caught(HISTORIES_OF_CONTROLS, "the store has never decided it");
}

#[test]
fn the_model_notices_a_load_that_drops_the_journal() {
    Runner::of(Variant::LoadWithoutJournal)
        .is_caught(HISTORIES_OF_CONTROLS, "the store has never decided it");
}

#[test]
fn the_model_notices_seats_held_for_a_booking_of_another_event() {
    Runner::of(Variant::SettleOtherBookings).is_caught(HISTORIES_OF_CONTROLS, "the ledger offers");
}

#[test]
fn the_model_notices_a_rejection_that_stays_in_the_journal() {
    Runner::of(Variant::RefuseWithoutLoad).is_caught(HISTORIES_OF_CONTROLS, "not at rest");
}

#[test]
fn the_model_notices_a_commit_under_an_epoch_that_did_not_admit_it() {
    Runner::of(Variant::CommitUnderNextEpoch).is_caught(HISTORIES_OF_CONTROLS, "");
}

neticket_testkit::on_both! {
    async fn whole_nodes_that_crash_on_bad_connections_keep_every_promise(backends: Backends) {
        for _ in 0..RUSHES {
            whole_nodes::crash_with_faulty_ledgers(backends).await;
        }
    }
}
