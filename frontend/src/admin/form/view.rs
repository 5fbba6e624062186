//! The form as a whole.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use neticket_contract::AdminEvent;

use super::super::access::Unsaved;
use super::super::api::{Tagged, use_admin_api};
use super::danger::Danger;
use super::fields::{About, Times};
use super::image::ImageField;
use super::state::{CANCELLED, Form, Outcome, SAVE};
use super::submit::submit;
use super::summary::Summary;
use super::ticket_types::TicketTypes;
use crate::clock::use_clock;
use crate::components::{Glyph, Icon};
use crate::i18n::{Msg, tr, use_i18n};

/// `event` is the event to change, or `None` for a new one. `created` is called with the id of a new event,
/// `deleted` after a deletion.
#[component]
pub(crate) fn EventForm(
    event: Option<Tagged<AdminEvent>>,
    /// Whether the event was created a moment ago.
    made: bool,
    created: impl Fn(i64) + Copy + Send + Sync + 'static,
    deleted: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let i18n = use_i18n();
    let api = use_admin_api();
    let form = Form::start(event, use_clock());
    if made {
        form.outcome.set(Outcome::Saved);
    }
    warn_before_leaving(form);
    expect_context::<Unsaved>().follow(move || form.unsaved());
    let cancelled = Memo::new(move |_| {
        form.event.with(|event| event.as_ref().is_some_and(|event| event.value.cancelled_at.is_some()))
    });
    // While a new event is being created. Its page comes next, without anything typed in the meantime.
    let making = Memo::new(move |_| form.busy.get() && form.event.with(Option::is_none));
    let id = move || form.event.with(|event| event.as_ref().map(|event| event.value.detail.summary.id));
    let press = move |event: SubmitEvent| {
        event.prevent_default();
        submit(form, api, created);
    };
    view! {
        <Show when=move || cancelled.get()>
            <p class="form-error" role="status" id=CANCELLED tabindex="-1" data-testid="cancelled">
                <Icon glyph=Glyph::Alert />
                {tr(Msg::FormCancelled)}
            </p>
        </Show>
        <form class="event-form" novalidate on:submit=press>
            <fieldset class="event-form__parts" disabled=move || cancelled.get() || making.get()>
                <About form />
                <Times form />
                <TicketTypes form />
                <ImageField form />
            </fieldset>
            <Summary form />
            <div class="event-form__bar">
                <Show when=move || !cancelled.get()>
                    <p class="event-form__state" aria-live="polite">
                        {move || form.unsaved().then(|| i18n.text(Msg::FormUnsaved))}
                    </p>
                    <button
                        type="submit"
                        class="button button--main"
                        id=SAVE
                        data-testid="save"
                        aria-busy=move || form.busy.get().to_string()
                    >
                        {move || i18n.text(if id().is_some() { Msg::FormSave } else { Msg::FormCreate })}
                    </button>
                </Show>
                {move || id().map(|id| view! { <a class="button" href=format!("/events/{id}")>{tr(Msg::FormPublic)}</a> })}
            </div>
        </form>
        <Danger form deleted />
    }
}

/// Every way out of the form is a page load, so the browser itself asks each time.
fn warn_before_leaving(form: Form) {
    let listener = window_event_listener(leptos::ev::beforeunload, move |event| {
        if untrack(|| form.unsaved()) {
            event.prevent_default();
            // Older browsers ask only if a text is set. They do not show the text.
            event.set_return_value("unsaved");
        }
    });
    on_cleanup(move || listener.remove());
}
