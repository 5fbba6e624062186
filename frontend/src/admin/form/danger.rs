//! Deleting and cancelling an event. Neither can be undone.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::super::api::use_admin_api;
use super::super::confirm::Confirm;
use super::check::Fault;
use super::state::{CANCELLED, Form, Outcome, focus_soon, sold, started};
use crate::api::ApiError;
use crate::clock::use_clock;
use crate::format;
use crate::i18n::{Msg, tr, use_i18n};
use crate::problem_text::error_text;

/// Which of the two actions the dialog asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EventAction {
    Delete,
    Cancel,
}

#[component]
pub(crate) fn Danger(form: Form, deleted: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let clock = use_clock();
    let pending = RwSignal::new(None::<EventAction>);
    let over = Memo::new(move |_| {
        form.event.with(|event| {
            event
                .as_ref()
                .is_none_or(|event| event.value.cancelled_at.is_some() || started(&event.value, clock.read()))
        })
    });
    let there = Memo::new(move |_| form.event.with(Option::is_some));
    view! {
        <Show when=move || there.get() && (!over.get() || form.sold() == 0)>
            <section class="danger" aria-labelledby="danger-title">
                <h2 id="danger-title">{tr(Msg::DangerTitle)}</h2>
                <Show when=move || !over.get()>
                    <div class="danger__row">
                        <p>{tr(Msg::DangerCancelText)}</p>
                        <button
                            type="button"
                            class="button button--danger"
                            on:click=move |_| pending.set(Some(EventAction::Cancel))
                        >
                            {tr(Msg::DangerCancel)}
                        </button>
                    </div>
                </Show>
                <Show when=move || form.sold() == 0>
                    <div class="danger__row">
                        <p>{tr(Msg::DangerDeleteText)}</p>
                        <button
                            type="button"
                            class="button button--danger"
                            on:click=move |_| pending.set(Some(EventAction::Delete))
                        >
                            {tr(Msg::DangerDelete)}
                        </button>
                    </div>
                </Show>
            </section>
        </Show>
        <Ask form pending deleted />
    }
}

#[component]
fn Ask(
    form: Form,
    pending: RwSignal<Option<EventAction>>,
    deleted: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let i18n = use_i18n();
    let api = use_admin_api();
    let error = RwSignal::new(None::<Msg>);
    let busy = RwSignal::new(false);
    // The number of tickets whose cancellation the administrator has agreed to. If another number is sold by
    // then, the agreement does not hold any more.
    let understood = RwSignal::new(None::<u64>);
    let counted = RwSignal::new(false);
    let title =
        move || form.event.with(|event| event.as_ref().map(|event| event.value.detail.summary.title.clone()));
    refresh_when_pending(form, pending, error, understood, counted);
    let confirm = move || {
        let (Some(action), Some(event)) = (pending.get_untracked(), form.event.get_untracked()) else {
            return;
        };
        let id = event.value.detail.summary.id;
        busy.set(true);
        spawn_local(async move {
            let answer = match action {
                EventAction::Delete => api.admin_event_delete(id, &event.etag).await.map(|()| None),
                EventAction::Cancel => api.admin_event_cancel(id).await.map(Some),
            };
            busy.try_set(false);
            // Browsers may close a dialog in spite of `on:cancel`. Another dialog may be open by now.
            let still_pending = pending.try_get_untracked() == Some(Some(action));
            match answer {
                Ok(Some(event)) => {
                    if still_pending {
                        pending.try_set(None);
                    }
                    form.take(event);
                    focus_soon(CANCELLED.to_owned());
                }
                Ok(None) => {
                    pending.try_set(None);
                    deleted();
                }
                Err(refusal) if still_pending => {
                    error.try_set(Some(refused(&refusal)));
                }
                Err(refusal) => drop(form.outcome.try_set(Outcome::Refused(Fault::new(refused(&refusal))))),
            }
        });
    };
    let is_cancel = move || pending.get() == Some(EventAction::Cancel);
    let heading =
        Signal::derive(move || if is_cancel() { Msg::DangerCancelAsk } else { Msg::DangerDeleteAsk });
    let action = Signal::derive(move || if is_cancel() { Msg::DangerCancel } else { Msg::DangerDelete });
    let understands = move || understood.get() == Some(form.sold());
    let agreed = move || form.sold() == 0 || understands();
    let number = move || format::count(i18n, form.sold());
    view! {
        <Confirm
            open=Signal::derive(move || pending.with(Option::is_some))
            close=move || pending.set(None)
            heading
            action
            keep=Msg::DangerKeep
            ready=Signal::derive(move || !is_cancel() || (counted.get() && agreed()))
            busy
            error
            confirm
        >
            <p class="dialog__summary"><strong>{title}</strong></p>
            <Show
                when=is_cancel
                fallback=move || view! { <p>{tr(Msg::DangerDeleteConsequence)}</p> }
            >
                <p>{move || i18n.fill(Msg::DangerCancelConsequence, &[("n", &number())])}</p>
                <Show when=move || form.sold() != 0>
                    <label class="check">
                        <input
                            type="checkbox"
                            prop:checked=understands
                            on:change:target=move |event| {
                                understood.set(event.target().checked().then(|| untrack(|| form.sold())));
                            }
                        />
                        {move || i18n.fill(Msg::DangerCancelUnderstood, &[("n", &number())])}
                    </label>
                </Show>
            </Show>
        </Confirm>
    }
}

/// Reads the number of tickets sold when the dialog opens. The input of the form and the tag stay.
fn refresh_when_pending(
    form: Form,
    pending: RwSignal<Option<EventAction>>,
    error: RwSignal<Option<Msg>>,
    understood: RwSignal<Option<u64>>,
    counted: RwSignal<bool>,
) {
    let api = use_admin_api();
    Effect::new(move |_| {
        if pending.with(Option::is_none) {
            return;
        }
        error.set(None);
        understood.set(None);
        counted.set(false);
        form.outcome.set(Outcome::Nothing);
        let Some(event) = form.event.get_untracked() else { return };
        spawn_local(async move {
            let now = match api.admin_event_view(event.value.detail.summary.id).await {
                Ok(now) => now,
                Err(failed) => {
                    error.try_set(Some(error_text(&failed)));
                    return;
                }
            };
            counted.try_set(true);
            if sold(&now.value) != sold(&event.value) {
                form.event.try_update(|event| {
                    if let Some(event) = event {
                        event.value.detail.ticket_types = now.value.detail.ticket_types;
                    }
                });
            }
        });
    });
}

fn refused(error: &ApiError) -> Msg {
    match error.code() {
        Some(neticket_contract::ProblemCode::EventHasReservations) => Msg::DangerDeleteReserved,
        Some(neticket_contract::ProblemCode::EditConflict) => Msg::DangerChanged,
        _ => error_text(error),
    }
}
