//! The store: the SQL database, which alone decides what is confirmed.
//!
//! Production uses MariaDB or MySQL. The embedded default is SQLite. Both behave the same, and every function
//! here is tested on both. No other crate but the migrations names SeaORM. Seats change only in [`booking`].

mod accounts;
mod audit_log;
pub mod booking;
mod connect;
mod convert;
mod entity;
mod error;
pub mod events;
mod identity;
mod indexed;
#[cfg(test)]
mod plans;
mod pool;
mod read_cache;
mod sessions;
mod transaction;
mod user_record;

pub use accounts::{AccountError, AdminGrant, NewUser};
pub use audit_log::{AuditOrigin, AuditRecord, NewAudit};
pub use booking::{
    CancelOutcome, CancelRequest, CommitOutcome, CommitRequest, DeleteOutcome, EditOutcome,
    EpochRaiseOutcome, EventCancelOutcome, EventEdit, InventoryRecord, LoadedEvent, LoadedReservation,
    LoadedTicketType, OutboxRecord, PauseOutcome, ReservationRecord, ReservationStatus, StoredInventory,
    StoredTicketType, TicketTypeEdit,
};
pub use connect::{PoolUse, Store, StoreOptions};
pub use error::StoreError;
pub use events::{EventFilter, EventRecord, EventSummaryRecord, NewEvent, NewTicketType, TicketTypeRecord};
pub use read_cache::{CachedEvent, PutPermit, READ_CACHE_AGE_MAX, ReadCache, ReadCacheError};
pub use sessions::Rotation;
pub use user_record::UserRecord;
