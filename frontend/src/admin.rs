//! Administration: a separate client, which only administrators load. It shares everything but its pages with
//! the other client. A page load leads from one client to the other.

mod access;
mod api;
mod app;
mod audit;
mod audit_diff;
mod confirm;
mod edit;
mod events;
mod form;
mod inventory;
mod list_query;
mod local_time;
mod nav;
mod polled;
mod upload;

pub(crate) use app::AdminApp;

/// The path of the whole client.
const BASE: &str = "/admin";
