//! Events and their ticket types, as the store has them and as they are created.

use neticket_domain::{EventId, SaleWindow, TicketTypeId, Timestamp};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};

use crate::convert;
use crate::entity::ticket_type;

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

/// An event with everything that the store knows of it. The read cache stores it by the names of its fields.
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
    pub epoch: neticket_domain::Epoch,
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
            epoch: neticket_domain::Epoch(row.epoch),
        })
    }
}
