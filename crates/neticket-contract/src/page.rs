//! Pages of long lists.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// The most items a page may have.
pub const PAGE_SIZE_MAX: u32 = 100;

/// One page. A page past the end is empty.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The number of the page, counted from 1.
    pub page: u32,
    /// The number of items per page. The last page may have fewer.
    pub size: u32,
    pub total_items: u64,
    pub total_pages: u64,
}

impl<T> Page<T> {
    pub fn new(items: Vec<T>, page: u32, size: u32, total_items: u64) -> Self {
        Self { items, page, size, total_items, total_pages: total_items.div_ceil(u64::from(size.max(1))) }
    }
}

/// Which page of a list.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The number of the page, counted from 1.
    #[serde(default = "first")]
    #[param(default = 1, minimum = 1, maximum = 1_000_000)]
    #[validate(range(
        min = 1,
        max = 1_000_000,
        code = "out_of_range",
        message = "must be between 1 and 1000000"
    ))]
    pub page: u32,
    /// The number of items per page.
    #[serde(default = "size_default")]
    #[param(default = 20, minimum = 1, maximum = 100)]
    #[validate(range(
        min = 1,
        max = "PAGE_SIZE_MAX",
        code = "out_of_range",
        message = "must be between 1 and 100"
    ))]
    pub size: u32,
}

pub(crate) fn first() -> u32 {
    1
}

pub(crate) fn size_default() -> u32 {
    20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_counts_its_pages() {
        assert_eq!(Page::<u8>::new(vec![], 1, 12, 0).total_pages, 0);
        assert_eq!(Page::<u8>::new(vec![], 1, 12, 12).total_pages, 1);
        assert_eq!(Page::<u8>::new(vec![], 1, 12, 13).total_pages, 2);
    }
}
