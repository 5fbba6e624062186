//! Reconciling in two steps: the page shows a dry run, and then requests exactly those changes.

use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::{InventoryEntry, ProblemCode, Reconciliation};

use super::super::api::{AdminApi, Tagged};
use crate::api::ApiError;
use crate::format;
use crate::i18n::{Msg, tr, use_i18n};
use crate::problem_text::error_text;

/// The state of the dry run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plan {
    /// Asking about the event with this id.
    Looking(i64),
    Seen(Tagged<Reconciliation>),
    Failed(Msg),
}

impl Plan {
    /// Whether there is anything to apply.
    pub(crate) fn has_changes(&self) -> bool {
        matches!(self, Self::Seen(seen) if !seen.value.changes.is_empty())
    }
}

/// Asks the server what would be changed.
pub(crate) fn look(api: AdminApi, event_id: i64, plan: RwSignal<Plan>) {
    plan.set(Plan::Looking(event_id));
    spawn_local(async move {
        let seen = match api.inventory_reconcile_dry(event_id).await {
            Ok(seen) => Plan::Seen(seen),
            Err(error) => Plan::Failed(refusal(&error)),
        };
        // By now the dialog may be about another event.
        if plan.try_with_untracked(|plan| *plan == Plan::Looking(event_id)) == Some(true) {
            plan.set(seen);
        }
    });
}

pub(crate) fn refusal(error: &ApiError) -> Msg {
    match error.code() {
        Some(ProblemCode::EditConflict) => Msg::RoomReconcileChanged,
        Some(ProblemCode::LedgerBusy) => Msg::RoomBusy,
        Some(ProblemCode::LedgerNotLoaded) => Msg::RoomNotLoaded,
        Some(ProblemCode::EventCancelled) => Msg::RoomCancelled,
        Some(ProblemCode::LedgerUnavailable) => Msg::RoomLedgerGone,
        _ => error_text(error),
    }
}

/// What would be changed, by ticket type.
#[component]
pub(crate) fn PlanView(
    plan: RwSignal<Plan>,
    entry: InventoryEntry,
    again: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let i18n = use_i18n();
    let name = move |id: i64| {
        entry
            .ticket_types
            .iter()
            .find(|ticket_type| ticket_type.id == id)
            .map_or_else(|| format!("#{id}"), |ticket_type| ticket_type.name.clone())
    };
    let table = move |seen: Reconciliation| {
        let rows = seen
            .changes
            .into_iter()
            .map(|change| {
                view! {
                    <tr>
                        <th scope="row">{name(change.ticket_type_id)}</th>
                        <td>{format::count(i18n, change.from.into())}</td>
                        <td>{format::count(i18n, change.to.into())}</td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <table class="plan" data-testid="plan">
                <thead>
                    <tr>
                        <th scope="col">{tr(Msg::RoomTicketType)}</th>
                        <th scope="col">{tr(Msg::RoomFrom)}</th>
                        <th scope="col">{tr(Msg::RoomTo)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        }
    };
    view! {
        <div role="status" aria-busy=move || matches!(plan.get(), Plan::Looking(_)).to_string()>
            {move || match plan.get() {
                Plan::Looking(_) => view! { <p>{tr(Msg::RoomReconcileLooking)}</p> }.into_any(),
                Plan::Seen(seen) if seen.value.changes.is_empty() => {
                    view! { <p data-testid="plan">{tr(Msg::RoomReconcileSame)}</p> }.into_any()
                }
                Plan::Seen(seen) => table(seen.value).into_any(),
                Plan::Failed(text) => view! {
                    <p class="form-error">{tr(text)}</p>
                    <button type="button" class="button button--small" on:click=move |_| again()>
                        {tr(Msg::ActionRetry)}
                    </button>
                }
                .into_any(),
            }}
        </div>
    }
}
