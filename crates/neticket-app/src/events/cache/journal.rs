//! What an inspection of journals finds.

use neticket_domain::EventId;

/// The events whose journals have entries.
#[derive(Debug, Default)]
pub(crate) struct EventsPending {
    pub(crate) events: Vec<EventId>,
    /// Some journals cannot be inspected yet: their ledgers are of another server run and not loaded again,
    /// or the list of events with a ledger is incomplete.
    pub(crate) is_incomplete: bool,
}

/// The result of inspecting a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JournalState {
    Empty,
    Pending,
    /// Unknown, because the ledger is of another server run and not loaded again.
    Unknown,
}
