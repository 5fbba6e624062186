//! Asks before an action of the inventory page, does it, and reports the result.

use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::ProblemCode;

use super::super::api::{AdminApi, LedgerDeed, use_admin_api};
use super::super::confirm::Confirm;
use super::deed::{Asked, Deed, Told, came_of};
use super::reconcile::{Plan, PlanView, look, refusal};
use crate::api::ApiError;
use crate::i18n::{I18n, T, tr, use_i18n};

#[component]
pub(crate) fn DeedDialog(
    asked: RwSignal<Option<Asked>>,
    /// The result, shown on the page.
    told: RwSignal<Option<Told>>,
    /// Called when the entries may have changed.
    done: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let i18n = use_i18n();
    let api = use_admin_api();
    let error = RwSignal::new(None::<T>);
    let busy = RwSignal::new(false);
    let plan = RwSignal::new(Plan::Looking(0));
    Effect::new(move |_| {
        let Some(Asked { deed, entry }) = asked.get() else { return };
        error.set(None);
        // An earlier result is not about this action.
        told.set(None);
        if deed == Deed::Reconcile {
            look(api, entry.map_or(0, |entry| entry.event_id), plan);
        }
    });
    // While the dialog closes, it still shows its action.
    let deed = Memo::new(move |before: Option<&Deed>| {
        asked
            .with(|asked| asked.as_ref().map(|asked| asked.deed))
            .or(before.copied())
            .unwrap_or(Deed::ClearAll)
    });
    let nothing_to_do =
        Signal::derive(move || deed.get() == Deed::Reconcile && !plan.with(Plan::has_changes));
    let confirm = move || {
        let Some(asked_for) = asked.get_untracked() else { return };
        busy.set(true);
        let seen = plan.get_untracked();
        spawn_local(async move {
            let answer = act(api, i18n, &asked_for, seen).await;
            busy.try_set(false);
            // Browsers may close a dialog in spite of `on:cancel`. Another dialog may be open by now.
            let still_asked =
                asked.try_with_untracked(|asked| asked.as_ref() == Some(&asked_for)) == Some(true);
            match answer {
                Ok(came) => {
                    told.try_set(Some(came));
                    if still_asked {
                        asked.try_set(None);
                    }
                }
                Err(refused) if still_asked => {
                    error.try_set(Some(why_not(asked_for.deed, &refused)));
                    if refused.code() == Some(ProblemCode::EditConflict) {
                        look(api, asked_for.event_id(), plan);
                    }
                }
                Err(refused) => {
                    let why = untrack(|| i18n.text(why_not(asked_for.deed, &refused)).to_owned());
                    let text = format!("{}: {why}", asked_for.title());
                    told.try_set(Some(Told { done: false, text }));
                }
            }
            done();
        });
    };
    let body = move || {
        let asked = asked.get()?;
        let title = asked.title();
        let again = move |id: i64| move || look(api, id, plan);
        let id = asked.event_id();
        Some(view! {
            {(!title.is_empty()).then(|| view! { <p class="dialog__summary"><strong>{title}</strong></p> })}
            <p>{tr(asked.deed.consequence())}</p>
            {(asked.deed == Deed::Reconcile)
                .then_some(asked.entry)
                .flatten()
                .map(|entry| view! { <PlanView plan entry again=again(id) /> })}
        })
    };
    view! {
        <Confirm
            open=Signal::derive(move || asked.with(Option::is_some))
            close=move || asked.set(None)
            heading=Signal::derive(move || deed.get().question())
            action=Signal::derive(move || {
                if deed.get() == Deed::Reconcile { T::RoomReconcileApply } else { deed.get().action() }
            })
            keep=Signal::derive(move || if nothing_to_do.get() { T::RoomClose } else { T::RoomKeep })
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
fn why_not(deed: Deed, error: &ApiError) -> T {
    let of_the_sale = matches!(deed, Deed::Ledger(LedgerDeed::Pause | LedgerDeed::Resume));
    if of_the_sale && error.code() == Some(ProblemCode::LedgerUnavailable) {
        return T::RoomSaleLedgerGone;
    }
    refusal(error)
}

/// Does the action, and describes what was really done.
async fn act(api: AdminApi, i18n: I18n, asked: &Asked, plan: Plan) -> Result<Told, ApiError> {
    let title = asked.title();
    let done = |key: T| Told { done: true, text: untrack(|| i18n.fill(key, &[("title", &title)])) };
    match (asked.deed, &asked.entry) {
        (Deed::Ledger(deed), Some(before)) => {
            let now = api.inventory_act(before.event_id, deed).await?;
            Ok(untrack(|| came_of(i18n, deed, before, &now)))
        }
        (Deed::Reconcile, Some(entry)) => {
            let Plan::Seen(seen) = plan else { return Err(ApiError::Unreadable(0)) };
            let came = api.inventory_reconcile(entry.event_id, &seen.etag).await?;
            if !came.applied {
                return Ok(done(T::RoomReconcileNothing));
            }
            let n = came.changes.len();
            let text = untrack(|| i18n.fill(T::RoomReconcileDone, &[("title", &title), ("n", &n)]));
            Ok(Told { done: true, text })
        }
        (Deed::ClearEvent, Some(entry)) => {
            api.cache_clear_event(entry.event_id).await?;
            Ok(done(T::RoomClearEventDone))
        }
        (Deed::ClearAll, _) => {
            api.cache_clear().await?;
            Ok(done(T::RoomClearAllDone))
        }
        // Every other action needs an event.
        (_, None) => Err(ApiError::Unreadable(0)),
    }
}
