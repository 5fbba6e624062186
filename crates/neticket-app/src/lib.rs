//! The application: use cases, the booking engine, background tasks and configuration. Contains no HTTP.

mod accounts;
mod app;
mod audit;
mod availability_feed;
mod batcher;
mod booking;
mod breaker;
mod cache;
mod clock;
mod coalesced;
mod config;
mod connection_budget;
mod deployment;
mod error;
mod event_cache;
mod events;
mod images;
mod inventory;
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
mod views;

pub use app::App;
pub use availability_feed::{AvailabilityFeed, Snapshot, Subscription};
pub use config::{Config, ConfigError, EngineConfig, Environment};
pub use error::{AppError, InvalidField};
pub use events::EventCopy;
pub use inventory::{InventoryTicketTypeView, InventoryView, Reconcile, Reconciliation};
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
