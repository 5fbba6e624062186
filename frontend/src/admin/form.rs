//! The form that creates and changes events.

mod check;
mod conflict;
mod danger;
mod draft;
mod entry;
mod fields;
mod image;
mod state;
mod submit;
mod summary;
mod ticket_types;
mod view;

pub(crate) use view::EventForm;
