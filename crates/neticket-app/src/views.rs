//! What use cases return.

use neticket_domain::{EventId, EventStatus, Quantity, ReservationId, Role, TicketTypeId, Timestamp, UserId};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Who sent a request, as the access token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Principal {
    pub user: UserId,
    pub role: Role,
    /// The family of refresh tokens that the access token belongs to.
    pub session: Uuid,
}

/// An account, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: UserId,
    pub email: String,
    pub nickname: String,
    pub role: Role,
}

/// A session that was just started or continued.
#[derive(Clone)]
pub struct Session {
    pub access_token: String,
    /// Seconds until the access token ends.
    pub access_token_s: u64,
    /// The secret for the cookie; used once.
    pub refresh_token: String,
    /// Seconds until the refresh token ends.
    pub refresh_token_s: u64,
    pub account: Account,
}

/// An action of an administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditView {
    pub id: i64,
    pub at: Timestamp,
    /// `None` if the command line did it.
    pub actor: Option<AuditActorView>,
    pub action: String,
    pub target: String,
    pub detail: String,
    pub before: Option<serde_json::Value>,
    pub after: Option<serde_json::Value>,
    /// The IP address from which it was done. `None` if the command line did it.
    pub ip: Option<String>,
}

/// The administrator who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditActorView {
    pub id: UserId,
    /// `None` if the account no longer exists.
    pub nickname: Option<String>,
}

/// Which events to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct EventSearch {
    pub query: String,
    pub status: Option<EventStatus>,
    pub include_past: bool,
    /// Counted from 1.
    pub page: u32,
    pub size: u32,
}

/// An event in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSummaryView {
    pub id: EventId,
    pub title: String,
    pub place: String,
    pub starts_at: Timestamp,
    pub opens_at: Timestamp,
    pub closes_at: Timestamp,
    pub status: EventStatus,
    pub price_from: u64,
    pub image_url: Option<String>,
}

/// An event with its ticket types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventView {
    pub summary: EventSummaryView,
    pub description: String,
    pub max_per_user: u32,
    pub image_key: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub cancelled_at: Option<Timestamp>,
    /// Grows by one with every edit.
    pub version: i64,
    /// In the order that the administrator gave them.
    pub ticket_types: Vec<TicketTypeView>,
}

/// A ticket type, with the seats left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketTypeView {
    pub id: TicketTypeId,
    pub name: String,
    pub price: u64,
    pub capacity: u32,
    pub left: u32,
}

/// One page of a list, and the number of all items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageView<T> {
    pub items: Vec<T>,
    pub total_items: u64,
}

/// Where a reservation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReservationState {
    Pending,
    Confirmed,
    /// It was pending, and the store refused it.
    Rejected,
    Cancelled {
        at: Timestamp,
    },
}

/// One reservation, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservationView {
    pub id: ReservationId,
    pub state: ReservationState,
    pub event_id: EventId,
    pub event_title: String,
    pub event_place: String,
    pub event_starts_at: Timestamp,
    pub event_image_url: Option<String>,
    pub event_cancelled: bool,
    pub ticket_type: TicketTypeId,
    pub ticket_type_name: String,
    pub quantity: u32,
    pub unit_price: u64,
    pub created_at: Timestamp,
    pub cancellable: bool,
}

/// What a user asks to book.
#[derive(Clone, Debug)]
pub struct NewReservation {
    pub ticket_type: TicketTypeId,
    pub quantity: Quantity,
    /// The price of one ticket that the person has seen, in KRW. If the ledger has another price, the booking
    /// is refused. `None` accepts any price.
    pub unit_price: Option<u64>,
    /// Cancelled when the client has disconnected. If that happens before the ledger is asked, no seats are
    /// taken.
    pub disconnected: CancellationToken,
}

/// The result of a booking request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    pub reservation: ReservationView,
    /// Whether the key had been used for this same booking before.
    pub replayed: bool,
}

/// A new event, as an administrator describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventDraft {
    pub title: String,
    pub place: String,
    pub description: String,
    pub starts_at: Timestamp,
    pub opens_at: Timestamp,
    /// `starts_at` if absent.
    pub closes_at: Option<Timestamp>,
    /// [`neticket_domain::MAX_PER_USER_DEFAULT`] if absent.
    pub max_per_user: Option<u32>,
    pub image_key: Option<String>,
    pub ticket_types: Vec<TicketTypeDraft>,
}

/// The versions that the caller is willing to change. If the version is another one, somebody else has made
/// an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    Any,
    OneOf(Vec<i64>),
}

impl Expected {
    pub(crate) fn allows(&self, version: i64) -> bool {
        self.versions().is_none_or(|versions| versions.contains(&version))
    }

    /// `None` stands for any version.
    pub(crate) fn versions(&self) -> Option<&[i64]> {
        match self {
            Self::Any => None,
            Self::OneOf(versions) => Some(versions),
        }
    }
}

/// A change of an event. What is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventChange {
    pub title: Option<String>,
    pub place: Option<String>,
    pub description: Option<String>,
    pub starts_at: Option<Timestamp>,
    pub opens_at: Option<Timestamp>,
    pub closes_at: Option<Timestamp>,
    pub max_per_user: Option<u32>,
    /// `Some(None)` removes the image.
    pub image_key: Option<Option<String>>,
    /// All ticket types as they shall be, in the order in which they are shown.
    pub ticket_types: Option<Vec<TicketTypeChange>>,
}

/// A ticket type as it shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketTypeChange {
    /// `None` for a new one.
    pub id: Option<TicketTypeId>,
    pub name: String,
    pub price: u64,
    pub capacity: u32,
}

/// A ticket type of a new event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketTypeDraft {
    pub name: String,
    pub price: u64,
    pub capacity: u32,
}

/// An image that was just uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageView {
    /// The name that events use for it.
    pub key: String,
    pub url: String,
    /// Of the full size, in pixels.
    pub width: u32,
    pub height: u32,
    /// Of the full size.
    pub bytes: u64,
}
