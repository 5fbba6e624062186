//! Real faults under load. Nodes, Redis and MariaDB are separate processes. A crowd books and cancels while a
//! fault occurs. Afterwards nobody has lost a ticket, and nobody holds a ticket that does not exist.
//!
//! `cargo xtask faults` runs the same tests for minutes and in random order. The seed of a run reproduces its
//! random choices.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests fail loudly")]

mod answer_counts;
mod audit;
mod cluster;
mod crowd;
mod disk;
mod fault;
mod frozen;
mod inventory_actions;
mod options;
mod person;
#[allow(dead_code, reason = "the tests of the commands use more of it")]
#[path = "../suite/process.rs"]
mod process;
mod scenario;
mod scenarios;
mod slow;
