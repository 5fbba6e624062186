//! Real faults under load: nodes, Redis and MariaDB as processes of their own, a crowd that books and cancels, and
//! something that breaks in its midst. Afterwards nobody has lost a ticket, and nobody holds one that does not exist.
//!
//! `cargo xtask faults` runs the same for minutes, in random order. A run is told by its seed.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests fail loudly")]

mod audit;
mod buttons;
mod crowd;
mod disk;
mod fault;
mod frozen;
mod house;
mod options;
mod person;
#[allow(dead_code, reason = "the tests of the commands use more of it")]
#[path = "../suite/process.rs"]
mod process;
mod scenario;
mod scenarios;
mod slow;
mod tally;
