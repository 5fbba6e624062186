//! The store: the SQL database, which alone decides what is confirmed.
//!
//! Production uses MariaDB or MySQL. The embedded default is SQLite. Both behave the same, and every function
//! here is tested on both. No other crate but the migrations names SeaORM. Seats change only in
//! [`reservations`] and, when an administrator edits an event, in [`events`].

mod accounts;
mod audit_log;
mod connect;
mod convert;
mod entity;
mod error;
mod event_cache;
pub mod events;
mod identity;
mod indexed;
#[cfg(test)]
mod plans;
mod pool;
pub mod reservations;
mod sessions;
mod transaction;
mod user_record;

pub use accounts::{AccountError, AdminGrant, NewUser};
pub use audit_log::{AuditOrigin, AuditRecord, NewAudit};
pub use connect::{PoolUse, Store, StoreOptions};
pub use error::StoreError;
pub use event_cache::{CachedEvent, EVENT_CACHE_AGE_MAX, EventCacheError, SharedEventCache, WriteLease};
pub use events::{
    DeleteOutcome, EditOutcome, EpochRaiseOutcome, EventCancelOutcome, EventEdit, EventFilter, EventRecord,
    EventSummaryRecord, LoadedEvent, LoadedTicketType, NewEvent, NewTicketType, PauseOutcome, TicketTypeEdit,
    TicketTypeRecord,
};
pub use reservations::{
    CancelOutcome, CancelRequest, CommitOutcome, CommitRequest, InventoryRecord, LoadedReservation,
    OutboxRecord, ReservationRecord, ReservationStatus, StoredInventory, StoredTicketType,
};
pub use sessions::Rotation;
pub use user_record::UserRecord;
