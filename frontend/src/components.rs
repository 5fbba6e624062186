//! Components that several pages use.

mod booking_panel;
mod cancel_dialog;
mod countdown;
mod event_card;
mod field;
mod footer;
mod header;
mod icon;
mod notice;
mod pagination;
mod poster;
mod search;
mod stage_notice;
mod status;
mod ticket_type_picker;

pub(crate) use booking_panel::BookingPanel;
pub(crate) use cancel_dialog::CancelDialog;
pub(crate) use countdown::{Countdown, SpokenCountdown};
pub(crate) use event_card::{EventCard, EventCardSkeleton};
pub(crate) use field::{Field, FieldState, checks, refuse_fields, reveal_and_focus};
pub(crate) use footer::Footer;
pub(crate) use header::Header;
pub(crate) use icon::{Glyph, Icon};
pub(crate) use notice::{Failure, FormError, Notice};
pub(crate) use pagination::Pagination;
pub(crate) use poster::Poster;
pub(crate) use search::Search;
pub(crate) use status::{ReservationBadge, StatusBadge};
