//! The time until a sale opens.

use leptos::prelude::*;
use neticket_domain::Timestamp;

use crate::clock::use_clock;
use crate::countdown::{digits, spoken, spoken_mark};
use crate::i18n::use_i18n;

/// The changing digits. Screen readers do not read them out: see [`SpokenCountdown`].
#[component]
pub(crate) fn Countdown(until: Timestamp) -> impl IntoView {
    let i18n = use_i18n();
    let clock = use_clock();
    view! {
        <span class="countdown" role="timer" aria-live="off" data-testid="countdown">
            {move || digits(i18n.language(), until.millis_since(clock.now()))}
        </span>
    }
}

/// Reads out a countdown, at a few moments only.
#[component]
pub(crate) fn SpokenCountdown(until: Timestamp) -> impl IntoView {
    let i18n = use_i18n();
    let clock = use_clock();
    let mark = Memo::new(move |_| spoken_mark(until.millis_since(clock.now())));
    // A mark that had passed when the page opened is not read out.
    let first = mark.get_untracked();
    let text = move || match mark.get() {
        Some(seconds) if mark.get() != first => spoken(i18n.language(), seconds),
        _ => String::new(),
    };
    view! { <span class="visually-hidden" role="status">{text}</span> }
}
