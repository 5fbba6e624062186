//! Keeping images: one behaviour of both places, and what only S3 can do wrong.

#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod outages;
mod places;
mod support;
