//! How much work waits in this node.

use crate::booking::{BookingService, CancelService};

/// Number of bookings and cancels that wait in this node's queues.
pub(crate) fn in_flight(booking_service: &BookingService, cancel_service: &CancelService) -> u64 {
    let (admit, commit) = booking_service.queue_lens();
    u64::try_from(admit.saturating_add(commit).saturating_add(cancel_service.queue_len())).unwrap_or(u64::MAX)
}
