//! What tests across the workspace share: real servers, and worlds of their own on them.

#![allow(clippy::expect_used, reason = "what supports tests fails loudly")]
mod world;

pub use neticket_testservers as servers;
pub use world::{Parts, World, tickets};
