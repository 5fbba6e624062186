//! The present status of an event: what the server answered, updated by the clock.

use neticket_contract::TicketTypeLeft;
use neticket_domain::{EventStatus, SaleState, SaleWindow, Timestamp};

use crate::i18n::Msg;

/// The status at `now`, from the status that the server gave a moment ago. The client itself decides that a
/// sale opens or closes. It learns of all other changes from the server.
pub(crate) fn status_at(given: EventStatus, window: SaleWindow, now: Timestamp) -> EventStatus {
    match (given, window.at(now)) {
        (EventStatus::Cancelled, _) => EventStatus::Cancelled,
        (_, SaleState::Closed) => EventStatus::Closed,
        (EventStatus::Scheduled, SaleState::Open) => EventStatus::OnSale,
        (given, _) => given,
    }
}

/// The seats left of a ticket type, if they are known.
pub(crate) fn seats_left(known: &[TicketTypeLeft], id: i64) -> Option<u32> {
    known.iter().find(|ticket_type| ticket_type.id == id).map(|ticket_type| ticket_type.left)
}

pub(crate) fn status_text(status: EventStatus) -> Msg {
    match status {
        EventStatus::Scheduled => Msg::StatusScheduled,
        EventStatus::OnSale => Msg::StatusOnSale,
        EventStatus::SoldOut => Msg::StatusSoldOut,
        EventStatus::Paused => Msg::StatusPaused,
        EventStatus::Closed => Msg::StatusClosed,
        EventStatus::Cancelled => Msg::StatusCancelled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(given: EventStatus, now: i64) -> EventStatus {
        let window =
            SaleWindow { opens_at: Timestamp::from_millis(100), closes_at: Timestamp::from_millis(200) };
        status_at(given, window, Timestamp::from_millis(now))
    }

    #[test]
    fn a_sale_opens_and_closes_by_the_clock() {
        assert_eq!(at(EventStatus::Scheduled, 99), EventStatus::Scheduled);
        assert_eq!(at(EventStatus::Scheduled, 100), EventStatus::OnSale);
        assert_eq!(at(EventStatus::OnSale, 200), EventStatus::Closed);
    }

    #[test]
    fn states_that_only_the_server_knows_are_kept() {
        assert_eq!(at(EventStatus::SoldOut, 150), EventStatus::SoldOut);
        assert_eq!(at(EventStatus::Paused, 150), EventStatus::Paused);
        assert_eq!(at(EventStatus::Cancelled, 250), EventStatus::Cancelled);
        // The server's clock says that the sale is open, although the client's estimate does not yet.
        assert_eq!(at(EventStatus::OnSale, 99), EventStatus::OnSale);
    }
}
