//! The footer of every page.

use leptos::prelude::*;

use crate::i18n::{T, tr};

#[component]
pub(crate) fn Footer() -> impl IntoView {
    view! {
        <footer class="footer">
            <div class="footer__row">
                <p>
                    <strong>"NETicket"</strong>
                    " — "
                    {tr(T::FooterLine)}
                </p>
                <nav aria-label=tr(T::FooterNavigation)>
                    <a href="/">{tr(T::FooterEvents)}</a>
                    <a href="/me">{tr(T::FooterMe)}</a>
                    // Not a page of this client, so the browser loads it.
                    <a href="/docs" rel="external">{tr(T::FooterApi)}</a>
                </nav>
            </div>
        </footer>
    }
}
