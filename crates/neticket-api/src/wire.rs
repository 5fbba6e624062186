//! Converts the views of the application to the types of the contract.

use neticket_app::{
    Account, AuditView, EventChange, EventDraft, EventSummaryView, EventView, ImageView, PageView,
    ReservationState, ReservationView, Session, TicketTypeChange, TicketTypeDraft,
};
use neticket_contract::{
    AdminEvent, AuditActor, AuditEntry, Availability, CURRENCY, EventCreateRequest, EventDetail,
    EventSummary, EventUpdateRequest, Page, Reservation, ReservationEvent, ReservationStatus,
    ReservationTicketType, TicketType, TicketTypeLeft, Token, UploadedImage, User,
};
use neticket_domain::{TicketTypeId, Timestamp};

pub(crate) fn user(account: Account) -> User {
    User { id: account.id.0, email: account.email, nickname: account.nickname, role: account.role }
}

pub(crate) fn token(session: Session) -> Token {
    Token {
        access_token: session.access_token,
        token_type: "Bearer".to_owned(),
        expires_in: session.access_token_s,
        user: user(session.account),
    }
}

pub(crate) fn page<V, T>(view: PageView<V>, page: u32, size: u32, item: impl Fn(V) -> T) -> Page<T> {
    Page::new(view.items.into_iter().map(item).collect(), page, size, view.total_items)
}

pub(crate) fn event_summary(view: EventSummaryView) -> EventSummary {
    EventSummary {
        id: view.id.0,
        title: view.title,
        place: view.place,
        starts_at: view.starts_at,
        opens_at: view.opens_at,
        closes_at: view.closes_at,
        status: view.status,
        price_from: view.price_from,
        currency: CURRENCY.to_owned(),
        image_url: view.image_url,
    }
}

pub(crate) fn event_detail(view: EventView, server_time: Timestamp) -> EventDetail {
    let ticket_type = |view: neticket_app::TicketTypeView| TicketType {
        id: view.id.0,
        name: view.name,
        price: view.price,
        capacity: view.capacity,
        left: view.left,
    };
    EventDetail {
        summary: event_summary(view.summary),
        description: view.description,
        max_per_user: view.max_per_user,
        revision: Some(view.version),
        server_time,
        ticket_types: view.ticket_types.into_iter().map(ticket_type).collect(),
    }
}

pub(crate) fn availability(view: &EventView, server_time: Timestamp) -> Availability {
    Availability {
        event_id: view.summary.id.0,
        status: view.summary.status,
        server_time,
        revision: Some(view.version),
        ticket_types: view
            .ticket_types
            .iter()
            .map(|ticket_type| TicketTypeLeft { id: ticket_type.id.0, left: ticket_type.left })
            .collect(),
    }
}

pub(crate) fn admin_event(mut view: EventView, server_time: Timestamp) -> AdminEvent {
    let image_key = view.image_key.take();
    let (created_at, updated_at, cancelled_at) = (view.created_at, view.updated_at, view.cancelled_at);
    AdminEvent { detail: event_detail(view, server_time), image_key, created_at, updated_at, cancelled_at }
}

pub(crate) fn uploaded_image(view: ImageView) -> UploadedImage {
    let ImageView { key, url, width, height, bytes } = view;
    UploadedImage { key, url, width, height, bytes }
}

pub(crate) fn event_draft(request: EventCreateRequest) -> EventDraft {
    let ticket_type = |request: neticket_contract::TicketTypeCreateRequest| TicketTypeDraft {
        name: request.name,
        price: request.price,
        capacity: request.capacity,
    };
    EventDraft {
        title: request.title,
        place: request.place,
        description: request.description,
        starts_at: request.starts_at,
        opens_at: request.opens_at,
        closes_at: request.closes_at,
        max_per_user: request.max_per_user,
        image_key: request.image_key,
        ticket_types: request.ticket_types.into_iter().map(ticket_type).collect(),
    }
}

pub(crate) fn event_change(request: EventUpdateRequest) -> EventChange {
    let ticket_type = |request: neticket_contract::TicketTypeUpdateRequest| TicketTypeChange {
        id: request.id.map(TicketTypeId),
        name: request.name,
        price: request.price,
        capacity: request.capacity,
    };
    EventChange {
        title: request.title,
        place: request.place,
        description: request.description,
        starts_at: request.starts_at,
        opens_at: request.opens_at,
        closes_at: request.closes_at,
        max_per_user: request.max_per_user,
        image_key: request.image_key,
        ticket_types: request
            .ticket_types
            .map(|ticket_types| ticket_types.into_iter().map(ticket_type).collect()),
    }
}

pub(crate) fn audit_entry(view: AuditView) -> AuditEntry {
    AuditEntry {
        id: view.id,
        at: view.at,
        actor: view.actor.map(|actor| AuditActor { id: actor.id.0, nickname: actor.nickname }),
        action: view.action,
        target: view.target,
        detail: view.detail,
        before: view.before,
        after: view.after,
        ip: view.ip,
    }
}

pub(crate) fn reservation(view: ReservationView) -> Reservation {
    let (status, cancelled_at) = match view.state {
        ReservationState::Pending => (ReservationStatus::Pending, None),
        ReservationState::Confirmed => (ReservationStatus::Confirmed, None),
        ReservationState::Rejected => (ReservationStatus::Rejected, None),
        ReservationState::Cancelled { at } => (ReservationStatus::Cancelled, Some(at)),
    };
    Reservation {
        id: view.id.0,
        status,
        event: ReservationEvent {
            id: view.event_id.0,
            title: view.event_title,
            place: view.event_place,
            starts_at: view.event_starts_at,
            image_url: view.event_image_url,
            cancelled: view.event_cancelled,
        },
        ticket_type: ReservationTicketType { id: view.ticket_type.0, name: view.ticket_type_name },
        quantity: view.quantity,
        unit_price: view.unit_price,
        total_price: view.unit_price * u64::from(view.quantity),
        currency: CURRENCY.to_owned(),
        created_at: view.created_at,
        cancelled_at,
        cancellable: view.cancellable,
    }
}
