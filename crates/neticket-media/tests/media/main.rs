//! Storing images: the behaviour that both backends share, and the failures that only S3 has.

#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod backends;
mod outages;
mod support;
