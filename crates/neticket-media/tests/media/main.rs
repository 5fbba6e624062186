//! Storing images: the behaviour that both backends share, and the failures that only S3 has.

#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod outages;
mod places;
mod support;
