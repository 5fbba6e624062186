//! The price of one ticket, as the page shows it.

use leptos::prelude::*;
use neticket_contract::EventDetail;

/// The prices of an event's ticket types. They may change while the page is open.
#[derive(Clone, Copy)]
pub(crate) struct Prices(Memo<Vec<(i64, u64)>>);

impl Prices {
    /// `prices` holds the ids of ticket types and the price of one ticket of each, in won.
    pub(crate) fn new(prices: Memo<Vec<(i64, u64)>>) -> Self {
        Self(prices)
    }

    /// The ids of ticket types and their prices. Tracked.
    pub(crate) fn all(self) -> Vec<(i64, u64)> {
        self.0.get()
    }

    /// The price of one ticket, in won. Tracked.
    pub(crate) fn of(self, ticket_type_id: i64) -> Option<u64> {
        self.0.with(|prices| prices.iter().find(|(id, _)| *id == ticket_type_id).map(|(_, price)| *price))
    }
}

/// The ids and prices from which [`Prices`] are made.
pub(crate) fn prices_of(event: &EventDetail) -> Vec<(i64, u64)> {
    event.ticket_types.iter().map(|ticket_type| (ticket_type.id, ticket_type.price)).collect()
}
