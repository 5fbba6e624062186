//! Extractors: what handlers take out of a request. Each one refuses a request that it cannot read.

pub(crate) mod caller;
pub(crate) mod fields;
pub(crate) mod if_match;
pub(crate) mod json;
pub(crate) mod query;
pub(crate) mod refresh_cookie;
