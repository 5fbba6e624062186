//! Results for people: a table on the terminal, a page with plots.

mod page;
mod plots;
mod table;

pub(crate) use page::page;
pub(crate) use table::table;
