//! The client methods for the operations of administration.

use leptos::prelude::expect_context;
use neticket_contract::{
    AdminEvent, AuditEntry, EventCreateRequest, EventUpdateRequest, InventoryEntry, Page, ProblemCode,
    Reconciliation, Stats, UploadedImage,
};

use super::access::withdraw;
use super::list_query::ListQuery;
use super::upload;
use crate::api::{Answer, ApiError, Request, get, post};
use crate::clock::Clock;
use crate::session::Session;

/// A value and its ETag. The server uses the tag to tell whether the value has changed since.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tagged<T> {
    pub(crate) value: T,
    pub(crate) etag: String,
}

/// The actions on an event's ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LedgerAction {
    Load,
    Evict,
    Pause,
    Resume,
}

impl LedgerAction {
    fn word(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Evict => "evict",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }
}

/// The API, called with the session of an administrator.
#[derive(Clone, Copy)]
pub(crate) struct AdminApi {
    session: Session,
    clock: Clock,
}

pub(crate) fn use_admin_api() -> AdminApi {
    expect_context()
}

/// All operations fail as [`Session::send`] and [`Answer::json`] do.
impl AdminApi {
    pub(crate) fn new(session: Session, clock: Clock) -> Self {
        Self { session, clock }
    }

    pub(crate) async fn admin_event_list(self, query: &ListQuery) -> Result<Page<AdminEvent>, ApiError> {
        self.send(get(format!("/admin/events?{}", query.request()))).await?.json()
    }

    pub(crate) async fn admin_event_view(self, id: i64) -> Result<Tagged<AdminEvent>, ApiError> {
        let request = Request { fresh: true, ..get(format!("/admin/events/{id}")) };
        tagged(&self.send(request).await?)
    }

    pub(crate) async fn admin_event_create(
        self,
        event: &EventCreateRequest,
    ) -> Result<Tagged<AdminEvent>, ApiError> {
        tagged(&self.send(post("/admin/events", event)).await?)
    }

    /// Changes the event only if it is still as it was when the server gave `etag`.
    pub(crate) async fn admin_event_update(
        self,
        id: i64,
        change: &EventUpdateRequest,
        etag: &str,
    ) -> Result<Tagged<AdminEvent>, ApiError> {
        let request = Request { method: "PATCH", ..post(&format!("/admin/events/{id}"), change) };
        tagged(&self.send(only_if(request, etag)).await?)
    }

    pub(crate) async fn admin_event_delete(self, id: i64, etag: &str) -> Result<(), ApiError> {
        let request = Request { method: "DELETE", ..get(format!("/admin/events/{id}")) };
        self.send(only_if(request, etag)).await?.ok()
    }

    pub(crate) async fn admin_event_cancel(self, id: i64) -> Result<Tagged<AdminEvent>, ApiError> {
        tagged(&self.send(command(format!("/admin/events/{id}/cancel"))).await?)
    }

    /// Calls `progress` with the part of the file that is uploaded, from 0 to 1.
    pub(crate) async fn admin_image_create(
        self,
        file: &web_sys::File,
        progress: impl Fn(f64) + 'static,
        abort: upload::Abort,
    ) -> Result<UploadedImage, ApiError> {
        let token = self.session.access_token().await?;
        let answer = upload::send("/admin/images", file, token, progress, abort).await?;
        self.checked(answer)?.json()
    }

    pub(crate) async fn inventory_list(self, query: &ListQuery) -> Result<Page<InventoryEntry>, ApiError> {
        let request = Request { fresh: true, ..get(format!("/admin/inventory?{}", query.request())) };
        self.send(request).await?.json()
    }

    /// Calls `inventory_load`, `inventory_evict`, `inventory_pause` or `inventory_resume`. Returns the entry
    /// as it is afterwards.
    pub(crate) async fn inventory_act(
        self,
        event_id: i64,
        action: LedgerAction,
    ) -> Result<InventoryEntry, ApiError> {
        self.send(command(format!("/admin/inventory/{event_id}/{}", action.word()))).await?.json()
    }

    /// What [`Self::inventory_reconcile`] would change, and the tag with which exactly that can be requested.
    pub(crate) async fn inventory_reconcile_dry(
        self,
        event_id: i64,
    ) -> Result<Tagged<Reconciliation>, ApiError> {
        let path = format!("/admin/inventory/{event_id}/reconcile?dry_run=true");
        tagged(&self.send(command(path)).await?)
    }

    pub(crate) async fn inventory_reconcile(
        self,
        event_id: i64,
        etag: &str,
    ) -> Result<Reconciliation, ApiError> {
        let path = format!("/admin/inventory/{event_id}/reconcile?dry_run=false");
        self.send(only_if(command(path), etag)).await?.json()
    }

    pub(crate) async fn cache_clear(self) -> Result<(), ApiError> {
        let request = Request { method: "DELETE", ..get("/admin/cache".to_owned()) };
        self.send(request).await?.ok()
    }

    pub(crate) async fn cache_clear_event(self, event_id: i64) -> Result<(), ApiError> {
        let request = Request { method: "DELETE", ..get(format!("/admin/cache/events/{event_id}")) };
        self.send(request).await?.ok()
    }

    pub(crate) async fn audit_list(self, query: &ListQuery) -> Result<Page<AuditEntry>, ApiError> {
        self.send(get(format!("/admin/audit?{}", query.request()))).await?.json()
    }

    pub(crate) async fn stats_view(self) -> Result<Stats, ApiError> {
        let request = Request { fresh: true, ..get("/admin/stats".to_owned()) };
        self.send(request).await?.json()
    }

    async fn send(self, request: Request) -> Result<Answer, ApiError> {
        let answer = self.session.send(request).await?;
        if let Some(sample) = answer.coarse_sample() {
            self.clock.learn(sample);
        }
        self.checked(answer)
    }

    /// After `forbidden` the user is no longer shown as an administrator.
    fn checked(self, answer: Answer) -> Result<Answer, ApiError> {
        match answer.ok() {
            Err(error) if error.code() == Some(ProblemCode::Forbidden) => {
                withdraw(self.session);
                Err(error)
            }
            _ => Ok(answer),
        }
    }
}

fn command(path: String) -> Request {
    Request { method: "POST", ..get(path) }
}

fn only_if(request: Request, etag: &str) -> Request {
    Request { header: Some(("If-Match", etag.to_owned())), ..request }
}

fn tagged<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<Tagged<T>, ApiError> {
    let (value, etag) = (answer.json()?, answer.etag());
    // Without the tag, an edit could overwrite another administrator's change unnoticed.
    if etag.is_empty() { Err(ApiError::Unreadable(0)) } else { Ok(Tagged { value, etag }) }
}
