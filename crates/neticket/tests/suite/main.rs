//! The binary as operators use it: its commands, how it reacts to invalid settings, its start and its
//! shutdown.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests fail loudly")]

mod accounts;
mod clocks;
mod commands;
mod deployment;
mod draining;
mod process;
mod readiness;
mod server_lock;
mod serving;
