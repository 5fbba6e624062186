//! A dialog that asks before a reservation is cancelled, and says what happens then.

use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::Reservation;

use super::FormError;
use crate::format;
use crate::i18n::{Msg, tr, use_i18n};
use crate::operations::use_api;
use crate::problem_text::error_text;

/// Is open while `pending` holds a reservation. `done` gets the cancelled reservation.
#[component]
pub(crate) fn CancelDialog(
    pending: RwSignal<Option<Reservation>>,
    done: impl Fn(Reservation) + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let i18n = use_i18n();
    let api = use_api();
    let dialog = NodeRef::<Dialog>::new();
    let error = RwSignal::new(None::<Msg>);
    let busy = RwSignal::new(false);
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if pending.with(Option::is_some) {
            // Throws only if the element is not in the document.
            let _ = dialog.show_modal();
        } else {
            dialog.close();
        }
    });
    let confirm = move |_| {
        let Some(reservation) = pending.get_untracked() else { return };
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let answer = api.reservation_cancel(&reservation.id.to_string()).await;
            busy.try_set(false);
            // Browsers may close a dialog in spite of `on:cancel`. Another dialog may be open by now.
            let shown = pending.try_get_untracked().flatten();
            let still_pending = shown.as_ref() == Some(&reservation);
            match answer {
                Ok(cancelled) => {
                    if still_pending {
                        pending.try_set(None);
                    }
                    done(cancelled);
                }
                Err(refusal) if still_pending || shown.is_none() => {
                    if !still_pending {
                        pending.try_set(Some(reservation));
                    }
                    error.try_set(Some(error_text(&refusal)));
                }
                Err(_) => {}
            }
        });
    };
    let summary = move || {
        pending.get().map(|reservation| {
            let date = format::full_date(i18n, reservation.event.starts_at);
            let (ticket_type, n) = (&reservation.ticket_type.name, &reservation.quantity);
            let tickets = i18n.fill(Msg::ReservationTickets, &[("ticket_type", ticket_type), ("n", n)]);
            view! {
                <p class="dialog__summary">
                    <strong>{reservation.event.title}</strong>
                    <span>{date}</span>
                    <span>{tickets}" · "{format::money(i18n, reservation.total_price)}</span>
                </p>
            }
        })
    };
    view! {
        <dialog
            class="dialog"
            node_ref=dialog
            aria-labelledby="cancel-title"
            on:cancel=move |event: leptos::ev::Event| {
                if busy.get_untracked() {
                    event.prevent_default();
                }
            }
            on:close=move |_| {
                pending.set(None);
                error.set(None);
            }
        >
            <h2 id="cancel-title">{tr(Msg::CancelTitle)}</h2>
            {summary}
            <p>{tr(Msg::CancelConsequence)}</p>
            <FormError text=error />
            <div class="dialog__actions">
                // The button that changes nothing comes first, so that it has the focus when the dialog
                // opens.
                <button
                    type="button"
                    class="button button--quiet"
                    on:click=move |_| {
                        if !busy.get_untracked() {
                            pending.set(None);
                        }
                    }
                >
                    {tr(Msg::CancelKeep)}
                </button>
                <button
                    type="button"
                    class="button button--danger"
                    aria-busy=move || busy.get().to_string()
                    on:click=confirm
                >
                    {tr(Msg::CancelConfirm)}
                </button>
            </div>
        </dialog>
    }
}
