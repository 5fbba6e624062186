//! The bookings of the demo. They use the commit of the store, so all of its rules apply to them.

use anyhow::{Context, bail};
use neticket_domain::{Epoch, EventId, Quantity, ReservationId, Timestamp, UserId};
use neticket_store::{CancelRequest, CommitOutcome, CommitRequest, EventRecord, Store, TicketTypeRecord};
use uuid::Uuid;

use crate::season::{Show, Taken};

/// The most reservations in one commit.
const BATCH_LEN_MAX: usize = 500;
/// How often a batch is committed again because a server raises the event's epoch meanwhile.
const COMMITS_MAX: usize = 20;

/// The bookings of the demo person: title, index of the ticket type, tickets, and whether the booking is
/// cancelled. The last one is the last thing that `seed` writes. If it exists, the season is complete.
const OWN: [(&str, usize, u32, bool); 4] = [
    ("조용한 식탁", 0, 2, false),
    ("햄릿, 여름", 1, 1, true),
    ("미디어아트: 심해 11,000m", 0, 2, false),
    ("마지막 왈츠", 1, 2, false),
];

/// Whether a season was created here before, completely.
pub(super) async fn season_exists(store: &Store) -> anyhow::Result<bool> {
    Ok(store.reservation(own_id(OWN.len() - 1)).await?.is_some())
}

/// Whether `show` is the one with the last of the demo person's bookings.
pub(super) fn is_last(show: &Show) -> bool {
    OWN.last().is_some_and(|(title, ..)| *title == show.title)
}

/// Books the taken tickets of `show` for people of `audience`, and books and cancels the demo person's
/// tickets of it.
pub(super) async fn fill(
    store: &Store,
    show: &Show,
    event: &EventRecord,
    audience: &[UserId],
    person: UserId,
    now: Timestamp,
) -> anyhow::Result<()> {
    let epoch = event.ticket_types.first().map_or(Epoch(0), |ticket_type| ticket_type.epoch);
    let mut requests = Vec::new();
    for (place, (title, ticket_type, tickets, _)) in OWN.iter().enumerate() {
        if *title == show.title {
            let ticket_type =
                event.ticket_types.get(*ticket_type).context("the demo person's ticket type is missing")?;
            requests.push(request(own_id(place), person, event.id, ticket_type, *tickets, epoch)?);
        }
    }
    let own = requests.iter().map(|own| own.quantity.get()).sum();
    for booking in bookings(show, audience.len(), own) {
        let ticket_type =
            event.ticket_types.get(booking.ticket_type).context("a demo ticket type is missing")?;
        let id = reservation_id(&format!("{} {} {}", show.title, booking.ticket_type, booking.person));
        requests.push(request(id, audience[booking.person], event.id, ticket_type, booking.tickets, epoch)?);
    }
    spread(&mut requests, event.window.opens_at, now.min(event.starts_at));
    for batch in requests.chunks(BATCH_LEN_MAX) {
        commit(store, show, batch.to_vec()).await?;
    }
    cancel_own(store, show, person, now).await?;
    // A running server has not admitted these bookings. This raises the epoch, so that the server loads its
    // ledger of the event anew.
    if !requests.is_empty() {
        store.epoch_raise_and_load(event.id, neticket_domain::Epoch(0)).await?;
    }
    Ok(())
}

/// Commits `batch`. If a running server has loaded the event meanwhile, commits again under the current
/// epoch.
async fn commit(store: &Store, show: &Show, mut batch: Vec<CommitRequest>) -> anyhow::Result<()> {
    for _ in 0..COMMITS_MAX {
        let outcomes = store.commit(&batch).await?;
        let mut stale = Vec::new();
        for (request, outcome) in batch.into_iter().zip(outcomes) {
            match outcome {
                CommitOutcome::Confirmed | CommitOutcome::Existing(_) => {}
                CommitOutcome::StaleEpoch { epoch } => stale.push(CommitRequest { epoch, ..request }),
                outcome => bail!("a demo booking of {} was refused: {outcome:?}", show.title),
            }
        }
        if stale.is_empty() {
            return Ok(());
        }
        batch = stale;
    }
    bail!(
        "a server loaded the ledger of {} during each of {COMMITS_MAX} attempts of the demo bookings",
        show.title
    )
}

