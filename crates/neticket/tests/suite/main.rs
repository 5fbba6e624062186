//! The binary as operators use it: its commands, its answers to wrong settings, its start and its end.

mod clocks;
mod commands;
mod process;
mod serving;
