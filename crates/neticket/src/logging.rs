//! Sends logs to the standard error: readable on a terminal, otherwise as JSON. `RUST_LOG` sets the level.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// `actix_http::h1` logs an error if a client sends something that is not HTTP. The server is not at fault,
/// so this is off.
const DEFAULT: &str = "info,actix_http::h1=off,actix_server=warn,sea_orm_migration=warn";

pub(crate) fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        logs.init();
    } else {
        logs.json().flatten_event(true).with_current_span(true).with_span_list(false).init();
    }
}
