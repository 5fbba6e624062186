//! The HTTP layer: routes, extractors, problems, OpenAPI. A handler parses the request, calls one use case
//! and answers.
//!
//! [`server`] builds the whole server, for the binary and for tests. [`openapi_document`] is the description
//! of its API.

mod csp;
mod error;
mod extract;
mod limits;
mod metrics;
mod middleware;
mod openapi;
mod rendered_events;
mod routes;
mod server;
mod state;
mod streams;
mod web_client;
mod wire;

pub use openapi::document_text as openapi_document;
pub use server::{Bound, server};
