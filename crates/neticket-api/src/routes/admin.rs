//! Endpoints for administrators.

pub(crate) mod audit;
pub(crate) mod cache;
pub(crate) mod events;
pub(crate) mod images;
pub(crate) mod inventory;
pub(crate) mod stats;
