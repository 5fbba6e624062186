//! The operations of the REST API that the pages use, called with the session.

use leptos::prelude::{expect_context, untrack};
use neticket_contract::{
    Availability, EventDetail, EventListQuery, EventSummary, Page, PasswordChangeRequest,
    ProfileUpdateRequest, Reservation, ReservationCreateRequest, SignupRequest, User,
};

use crate::api::{Answer, ApiError, Request, encode, get, post, send};
use crate::clock::Clock;
use crate::session::Session;

/// Reservations on a page.
pub(crate) const RESERVATIONS_PAGE_SIZE: u32 = 10;

/// The API, called with the session of the signed-in user, if any.
#[derive(Clone, Copy)]
pub(crate) struct Api {
    session: Session,
    clock: Clock,
}

pub(crate) fn use_api() -> Api {
    expect_context()
}

/// All operations fail as [`send`] and [`Answer::json`] do.
impl Api {
    pub(crate) fn new(session: Session, clock: Clock) -> Self {
        Self { session, clock }
    }

    pub(crate) async fn event_list(self, query: &EventListQuery) -> Result<Page<EventSummary>, ApiError> {
        let answer = send(&get(format!("/events?{}", query_string(query)))).await?;
        if let Some(sample) = answer.coarse_sample() {
            self.clock.learn(sample);
        }
        answer.json()
    }

    /// `revision` is the lowest revision that is wanted, if any. No cache has a response for an address that
    /// names a new revision.
    pub(crate) async fn event(self, id: i64, revision: Option<i64>) -> Result<EventDetail, ApiError> {
        let query = revision.map(|revision| format!("?revision={revision}")).unwrap_or_default();
        send(&get(format!("/events/{id}{query}"))).await?.json()
    }

    /// Also takes a sample of the server's clock.
    pub(crate) async fn availability(self, event_id: i64) -> Result<Availability, ApiError> {
        let request = Request { fresh: true, ..get(format!("/events/{event_id}/availability")) };
        let answer = send(&request).await?;
        let availability: Availability = answer.json()?;
        self.clock.learn(answer.sample(availability.server_time));
        Ok(availability)
    }

    /// With a `user_id`, the request is sent only while that user is signed in, so that nobody books for
    /// another person.
    pub(crate) async fn reservation_create(
        self,
        choice: &ReservationCreateRequest,
        key: &str,
        user_id: Option<i64>,
    ) -> Result<Reservation, ApiError> {
        let header = Some(("Idempotency-Key", key.to_owned()));
        let request = Request { header, user_id, ..post("/reservations", choice) };
        self.signed_in(request).await?.json()
    }

    /// The user's own reservations, newest first. `page` counts from 1.
    pub(crate) async fn reservation_list(self, page: u32) -> Result<Page<Reservation>, ApiError> {
        let path = format!("/reservations?page={page}&size={RESERVATIONS_PAGE_SIZE}");
        self.signed_in(get(path)).await?.json()
    }

    pub(crate) async fn reservation(self, id: &str) -> Result<Reservation, ApiError> {
        let request = Request { fresh: true, ..get(format!("/reservations/{}", encode(id))) };
        self.signed_in(request).await?.json()
    }

    pub(crate) async fn reservation_cancel(self, id: &str) -> Result<Reservation, ApiError> {
        let request = Request { method: "POST", ..get(format!("/reservations/{}/cancel", encode(id))) };
        self.signed_in(request).await?.json()
    }

    pub(crate) async fn signup(self, account: &SignupRequest) -> Result<User, ApiError> {
        send(&post("/auth/signup", account)).await?.json()
    }

    pub(crate) async fn profile_update(self, change: &ProfileUpdateRequest) -> Result<User, ApiError> {
        let request = Request { method: "PATCH", ..post("/me", change) };
        self.signed_in(request).await?.json()
    }

    pub(crate) async fn password_change(self, change: &PasswordChangeRequest) -> Result<(), ApiError> {
        self.signed_in(post("/me/password", change)).await?.ok()
    }

    /// The id of the signed-in user, if it is known. Not tracked.
    pub(crate) fn user_id(self) -> Option<i64> {
        untrack(|| self.session.user_id())
    }

    async fn signed_in(self, request: Request) -> Result<Answer, ApiError> {
        self.session.send(request).await
    }
}

fn query_string(query: &EventListQuery) -> String {
    let mut text = format!("page={}&size={}", query.page, query.size);
    if let Some(q) = &query.q {
        text.push_str("&q=");
        text.push_str(&encode(q));
    }
    if let Some(status) = query.status {
        text.push_str("&status=");
        text.push_str(status.as_str());
    }
    if query.include_past {
        text.push_str("&include_past=true");
    }
    text
}
