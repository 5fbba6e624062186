//! The REST API as the client calls it.

mod client;
mod error;
mod fetch;

pub(crate) use client::{Api, get, post, use_api};
pub(crate) use error::ApiError;
pub(crate) use fetch::{Answer, BASE, Request, encode, send};