async fn cancel_own(store: &Store, show: &Show, person: UserId, now: Timestamp) -> anyhow::Result<()> {
    for (place, (title, _, _, cancelled)) in OWN.iter().enumerate() {
        if *title == show.title && *cancelled {
            store.cancel(&[CancelRequest { id: own_id(place), user: person }], now).await?;
        }
    }
    Ok(())
}

/// A booking to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct DemoBooking {
    person: usize,
    ticket_type: usize,
    tickets: u32,
}

/// The bookings of `show`. Each person books at most once, one person after the other, so that nobody exceeds
/// the limit per person. If the first ticket type is to sell out, `own` of its tickets stay free for the demo
/// person.
fn bookings(show: &Show, audience_len: usize, own: u32) -> Vec<DemoBooking> {
    let mut bookings: Vec<DemoBooking> = Vec::new();
    for (place, ticket_type) in show.ticket_types.iter().enumerate() {
        let mut wanted = match show.taken {
            Taken::Nothing => 0,
            Taken::Some(tickets) => tickets.min(ticket_type.capacity - ticket_type.capacity / 10 - 1),
            Taken::All => ticket_type.capacity - if place == 0 { own } else { 0 },
        };
        while wanted > 0 && bookings.len() < audience_len {
            let most = if bookings.len().is_multiple_of(2) {
                show.max_per_user
            } else {
                show.max_per_user.div_ceil(2)
            };
            let tickets = wanted.min(most);
            bookings.push(DemoBooking { person: bookings.len(), ticket_type: place, tickets });
            wanted -= tickets;
        }
    }
    bookings
}

fn request(
    id: ReservationId,
    user: UserId,
    event: EventId,
    ticket_type: &TicketTypeRecord,
    tickets: u32,
    epoch: Epoch,
) -> anyhow::Result<CommitRequest> {
    Ok(CommitRequest {
        id,
        user,
        event,
        ticket_type: ticket_type.id,
        quantity: Quantity::new(tickets).context("a demo booking has no tickets")?,
        unit_price: ticket_type.price,
        epoch,
        created_at: Timestamp::from_millis(0),
    })
}

/// Spreads the times of the bookings evenly between `from` and `to`.
fn spread(requests: &mut [CommitRequest], from: Timestamp, to: Timestamp) {
    let parts = i64::try_from(requests.len()).unwrap_or(i64::MAX).saturating_add(1);
    let step_ms = to.millis_since(from) / parts;
    let mut moment = from;
    for request in requests {
        moment = moment.plus_millis(step_ms);
        request.created_at = moment;
    }
}

/// The id of the demo person's booking with the index `place` in [`OWN`].
fn own_id(place: usize) -> ReservationId {
    reservation_id(&format!("own {place}"))
}

/// The same booking always gets the same id, so that a repeat after an interruption books nothing twice.
fn reservation_id(name: &str) -> ReservationId {
    let hash = blake3::hash(format!("neticket demo season: {name}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_bytes()[..16]);
    ReservationId(Uuid::new_v8(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::AUDIENCE_LEN;
    use crate::season::shows;

    #[test]
    fn the_audience_books_the_planned_tickets_within_the_limit() {
        for show in &shows().unwrap() {
            let bookings = bookings(show, AUDIENCE_LEN, 0);
            assert!(bookings.len() < AUDIENCE_LEN || show.taken == Taken::Nothing, "{}", show.title);
            assert!(bookings.iter().all(|booking| (1..=show.max_per_user).contains(&booking.tickets)));
            for (place, ticket_type) in show.ticket_types.iter().enumerate() {
                let tickets: u32 = bookings
                    .iter()
                    .filter(|booking| booking.ticket_type == place)
                    .map(|booking| booking.tickets)
                    .sum();
                match show.taken {
                    Taken::Nothing => assert_eq!(tickets, 0),
                    Taken::Some(_) => assert!((1..ticket_type.capacity).contains(&tickets), "{}", show.title),
                    Taken::All => assert_eq!(tickets, ticket_type.capacity, "{}", show.title),
                }
            }
        }
    }

    #[test]
    fn the_events_of_the_demo_person_are_in_the_season() {
        let shows = shows().unwrap();
        for (title, ticket_type, tickets, _) in OWN {
            let show = shows.iter().find(|show| show.title == title).unwrap();
            assert!(ticket_type < show.ticket_types.len() && tickets <= show.max_per_user, "{title}");
        }
    }
}
