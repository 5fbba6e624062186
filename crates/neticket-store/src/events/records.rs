//! Events and their ticket types: as the store has them, as they are created, and as a ledger is loaded with
//! them.

use neticket_domain::{Epoch, EventId, SaleWindow, TicketTypeId, Timestamp};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};

use crate::entity::ticket_type;
use crate::{LoadedReservation, convert};

/// An event that is to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    pub title: String,
    pub place: String,
    pub description: String,
    pub starts_at: Timestamp,
    pub opens_at: Timestamp,
    pub closes_at: Timestamp,
    pub max_per_user: u32,
    pub image_key: Option<String>,
    /// In the order in which they are shown.
    pub ticket_types: Vec<NewTicketType>,
}

/// A ticket type that is to be created. All its seats are left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTicketType {
    pub name: String,
    /// In won.
    pub price: u64,
    pub capacity: u32,
}

/// An event with everything that the store knows of it. The event cache stores it by the names of its fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    pub id: EventId,
    pub title: String,
    pub place: String,
    pub description: String,
    pub starts_at: Timestamp,
    pub window: SaleWindow,
    pub max_per_user: u32,
    pub paused: bool,
    pub cancelled_at: Option<Timestamp>,
    pub image_key: Option<String>,
    /// Grows by one with every edit, and with the cancel of the event.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// In the order in which they are shown.
    pub ticket_types: Vec<TicketTypeRecord>,
}

/// A ticket type in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketTypeRecord {
    pub id: TicketTypeId,
    pub name: String,
    /// In won.
    pub price: u64,
    pub capacity: u32,
    pub left: u32,
    pub epoch: Epoch,
}

/// What a ledger is built from, as of the moment when its epoch was raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedEvent {
    pub event: EventId,
    /// The new epoch.
    pub epoch: Epoch,
    pub window: SaleWindow,
    /// When the window was last changed or the event was cancelled. `None` if neither has happened.
    pub window_since: Option<Timestamp>,
    /// When the pause of the sale began. `None` if the sale is not paused.
    pub paused_at: Option<Timestamp>,
    pub cancelled: bool,
    pub max_per_user: u32,
    /// In the order of their ids.
    pub ticket_types: Vec<LoadedTicketType>,
    /// All reservations of the event, including cancelled and rejected ones.
    pub reservations: Vec<LoadedReservation>,
}

/// A ticket type, as a ledger is loaded with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadedTicketType {
    pub id: TicketTypeId,
    /// In won.
    pub price: u64,
    pub left: u32,
}

impl TryFrom<ticket_type::Model> for TicketTypeRecord {
    type Error = DbErr;

    fn try_from(row: ticket_type::Model) -> Result<Self, DbErr> {
        Ok(Self {
            id: TicketTypeId(row.id),
            name: row.name,
            price: convert::from_column(row.price)?,
            capacity: convert::from_column(row.capacity)?,
            left: convert::from_column(row.left)?,
            epoch: Epoch(row.epoch),
        })
    }
}
