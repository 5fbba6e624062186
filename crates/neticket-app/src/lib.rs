//! The application: use cases, the booking engine, background tasks and configuration. Contains no HTTP.

mod accounts;
mod app;
mod audit;
mod batcher;
mod booking;
mod breaker;
mod cache;
mod catalog;
mod clock;
mod coalesced;
mod config;
mod control_room;
mod deployment;
mod error;
mod events;
mod images;
mod loader;
mod metrics;
mod readiness;
mod reconcile;
mod rejections;
mod reservations;
mod start_error;
mod stats;
mod store_calls;
mod tasks;
mod token_secret;
mod turns;
mod views;
mod watch;

pub use app::App;
pub use config::{Config, ConfigError, EngineConfig, Environment};
pub use control_room::{InventoryTicketTypeView, InventoryView, Reconcile, Reconciliation};
pub use error::{AppError, InvalidField};
pub use events::EventCopy;
pub use metrics::{METRICS_PREFIX, Metrics, Register};
pub use reconcile::SeatChange;
pub use reservations::reservation_id;
pub use start_error::StartError;
pub use stats::StatsView;
pub use views::{
    Account, AuditActorView, AuditView, Booked, EventChange, EventDraft, EventSearch, EventSummaryView,
    EventView, Expected, ImageView, NewReservation, PageView, Principal, ReservationState, ReservationView,
    Session, TicketTypeChange, TicketTypeDraft, TicketTypeView,
};
pub use watch::{Seen, Watch, Watchers};
