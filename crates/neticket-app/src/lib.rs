//! The application: use cases, the booking engine, background tasks and configuration. Contains no HTTP.

mod accounts;
mod app;
mod audit;
mod booking;
mod clock;
mod config;
mod deployment;
mod error;
mod events;
mod images;
mod inventory;
mod metrics;
mod monitoring;
mod start_error;
mod tasks;
mod views;

pub use app::App;
pub use booking::reservation_id;
pub use config::{Config, ConfigError, EngineConfig, Environment};
pub use error::{AppError, InvalidField};
pub use events::{AvailabilityFeed, EventCopy, Snapshot, Subscription};
pub use inventory::{InventoryTicketTypeView, InventoryView, Reconcile, Reconciliation, SeatChange};
pub use metrics::{METRICS_PREFIX, Metrics, Register};
pub use monitoring::StatsView;
pub use start_error::StartError;
pub use views::{
    Account, AuditActorView, AuditView, Booked, EventChange, EventDraft, EventSearch, EventSummaryView,
    EventView, Expected, ImageView, NewReservation, PageView, Principal, ReservationState, ReservationView,
    Session, TicketTypeChange, TicketTypeDraft, TicketTypeView,
};
