//! The middleware: around every request, around the API, and around answers that may be compressed.

pub(crate) mod api;
pub(crate) mod compression;
pub(crate) mod envelope;
