//! The inventory page, which people see as "control room": statistics of the service, and each event's ledger
//! beside the store.

mod action;
mod charts;
mod dialog;
mod entry;
mod history;
mod page;
mod plot;
mod reconcile;

pub(crate) use page::InventoryPage;
