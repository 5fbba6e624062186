//! Asks before an action of the inventory page, does it, and reports the result.

use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::ProblemCode;

use super::super::api::{AdminApi, LedgerAction, use_admin_api};
use super::super::confirm::Confirm;
use super::action::{ActionResult, InventoryAction, PendingAction, describe_result};
use super::reconcile::{Plan, PlanView, look, refusal};
use crate::api::ApiError;
use crate::i18n::{I18n, Msg, tr, use_i18n};

#[component]
pub(crate) fn ActionDialog(
    pending: RwSignal<Option<PendingAction>>,
    /// The result, shown on the page.
    result: RwSignal<Option<ActionResult>>,
    /// Called when the entries may have changed.
    done: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let i18n = use_i18n();
    let api = use_admin_api();
    let error = RwSignal::new(None::<Msg>);
    let busy = RwSignal::new(false);
    let plan = RwSignal::new(Plan::Looking(0));
    Effect::new(move |_| {
        let Some(PendingAction { action, entry }) = pending.get() else { return };
        error.set(None);
        // An earlier result is not about this action.
        result.set(None);
        if action == InventoryAction::Reconcile {
            look(api, entry.map_or(0, |entry| entry.event_id), plan);
        }
    });
    // While the dialog closes, it still shows its action.
    let action = Memo::new(move |before: Option<&InventoryAction>| {
        pending
            .with(|pending| pending.as_ref().map(|pending| pending.action))
            .or(before.copied())
            .unwrap_or(InventoryAction::ClearAll)
    });
    let nothing_to_do =
        Signal::derive(move || action.get() == InventoryAction::Reconcile && !plan.with(Plan::has_changes));
    let confirm = move || {
        let Some(confirmed) = pending.get_untracked() else { return };
        busy.set(true);
        let seen = plan.get_untracked();
        spawn_local(async move {
            let answer = act(api, i18n, &confirmed, seen).await;
            busy.try_set(false);
            // Browsers may close a dialog in spite of `on:cancel`. Another dialog may be open by now.
            let still_pending =
                pending.try_with_untracked(|pending| pending.as_ref() == Some(&confirmed)) == Some(true);
            match answer {
                Ok(outcome) => {
                    result.try_set(Some(outcome));
                    if still_pending {
                        pending.try_set(None);
                    }
                }
                Err(refused) if still_pending => {
                    error.try_set(Some(why_not(confirmed.action, &refused)));
                    if refused.code() == Some(ProblemCode::EditConflict) {
                        look(api, confirmed.event_id(), plan);
                    }
                }
                Err(refused) => {
                    let why = untrack(|| i18n.text(why_not(confirmed.action, &refused)).to_owned());
                    let text = format!("{}: {why}", confirmed.title());
                    result.try_set(Some(ActionResult { done: false, text }));
                }
            }
            done();
        });
    };
    let body = move || {
        let pending = pending.get()?;
        let title = pending.title();
        let again = move |id: i64| move || look(api, id, plan);
        let id = pending.event_id();
        Some(view! {
            {(!title.is_empty()).then(|| view! { <p class="dialog__summary"><strong>{title}</strong></p> })}
            <p>{tr(pending.action.consequence())}</p>
            {(pending.action == InventoryAction::Reconcile)
                .then_some(pending.entry)
                .flatten()
                .map(|entry| view! { <PlanView plan entry again=again(id) /> })}
        })
    };
    view! {
        <Confirm
            open=Signal::derive(move || pending.with(Option::is_some))
            close=move || pending.set(None)
            heading=Signal::derive(move || action.get().question())
            action=Signal::derive(move || {
                if action.get() == InventoryAction::Reconcile { Msg::RoomReconcileApply } else { action.get().button() }
            })
            keep=Signal::derive(move || if nothing_to_do.get() { Msg::RoomClose } else { Msg::RoomKeep })
            ready=Signal::derive(move || !nothing_to_do.get())
            busy
            error
            confirm
        >
            {body}
        </Confirm>
    }
}

/// A pause holds as soon as the store has it, even if the ledger did not answer.
fn why_not(action: InventoryAction, error: &ApiError) -> Msg {
    let of_the_sale = matches!(action, InventoryAction::Ledger(LedgerAction::Pause | LedgerAction::Resume));
    if of_the_sale && error.code() == Some(ProblemCode::LedgerUnavailable) {
        return Msg::RoomSaleLedgerGone;
    }
    refusal(error)
}

/// Does the action, and describes what was really done.
async fn act(
    api: AdminApi,
    i18n: I18n,
    pending: &PendingAction,
    plan: Plan,
) -> Result<ActionResult, ApiError> {
    let title = pending.title();
    let done = |key: Msg| ActionResult { done: true, text: untrack(|| i18n.fill(key, &[("title", &title)])) };
    match (pending.action, &pending.entry) {
        (InventoryAction::Ledger(action), Some(before)) => {
            let now = api.inventory_act(before.event_id, action).await?;
            Ok(untrack(|| describe_result(i18n, action, before, &now)))
        }
        (InventoryAction::Reconcile, Some(entry)) => {
            let Plan::Seen(seen) = plan else { return Err(ApiError::Unreadable(0)) };
            let outcome = api.inventory_reconcile(entry.event_id, &seen.etag).await?;
            if !outcome.applied {
                return Ok(done(Msg::RoomReconcileNothing));
            }
            let n = outcome.changes.len();
            let text = untrack(|| i18n.fill(Msg::RoomReconcileDone, &[("title", &title), ("n", &n)]));
            Ok(ActionResult { done: true, text })
        }
        (InventoryAction::ClearEvent, Some(entry)) => {
            api.cache_clear_event(entry.event_id).await?;
            Ok(done(Msg::RoomClearEventDone))
        }
        (InventoryAction::ClearAll, _) => {
            api.cache_clear().await?;
            Ok(done(Msg::RoomClearAllDone))
        }
        // Every other action needs an event.
        (_, None) => Err(ApiError::Unreadable(0)),
    }
}
