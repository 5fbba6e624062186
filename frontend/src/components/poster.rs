//! A poster in the ratio 3 to 4, or a drawing if there is no image.

use leptos::prelude::*;

/// `alt` is empty where the title is beside the poster.
#[component]
pub(crate) fn Poster(
    url: Option<String>,
    #[prop(optional, into)] alt: Signal<String>,
    /// Whether to load the image at once, because it is in view first.
    #[prop(optional)]
    eager: bool,
) -> impl IntoView {
    let broken = RwSignal::new(url.is_none());
    let url = StoredValue::new(url);
    view! {
        <div class="poster">
            <Show when=move || !broken.get() fallback=Drawing>
                <img
                    src=url.get_value()
                    alt=move || alt.get()
                    width="600"
                    height="800"
                    loading=if eager { "eager" } else { "lazy" }
                    decoding="async"
                    on:error=move |_| broken.set(true)
                />
            </Show>
        </div>
    }
}

/// A drawing of a stage with its curtain.
#[component]
fn Drawing() -> impl IntoView {
    view! {
        <svg class="poster__drawing" viewBox="0 0 60 80" aria-hidden="true" focusable="false">
            <path class="poster__wall" d="M0 0h60v80H0z" />
            <path class="poster__light" d="M30 14L12 66h36z" />
            <path class="poster__curtain" d="M0 0h19C19 26 13 44 4 58c-2 3-4 8-4 12zM60 0H41c0 26 6 44 15 58 2 3 4 8 4 12z" />
            <path class="poster__valance" d="M0 0h60v8c-5 5-10 5-15 0-5 5-10 5-15 0-5 5-10 5-15 0-5 5-10 5-15 0z" />
            <path class="poster__floor" d="M0 66h60v14H0z" />
        </svg>
    }
}
