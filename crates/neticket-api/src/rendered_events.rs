//! Events as the JSON that clients get, kept until the event changes.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{
    EntityTag, Header as _, HeaderValue, IF_NONE_MATCH, IfNoneMatch, TryIntoHeaderValue as _,
};
use actix_web::web::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use moka::future::Cache;
use neticket_app::{App, AppError, EventCopy, EventView};
use neticket_contract::EventDetail;
use neticket_domain::{EventId, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::error::ApiError;
use crate::wire;

/// The most rendered events that are kept in memory.
const RENDERED_MAX: u64 = 10_000;

/// Rendered events. Each is rendered once and shared by everyone who requests it.
pub(crate) struct RenderedEvents(Cache<EventId, Result<Arc<RenderedEvent>, String>>);

pub(crate) struct RenderedEvent {
    /// The cached event from which this was rendered. It is sent as long as the application still has this
    /// cached event.
    copy: EventCopy,
    pub(crate) view: EventView,
    pub(crate) detail: Bytes,
    tag: EntityTag,
    pub(crate) tag_header: HeaderValue,
}

impl RenderedEvents {
    pub(crate) fn new() -> Self {
        Self(Cache::new(RENDERED_MAX))
    }

    /// The rendered form of `copy`. It is rendered again only if `copy` has changed since, and only once for
    /// all concurrent requests.
    pub(crate) async fn of(
        &self,
        app: &App,
        id: EventId,
        copy: EventCopy,
    ) -> Result<Arc<RenderedEvent>, ApiError> {
        let is_of_copy = |rendered: &Result<Arc<RenderedEvent>, String>| {
            rendered.as_ref().is_ok_and(|rendered| rendered.copy.is(&copy))
        };
        if let Some(Ok(rendered)) = self.0.get(&id).await.filter(is_of_copy) {
            return Ok(rendered);
        }
        let render = async { RenderedEvent::new(app, copy.clone()).map(Arc::new) };
        let entry = self.0.entry(id).or_insert_with_if(render, |rendered| !is_of_copy(rendered)).await;
        Ok(entry.into_value().map_err(AppError::Internal)?)
    }
}

impl RenderedEvent {
    fn new(app: &App, copy: EventCopy) -> Result<Self, String> {
        let view = app.event_of_copy(&copy);
        let detail = wire::event_detail(view.clone(), app.now());
        let tag = entity_tag(&detail).map_err(|error| error.to_string())?;
        let tag_header = tag.clone().try_into_value().map_err(|error| error.to_string())?;
        let detail = serde_json::to_vec(&detail).map_err(|error| error.to_string())?.into();
        Ok(Self { copy, view, detail, tag, tag_header })
    }

    /// Whether the caller already has this version, according to `If-None-Match`.
    pub(crate) fn is_known(&self, req: &HttpRequest) -> bool {
        if !req.headers().contains_key(IF_NONE_MATCH) {
            return false;
        }
        match IfNoneMatch::parse(req) {
            Ok(IfNoneMatch::Any) => true,
            Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(&self.tag)),
            Err(_) => false,
        }
    }
}

/// The tag of the content without `server_time`. It is weak, because `server_time` differs between answers
/// with the same tag.
fn entity_tag(detail: &EventDetail) -> serde_json::Result<EntityTag> {
    let timeless = EventDetail { server_time: Timestamp::from_millis(0), ..detail.clone() };
    Ok(EntityTag::new_weak(URL_SAFE_NO_PAD.encode(&Sha256::digest(serde_json::to_vec(&timeless)?)[..16])))
}
