//! What tests across the workspace share.

pub use neticket_testservers as servers;
