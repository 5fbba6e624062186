//! Reports of results: a table for the terminal, and a page with plots.

mod page;
mod plots;
mod table;

pub(crate) use page::page;
pub(crate) use table::table;
