//! HTTP: routes, extractors, problems, OpenAPI. A handler parses, calls one use case, answers.
//!
//! [`server`] is the whole server, for the binary and for tests alike; [`openapi_document`] is what it speaks.

mod body;
mod caller;
mod cookie;
mod csp;
mod error;
mod fields;
mod frame;
mod limits;
mod metrics;
mod openapi;
mod precondition;
mod query;
mod routes;
mod server;
mod state;
mod streams;
mod wire;

pub use openapi::document_text as openapi_document;
pub use server::{Bound, server};
