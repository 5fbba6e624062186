//! The inventory: the ledger of each event next to the store, and the actions that change a ledger.

use actix_web::HttpResponse;
use actix_web::http::header::{ETag, EntityTag};
use actix_web::web::{Data, Json, Path};
use neticket_app::{InventoryView, Reconcile};
use neticket_contract::{
    InventoryEntry, InventoryLedger, InventoryListQuery, InventoryTicketType, Page, ReconcileQuery,
    Reconciliation, SeatChange,
};
use neticket_domain::EventId;

use crate::error::ApiError;
use crate::extract::caller::{Admin, ClientAddress};
use crate::extract::if_match::StrongTags;
use crate::extract::query::ValidQuery;
use crate::state::State;
use crate::wire;

/// List the inventory
///
/// All events with their ledgers next to the store, in the order of the administrators' list of events.
/// `drifted` searches only the first 1,000 loaded ledgers.
#[utoipa::path(get, path = "/api/v1/admin/inventory", tag = "Administration", security(("access" = [])),
    params(InventoryListQuery), responses(
    (status = 200, description = "A page of events. The values of one event come from one inspection.", body = Page<InventoryEntry>),
))]
pub(crate) async fn inventory_list(
    state: Data<State>,
    _user: Admin,
    query: ValidQuery<InventoryListQuery>,
) -> Result<Json<Page<InventoryEntry>>, ApiError> {
    let InventoryListQuery { q, drifted, page, size } = query.0;
    let views = state.app.inventory_page(&q.unwrap_or_default(), drifted, page, size).await?;
    Ok(Json(wire::page(views, page, size, inventory_entry)))
}

/// Load the ledger of an event
///
/// Builds the event's ledger anew from the store, also if it is loaded already. Bookings in progress are
/// carried over and wait only for a moment.
#[utoipa::path(post, path = "/api/v1/admin/inventory/{event_id}/load", tag = "Administration",
    security(("access" = [])), params(("event_id" = i64, Path, description = "The event.")), responses(
    (status = 200, description = "The event after the action.", body = InventoryEntry),
))]
pub(crate) async fn inventory_load(
    state: Data<State>,
    user: Admin,
    client_ip: ClientAddress,
    event_id: Path<i64>,
) -> Result<Json<InventoryEntry>, ApiError> {
    let event = EventId(event_id.into_inner());
    let view = state.app.ledger_load(user.0, Some(client_ip.0.to_string()), event).await?;
    Ok(Json(inventory_entry(view)))
}

/// Evict the ledger of an event
///
/// Removes the event's ledger if it has no booking in progress. If the event is on sale, its ledger is loaded
/// again within a moment.
#[utoipa::path(post, path = "/api/v1/admin/inventory/{event_id}/evict", tag = "Administration",
    security(("access" = [])), params(("event_id" = i64, Path, description = "The event.")), responses(
    (status = 200, description = "The event after the action. Its ledger is evicted, or has already been loaded again.",
        body = InventoryEntry),
))]
pub(crate) async fn inventory_evict(
    state: Data<State>,
    user: Admin,
    client_ip: ClientAddress,
    event_id: Path<i64>,
) -> Result<Json<InventoryEntry>, ApiError> {
    let event = EventId(event_id.into_inner());
    let view = state.app.ledger_evict(user.0, Some(client_ip.0.to_string()), event).await?;
    Ok(Json(inventory_entry(view)))
}

/// Pause the sale of an event
///
/// The pause holds even if the answer is `ledger_unavailable`. Bookings that were admitted before the pause
/// are decided as if there were no pause.
#[utoipa::path(post, path = "/api/v1/admin/inventory/{event_id}/pause", tag = "Administration",
    security(("access" = [])), params(("event_id" = i64, Path, description = "The event.")), responses(
    (status = 200, description = "The event after the action.", body = InventoryEntry),
))]
pub(crate) async fn inventory_pause(
    state: Data<State>,
    user: Admin,
    client_ip: ClientAddress,
    event_id: Path<i64>,
) -> Result<Json<InventoryEntry>, ApiError> {
    let event = EventId(event_id.into_inner());
    let view = state.app.sale_pause(user.0, Some(client_ip.0.to_string()), event, true).await?;
    Ok(Json(inventory_entry(view)))
}

