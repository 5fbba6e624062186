//! Compares what clients were told with the rows in the database and with the seats left that the server
//! shows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::api_client::{self, ApiClient};
use crate::database::{Database, ReservationRow, TicketTypeRow};
use crate::worker_config::Target;

/// Pause between two inspections while something does not match yet.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The most examples that one fault names.
const EXAMPLES_MAX: usize = 3;

/// What clients were told.
#[derive(Clone, Debug)]
pub struct ClientReport {
    pub event: i64,
    pub max_per_user: u32,
    /// Every reservation that a client was told is confirmed.
    pub confirmed: Vec<Uuid>,
    /// The users of bookings whose answer was lost for good, one entry per booking. These bookings may or may
    /// not be in the database.
    pub unknown_users: Vec<i64>,
    /// Successful answers that do not match their request.
    pub wrong_answers: u64,
    /// Reservations that existed before the run.
    pub before: BTreeSet<Uuid>,
}

/// The result of an audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    pub passed: bool,
    /// One sentence for each fault.
    pub faults: Vec<String>,
    /// Reservations that clients were told are confirmed.
    #[serde(rename = "told")]
    pub reported: u64,
    /// Confirmed reservations of the event in the database, made by this run.
    pub stored: u64,
    /// Seats that are gone in the store: `capacity` minus `left`.
    pub seats_gone: i64,
    /// Bookings whose answer was lost for good, and how many of them are in the database nevertheless.
    pub unknown: u64,
    pub unknown_stored: u64,
}

/// Audits the result. While there are faults, it inspects again until `timeout` has passed, because bookings
/// in flight may still settle.
///
/// # Errors
/// The database or a target (`http://host:port`) does not answer.
pub async fn audit(
    database: &Database,
    targets: &[String],
    report: &ClientReport,
    timeout: Duration,
) -> Result<Audit> {
    let mut resolved = Vec::with_capacity(targets.len());
    for target in targets {
        resolved.push(api_client::resolve(target).await?);
    }
    let deadline = Instant::now() + timeout;
    loop {
        let audit = compare(database, &resolved, report).await?;
        if audit.passed || Instant::now() >= deadline {
            return Ok(audit);
        }
        sleep(POLL_INTERVAL).await;
    }
}

async fn compare(database: &Database, targets: &[Target], report: &ClientReport) -> Result<Audit> {
    let rows = database.reservations(report.event).await?;
    let ticket_types = database.ticket_types(report.event).await?;
    let confirmed: Vec<&ReservationRow> = rows.iter().filter(|row| row.confirmed).collect();
    let new: Vec<&ReservationRow> =
        confirmed.iter().filter(|row| !report.before.contains(&row.id)).copied().collect();
    let mut faults = Vec::new();
    if report.wrong_answers > 0 {
        faults.push(format!("{} successful answers did not match their requests", report.wrong_answers));
    }
    let unknown_stored = compare_ids(report, &new, &mut faults);
    check_limit(report, &confirmed, &mut faults);
    check_seats(&ticket_types, &confirmed, &mut faults);
    for target in targets {
        let shown = ApiClient::new(target.clone()).availability(report.event).await?;
        let shown = shown
            .ticket_types
            .iter()
            .map(|ticket_type| (ticket_type.id, i64::from(ticket_type.left)))
            .collect();
        compare_left(&target.host, &ticket_types, &shown, &mut faults);
    }
    Ok(Audit {
        passed: faults.is_empty(),
        faults,
        reported: report.confirmed.len().try_into()?,
        stored: new.len().try_into()?,
        seats_gone: ticket_types.iter().map(|ticket_type| ticket_type.capacity - ticket_type.left).sum(),
        unknown: report.unknown_users.len().try_into()?,
        unknown_stored,
    })
}

