//! Links to the other pages of a list.

use leptos::prelude::*;

use super::{Glyph, Icon};
use crate::i18n::{Msg, tr};

/// How many pages are offered on each side of the present one.
const AROUND: u64 = 2;

/// Empty if there is only one page. `link` makes the address of a page.
#[component]
pub(crate) fn Pagination(
    page: u64,
    total: u64,
    link: impl Fn(u64) -> String + Send + 'static,
) -> impl IntoView {
    (total > 1).then(|| {
        let step = |to: u64, glyph: Glyph, text: Msg, offered: bool| {
            offered.then(|| {
                view! {
                    <a class="pagination__link" href=link(to) aria-label=tr(text)>
                        <Icon glyph=glyph />
                    </a>
                }
            })
        };
        let numbers = window(page, total)
            .map(|number| {
                view! {
                    <a
                        class="pagination__link"
                        href=link(number)
                        aria-current=(number == page).then_some("page")
                    >
                        {number}
                    </a>
                }
            })
            .collect_view();
        view! {
            <nav class="pagination" aria-label=tr(Msg::PageNavigation)>
                {step(page - 1, Glyph::Back, Msg::PagePrevious, page > 1)}
                {numbers}
                {step(page + 1, Glyph::Forward, Msg::PageNext, page < total)}
            </nav>
        }
    })
}

/// The pages around the present one. Always as many as possible, so that the links do not move while the
/// person turns pages.
fn window(page: u64, total: u64) -> std::ops::RangeInclusive<u64> {
    let width = 2 * AROUND + 1;
    let first = page.saturating_sub(AROUND).min(total.saturating_sub(width - 1)).max(1);
    first..=(first + width - 1).min(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_page_is_in_the_middle_if_possible() {
        assert_eq!(window(10, 20), 8..=12);
        assert_eq!(window(1, 20), 1..=5);
        assert_eq!(window(20, 20), 16..=20);
        assert_eq!(window(2, 3), 1..=3);
    }
}
