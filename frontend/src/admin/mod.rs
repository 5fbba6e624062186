//! Administration: a client of its own, which only administrators load. It shares everything but its pages with the
//! other one; between the two leads an ordinary page load.

mod access;
mod api;
mod app;
mod audit;
mod audit_diff;
mod confirm;
mod edit;
mod events;
mod form;
mod list_query;
mod local_time;
mod nav;
mod polled;
mod room;
mod upload;

pub(crate) use app::AdminApp;

/// Where all of it is.
const BASE: &str = "/admin";
