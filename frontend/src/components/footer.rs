//! The footer of every page.

use leptos::prelude::*;

use crate::i18n::{Msg, tr};

#[component]
pub(crate) fn Footer() -> impl IntoView {
    view! {
        <footer class="footer">
            <div class="footer__row">
                <p>
                    <strong>"NETicket"</strong>
                    " — "
                    {tr(Msg::FooterLine)}
                </p>
                <nav aria-label=tr(Msg::FooterNavigation)>
                    <a href="/">{tr(Msg::FooterEvents)}</a>
                    <a href="/me">{tr(Msg::FooterMe)}</a>
                    // Not a page of this client, so the browser loads it.
                    <a href="/docs" rel="external">{tr(Msg::FooterApi)}</a>
                </nav>
            </div>
        </footer>
    }
}
