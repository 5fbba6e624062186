//! The binary as operators use it: its commands, its answers to wrong settings, its start and its end.

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
