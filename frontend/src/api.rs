//! Requests to the REST API, and its answers.

mod error;
mod fetch;

pub(crate) use error::ApiError;
pub(crate) use fetch::{Answer, BASE, Request, encode, get, post, send};
