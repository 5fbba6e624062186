//! The page for an unknown address.

use leptos::prelude::*;

use crate::components::{Glyph, Notice};
use crate::i18n::{Msg, tr, use_i18n};
use crate::title::page_title;

#[component]
pub(crate) fn NotFoundPage() -> impl IntoView {
    let i18n = use_i18n();
    page_title(move || i18n.text(Msg::NotFoundTitle).to_owned());
    view! {
        <div class="page">
            <h1 class="visually-hidden">{tr(Msg::NotFoundTitle)}</h1>
            <Notice glyph=Glyph::Search title=Signal::derive(move || i18n.text(Msg::NotFoundTitle).to_owned())>
                <p>{tr(Msg::NotFoundText)}</p>
                <a class="button button--main" href="/">{tr(Msg::NotFoundBack)}</a>
            </Notice>
        </div>
    }
}
