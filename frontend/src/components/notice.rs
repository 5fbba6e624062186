//! Messages in the page: what happened, and what to do about it.

use leptos::prelude::*;

use super::{Glyph, Icon};
use crate::api::ApiError;
use crate::i18n::{Msg, tr, use_i18n};
use crate::problem_text::error_text;

/// A block with an icon, a headline and what follows.
#[component]
pub(crate) fn Notice(
    glyph: Glyph,
    #[prop(into)] title: Signal<String>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="notice">
            <Icon glyph=glyph />
            <h2>{move || title.get()}</h2>
            {children.map(|children| children())}
        </div>
    }
}

/// Says that something could not be loaded. A transient failure is retried automatically: see
/// [`crate::load::Loader`].
#[component]
pub(crate) fn Failure(error: ApiError, retry: impl Fn() + Send + Sync + 'static) -> impl IntoView {
    let i18n = use_i18n();
    let text = error_text(&error);
    let retrying = error.passing();
    let trace = match error {
        ApiError::Refused { problem, .. } => Some(problem.trace_id).filter(|id| !id.is_empty()),
        ApiError::Lost | ApiError::OtherUser | ApiError::Unreadable(_) => None,
    };
    view! {
        <div role="alert">
            <Notice glyph=Glyph::Alert title=Signal::derive(move || i18n.text(Msg::FailureTitle).to_owned())>
                <p>{tr(text)}</p>
                {retrying.then(|| view! { <p>{tr(Msg::FailureRetrying)}</p> })}
                <button type="button" class="button" on:click=move |_| retry()>{tr(Msg::ActionRetry)}</button>
                {trace
                    .map(|id| {
                        view! { <p class="text-small">{move || i18n.fill(Msg::FailureTrace, &[("id", &id)])}</p> }
                    })}
            </Notice>
        </div>
    }
}

/// The reason why a form was refused as a whole. Empty and silent if there is none.
#[component]
pub(crate) fn FormError(#[prop(into)] text: Signal<Option<Msg>>) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <div role="alert">
            {move || {
                text.get()
                    .map(|key| {
                        view! {
                            <p class="form-error">
                                <Icon glyph=Glyph::Alert />
                                {i18n.text(key)}
                            </p>
                        }
                    })
            }}
        </div>
    }
}
