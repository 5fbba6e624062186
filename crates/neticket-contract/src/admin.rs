//! Types of the administration endpoints.

mod audit;
mod events;
mod images;
mod inventory;
mod stats;

pub use audit::{AuditActor, AuditEntry};
pub use events::{
    AdminEvent, AdminEventListQuery, EventCreateRequest, EventUpdateRequest, TicketTypeCreateRequest,
    TicketTypeUpdateRequest,
};
pub use images::{IMAGE_BYTES_MAX, IMAGE_PIXELS_MAX, UploadedImage};
pub use inventory::{
    InventoryEntry, InventoryLedger, InventoryListQuery, InventoryTicketType, ReconcileQuery, Reconciliation,
    SeatChange,
};
pub use stats::{ProblemCount, Stats};
