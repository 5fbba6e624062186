//! Saving. One request at a time, all faults are shown at once, and nothing that another person saved is
//! overwritten unnoticed.

use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::ProblemCode;

use super::super::api::{AdminApi, Tagged};
use super::super::list_query::ListQuery;
use super::check::Fault;
use super::state::{Form, LOCAL_TIMES, Outcome, RemoteVersion, SUMMARY, focus_soon};
use crate::api::ApiError;
use crate::i18n::Msg;
use crate::problem_text::error_text;

/// Checks the form and sends it. Calls `created` with the id of a new event.
pub(crate) fn submit(form: Form, api: AdminApi, created: impl Fn(i64) + 'static) {
    if form.busy.get_untracked() {
        return;
    }
    if form.uploading.get_untracked() {
        return refuse(form, Fault::new(Msg::FormImageWait));
    }
    if !form.times_are_complete() || !form.reveal_all() {
        return refuse(form, Fault::new(Msg::FormFaults));
    }
    form.busy.set(true);
    let sent = form.draft.get_untracked();
    spawn_local(async move {
        let known = form.event.get_untracked();
        let answer = match &known {
            None => create(form, api).await,
            Some(event) => update(form, api, event).await,
        };
        form.busy.try_set(false);
        match answer {
            Ok(event) => {
                let id = event.value.detail.summary.id;
                form.saved(&sent, event);
                if known.is_none() {
                    created(id);
                }
            }
            Err(error) => failed(form, api, known.map(|event| event.value.detail.summary.id), &error).await,
        }
    });
}

async fn create(form: Form, api: AdminApi) -> Result<Tagged<neticket_contract::AdminEvent>, ApiError> {
    // The checks have passed, so every field can be parsed.
    let request = form.draft.get_untracked().create(LOCAL_TIMES).ok_or(ApiError::Unreadable(0))?;
    api.admin_event_create(&request).await
}

async fn update(
    form: Form,
    api: AdminApi,
    event: &Tagged<neticket_contract::AdminEvent>,
) -> Result<Tagged<neticket_contract::AdminEvent>, ApiError> {
    let base = form.base.get_untracked();
    let request = form.draft.get_untracked().update(&base, LOCAL_TIMES).ok_or(ApiError::Unreadable(0))?;
    api.admin_event_update(event.value.detail.summary.id, &request, &event.etag).await
}

fn refuse(form: Form, fault: Fault) {
    form.outcome.set(Outcome::Refused(fault));
    focus_soon(SUMMARY.to_owned());
}

async fn failed(form: Form, api: AdminApi, id: Option<i64>, error: &ApiError) {
    if let Some(id) = id
        && error.code() == Some(ProblemCode::EditConflict)
        && let Some(remote_version) = remote_version(api, id).await
    {
        form.outcome.try_set(Outcome::Conflict(Box::new(remote_version)));
        return focus_soon(SUMMARY.to_owned());
    }
    if let Some(id) = id
        && error.code() == Some(ProblemCode::CapacityBelowSold)
        && let Ok(event) = api.admin_event_view(id).await
    {
        // The form's own check then says which ticket type it is.
        form.sold_now(&event.value);
        form.reveal_all();
    }
    let beside = error.problem().is_some_and(|problem| form.refuse(problem));
    let fault = match (error, error.problem()) {
        _ if beside => Fault::new(Msg::FormFaults),
        // Nobody knows whether the event was created. Another request might create a second one.
        _ if id.is_none() && may_be_done(error) => Fault::new(Msg::FormCreateLost),
        (_, Some(problem)) if problem.code == ProblemCode::CapacityBelowSold => {
            Fault { text: Msg::FormCapacitySold, n: problem.sold.map(u64::from) }
        }
        (_, Some(problem)) if problem.code == ProblemCode::EventHasReservations => {
            Fault::new(Msg::FormTicketTypeReserved)
        }
        _ => Fault::new(error_text(error)),
    };
    refuse(form, fault);
}

/// Whether the server may have done what was asked, although there is no answer or the answer is a failure.
fn may_be_done(error: &ApiError) -> bool {
    matches!(error, ApiError::Lost | ApiError::Unreadable(_))
        || matches!(error.code(), Some(ProblemCode::StoreUnavailable | ProblemCode::Internal))
}

/// The present event, and who changed it last.
async fn remote_version(api: AdminApi, id: i64) -> Option<RemoteVersion> {
    let event = api.admin_event_view(id).await.ok()?;
    let target = format!("event/{id}");
    // Without the audit log, the name stays unknown.
    let log = api.audit_list(&ListQuery::default()).await.ok();
    let who = log.and_then(|log| {
        // Pausing and similar actions are logged with the event too, but do not change its version.
        let changed = |action: &str| matches!(action, "event_update" | "event_cancel");
        let entry = log.items.into_iter().find(|e| e.target == target && changed(&e.action))?;
        entry.actor?.nickname
    });
    Some(RemoteVersion { event, who })
}