/// Checks that every reservation that a client was told is confirmed is in the store, and that a client was
/// told of every reservation in the store, unless its answer was lost. Returns how many bookings with a lost
/// answer are stored.
fn compare_ids(report: &ClientReport, stored: &[&ReservationRow], faults: &mut Vec<String>) -> u64 {
    let ids: BTreeSet<Uuid> = stored.iter().map(|row| row.id).collect();
    let reported_ids: BTreeSet<Uuid> = report.confirmed.iter().copied().collect();
    let twice = report.confirmed.len() - reported_ids.len();
    if twice > 0 {
        faults.push(format!("{twice} bookings got the reservation of another booking"));
    }
    let missing: Vec<&Uuid> = reported_ids.difference(&ids).collect();
    if !missing.is_empty() {
        let (count, examples) = (missing.len(), examples(&missing));
        faults.push(format!("{count} reservations that the server confirmed to clients are not confirmed in the store: {examples}"));
    }
    let mut lost: BTreeMap<i64, u64> = BTreeMap::new();
    for user in &report.unknown_users {
        *lost.entry(*user).or_default() += 1;
    }
    let (mut lost_stored, mut untold) = (0, Vec::new());
    for row in stored.iter().filter(|row| !reported_ids.contains(&row.id)) {
        match lost.get_mut(&row.user) {
            Some(count) if *count > 0 => {
                *count -= 1;
                lost_stored += 1;
            }
            _ => untold.push(row.id),
        }
    }
    if !untold.is_empty() {
        let (count, examples) = (untold.len(), examples(&untold));
        faults.push(format!(
            "{count} reservations are confirmed in the store but were never confirmed to a client: {examples}"
        ));
    }
    lost_stored
}

fn check_limit(report: &ClientReport, confirmed: &[&ReservationRow], faults: &mut Vec<String>) {
    let mut held: BTreeMap<i64, i64> = BTreeMap::new();
    for row in confirmed {
        *held.entry(row.user).or_default() += row.quantity;
    }
    let limit = i64::from(report.max_per_user);
    let over: Vec<i64> = held.iter().filter(|(_, held)| **held > limit).map(|(user, _)| *user).collect();
    if !over.is_empty() {
        let (count, examples) = (over.len(), examples(&over));
        faults.push(format!("{count} users hold more than the {limit} tickets allowed: users {examples}"));
    }
}

fn check_seats(ticket_types: &[TicketTypeRow], confirmed: &[&ReservationRow], faults: &mut Vec<String>) {
    for ticket_type in ticket_types {
        let TicketTypeRow { id, capacity, left } = *ticket_type;
        let sold: i64 = confirmed.iter().filter(|row| row.ticket_type == id).map(|row| row.quantity).sum();
        if left < 0 {
            faults.push(format!("ticket type {id}: {left} seats left"));
        }
        if capacity - left != sold {
            let gone = capacity - left;
            faults.push(format!("ticket type {id}: {gone} seats are taken and {sold} are confirmed"));
        }
    }
}

/// The server shows the seats left of its ledger. At rest they are equal to those of the store.
fn compare_left(
    host: &str,
    ticket_types: &[TicketTypeRow],
    shown: &BTreeMap<i64, i64>,
    faults: &mut Vec<String>,
) {
    for ticket_type in ticket_types {
        let TicketTypeRow { id, left, .. } = *ticket_type;
        match shown.get(&id) {
            Some(shown) if *shown == left => {}
            Some(shown) => {
                faults.push(format!("ticket type {id}: {host} shows {shown} left, the store has {left}"));
            }
            None => faults.push(format!("ticket type {id}: {host} does not show it")),
        }
    }
}

fn examples<T: ToString>(all: &[T]) -> String {
    let shown: Vec<String> = all.iter().take(EXAMPLES_MAX).map(ToString::to_string).collect();
    let more = if all.len() > EXAMPLES_MAX { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_and_missing_seat_counts_of_a_server_are_found() {
        let ticket_types =
            [TicketTypeRow { id: 1, capacity: 5, left: 2 }, TicketTypeRow { id: 2, capacity: 5, left: -1 }];
        let mut faults = Vec::new();
        compare_left("here", &ticket_types, &BTreeMap::from([(1, 2), (2, -1)]), &mut faults);
        assert!(faults.is_empty(), "{faults:?}");
        compare_left("here", &ticket_types, &BTreeMap::from([(1, 3)]), &mut faults);
        assert!(faults[0].contains("shows 3 left, the store has 2"), "{faults:?}");
        assert!(faults[1].contains("does not show it"), "{faults:?}");
        check_seats(&ticket_types, &[], &mut faults);
        assert!(faults.iter().any(|fault| fault.contains("-1 seats left")), "{faults:?}");
    }
}