/// Resume the sale of an event
#[utoipa::path(post, path = "/api/v1/admin/inventory/{event_id}/resume", tag = "Administration",
    security(("access" = [])), params(("event_id" = i64, Path, description = "The event.")), responses(
    (status = 200, description = "The event after the action.", body = InventoryEntry),
))]
pub(crate) async fn inventory_resume(
    state: Data<State>,
    user: Admin,
    client_ip: ClientAddress,
    event_id: Path<i64>,
) -> Result<Json<InventoryEntry>, ApiError> {
    let event = EventId(event_id.into_inner());
    let view = state.app.sale_pause(user.0, Some(client_ip.0.to_string()), event, false).await?;
    Ok(Json(inventory_entry(view)))
}

/// Compare the ledger with the store
///
/// A dry run only reports the differences. Without a dry run, a difference is repaired by loading the ledger
/// anew. With the `ETag` of a dry run in `If-Match`, it is repaired only if it is still exactly the
/// difference that the dry run reported.
#[utoipa::path(post, path = "/api/v1/admin/inventory/{event_id}/reconcile", tag = "Administration",
    security(("access" = [])),
    params(("event_id" = i64, Path, description = "The event."), ReconcileQuery,
        ("If-Match" = Option<String>, Header, description = "The `ETag` of a dry run.")),
    responses(
    (status = 200, description = "The differences, and whether they were repaired.", body = Reconciliation,
        headers(("ETag" = String, description = "The tag of the differences."))),
))]
pub(crate) async fn inventory_reconcile(
    state: Data<State>,
    user: Admin,
    client_ip: ClientAddress,
    event_id: Path<i64>,
    query: ValidQuery<ReconcileQuery>,
    if_match: StrongTags,
) -> Result<HttpResponse, ApiError> {
    let event = EventId(event_id.into_inner());
    let wanted = match if_match.0 {
        _ if query.0.dry_run => Reconcile::DryRun,
        None => Reconcile::Apply,
        Some(fingerprints) => Reconcile::ApplyOnly(fingerprints),
    };
    let reconciled =
        state.app.ledger_reconcile(user.0, Some(client_ip.0.to_string()), event, &wanted).await?;
    let tag = EntityTag::new_strong(reconciled.fingerprint.clone());
    Ok(HttpResponse::Ok().insert_header(ETag(tag)).json(reconciliation(reconciled)))
}

fn inventory_entry(view: InventoryView) -> InventoryEntry {
    InventoryEntry {
        event_id: view.event.0,
        title: view.title,
        status: view.status,
        ledger: InventoryLedger {
            loaded: view.epoch.is_some(),
            paused: view.paused,
            epoch: view.epoch.map(|epoch| epoch.0),
            pending: view.journal_len,
        },
        ticket_types: view
            .ticket_types
            .into_iter()
            .map(|ticket_type| InventoryTicketType {
                id: ticket_type.id.0,
                name: ticket_type.name,
                capacity: ticket_type.capacity,
                store_left: ticket_type.store_left,
                ledger_left: ticket_type.ledger_left,
                drift: ticket_type.drift,
            })
            .collect(),
    }
}

fn reconciliation(reconciled: neticket_app::Reconciliation) -> Reconciliation {
    let change = |change: neticket_app::SeatChange| SeatChange {
        ticket_type_id: change.ticket_type.0,
        from: change.from,
        to: change.to,
    };
    Reconciliation {
        applied: reconciled.applied,
        changes: reconciled.changes.into_iter().map(change).collect(),
    }
}
