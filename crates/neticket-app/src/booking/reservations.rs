//! Booking, reading one's reservations, and cancelling them.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use neticket_domain::{EventId, ReservationId, SaleState, TicketTypeId, UserId, cancellable};
use neticket_ledger::{Admission, AdmitRequest, JournalEntry};
use neticket_store::{ReservationRecord, ReservationStatus};
use uuid::Uuid;

use super::request::{BookingOutcome, is_same_booking};
use super::service::{BookingAnswer, NewBooking};
use crate::App;
use crate::error::AppError;
use crate::events::{JournalState, Names};
use crate::views::{Booked, NewReservation, PageView, ReservationState, ReservationView};

/// The context in which keys are hashed. If it changed, old keys would stand for new reservations.
const ID_CONTEXT: &str = "NETicket 2026-11 reservation id from user and idempotency key";

impl App {
    /// Books tickets for `user`.
    ///
    /// Returns when the reservation is in the store, or when it is certain that the store will decide it
    /// (`Pending`). The same `key` always stands for the same reservation, on every node. The price that a
    /// repeat names does not matter.
    ///
    /// # Errors
    /// No seats were taken, and none will be, except after `Overloaded`, `LedgerUnavailable`,
    /// `StoreUnavailable` and `Internal`. After these the outcome is not known, and the caller may repeat the
    /// call with the same key.
    ///
    /// A refusal of a repeat only says what holds at that moment. If the outcome of an earlier call with the
    /// same key was not known, that call may still be decided within `ack_deadline_ms`, if seats become free
    /// until then.
    pub async fn reservation_create(
        &self,
        user: UserId,
        key: Option<&str>,
        wanted: NewReservation,
    ) -> Result<Booked, AppError> {
        let started = Instant::now();
        let disconnected = wanted.disconnected.clone();
        let outcome = self.book(user, key, wanted).await;
        if disconnected.is_cancelled() && matches!(outcome, Err(AppError::Overloaded)) {
            self.metrics.disconnected();
        } else {
            self.metrics.booked(&outcome);
        }
        if let Ok(Booked { reservation, replayed: false }) = &outcome {
            self.stats.booked(started.elapsed(), reservation.state == ReservationState::Confirmed);
        }
        outcome
    }

    async fn book(
        &self,
        user: UserId,
        key: Option<&str>,
        wanted: NewReservation,
    ) -> Result<Booked, AppError> {
        let NewReservation { ticket_type, quantity, unit_price, disconnected } = wanted;
        let deadline = Instant::now() + Duration::from_millis(self.config().engine.ack_deadline_ms);
        // Read before any seats are taken: after the `COMMIT` the answer must not fail because a name is
        // missing.
        let names = self.names_by_deadline(ticket_type, deadline).await?;
        let event = names.event().id;
        let id = key.map_or_else(
            || ReservationId(uuid::Builder::from_random_bytes(rand::random()).into_uuid()),
            |key| reservation_id(user, key),
        );
        let request = AdmitRequest { id, user, ticket_type, quantity, unit_price };
        let booking =
            NewBooking { event, request, has_idempotency_key: key.is_some(), deadline, disconnected };
        match self.booking_service.book(booking).await? {
            BookingAnswer::Decided(BookingOutcome::Existing(record)) => {
                if !is_same_booking(&record, event, &request) {
                    return Err(AppError::IdempotencyKeyReused);
                }
                if record.status == ReservationStatus::Rejected {
                    return Err(self.rejection_reason(event).await);
                }
                Ok(Booked { reservation: self.reservation_view(*record), replayed: true })
            }
            BookingAnswer::Decided(BookingOutcome::Confirmed { unit_price, created_at, repeated }) => {
                let mut reservation = self.reservation_of(&names, request);
                reservation.unit_price = unit_price;
                reservation.created_at = created_at;
                Ok(Booked { reservation, replayed: repeated })
            }
            BookingAnswer::Pending(admission) => {
                let reservation = self.pending_of(&names, request, admission);
                Ok(Booked { reservation, replayed: false })
            }
        }
    }

    /// The event and the ticket type to be booked, or `StoreUnavailable` at the deadline.
    async fn names_by_deadline(
        &self,
        ticket_type: TicketTypeId,
        deadline: Instant,
    ) -> Result<Names, AppError> {
        let event_cache = Arc::clone(&self.event_cache);
        let mut read = Box::pin(async move {
            let event = event_cache.event_of_ticket_type(ticket_type).await?;
            event_cache.names(event, ticket_type).await
        });
        if let Poll::Ready(names) = futures::poll!(&mut read) {
            return names; // from the cache, as nearly always
        }
        // In its own task, because a call to the store that is dropped half-way costs its connection.
        match tokio::time::timeout_at(deadline.into(), tokio::spawn(read)).await {
            Ok(Ok(names)) => names,
            Ok(Err(error)) => Err(AppError::Internal(error.to_string())),
            Err(_) => Err(AppError::StoreUnavailable(None)),
        }
    }

    /// The answer for a booking that was rejected: the state of its event, or else that it was sold out.
    async fn rejection_reason(&self, event: EventId) -> AppError {
        // Not from the cache: most likely an edit caused the rejection, and the cache may not have it yet.
        let Ok(Some(event)) = self.store.event(event).await else { return AppError::SoldOut { left: 0 } };
        let now = self.now();
        match event.window.at(now) {
            _ if event.cancelled_at.is_some() => AppError::SaleClosed,
            // `SaleNotOpen` would be wrong: this key stays refused after the opening.
            SaleState::Closed | SaleState::NotOpen => AppError::SaleClosed,
            SaleState::Open if event.paused => AppError::SalePaused,
            SaleState::Open => AppError::SoldOut { left: 0 },
        }
    }

    /// One reservation of `user`'s.
    ///
    /// # Errors
    /// `NotFound`, also for another user's reservation; `StoreUnavailable`, also while this node holds a
    /// rejection of it that the store has not accepted yet; `LedgerUnavailable`, also while a journal that
    /// may contain it cannot be read.
    pub async fn reservation(&self, user: UserId, id: ReservationId) -> Result<ReservationView, AppError> {
        if let Some(reservation) = self.reservation_stored(user, id).await? {
            return Ok(reservation);
        }
        let pending = self.reservation_pending(user, id).await;
        if let Ok(Some(reservation)) = pending {
            return Ok(reservation);
        }
        // It may have moved from the journal to the store between the two reads.
        if let Some(reservation) = self.reservation_stored(user, id).await? {
            return Ok(reservation);
        }
        pending?;
        Err(if self.rejections.is_unwritten(user, id) {
            AppError::StoreUnavailable(None)
        } else {
            AppError::NotFound
        })
    }

    async fn reservation_stored(
        &self,
        user: UserId,
        id: ReservationId,
    ) -> Result<Option<ReservationView>, AppError> {
        let record = self.store.reservation(id).await?.filter(|record| record.user == user);
        Ok(record.map(|record| self.reservation_view(record)))
    }

    /// `user`'s reservations: first the pending ones, then those in the store, each newest first. The pending
    /// ones are left out while the ledger does not answer, or is not loaded again after a restart of its
    /// server: the decided ones are worth showing without them.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn reservations_page(
        &self,
        user: UserId,
        page: u32,
        size: u32,
    ) -> Result<PageView<ReservationView>, AppError> {
        let pending = match self.reservations_pending(user).await {
            Ok(pending) => pending,
            Err(AppError::LedgerUnavailable(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        if pending.is_empty() {
            let (records, total_items) = self.store.reservations_of(user, page, size).await?;
            let items = records.into_iter().map(|record| self.reservation_view(record)).collect();
            return Ok(PageView { items, total_items });
        }
        let skipped = u64::from(page.saturating_sub(1)) * u64::from(size);
        let pending_len = u64::try_from(pending.len()).unwrap_or(u64::MAX);
        let (records, stored_len) =
            self.reservations_after(user, skipped.saturating_sub(pending_len), size).await?;
        let mut items: Vec<ReservationView> =
            pending.into_iter().skip(usize::try_from(skipped).unwrap_or(usize::MAX)).collect();
        // Committed after the journal was read: the store decides.
        items.retain(|item| records.iter().all(|record| record.id != item.id));
        items.extend(records.into_iter().map(|record| self.reservation_view(record)));
        items.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        Ok(PageView { items, total_items: pending_len + stored_len })
    }

    /// `size` reservations from the store, without the newest `skipped`, and the number of all.
    async fn reservations_after(
        &self,
        user: UserId,
        skipped: u64,
        size: u32,
    ) -> Result<(Vec<ReservationRecord>, u64), AppError> {
        let size = size.max(1);
        let page = u32::try_from(skipped / u64::from(size)).unwrap_or(u32::MAX - 2) + 1;
        let within = usize::try_from(skipped % u64::from(size)).unwrap_or(0);
        let (mut records, total) = self.store.reservations_of(user, page, size).await?;
        if within > 0 {
            records.drain(..within.min(records.len()));
            records
                .extend(self.store.reservations_of(user, page + 1, size).await?.0.into_iter().take(within));
        }
        Ok((records, total))
    }

    /// `user`'s reservations that the ledger has admitted and the store does not have yet, newest first.
    async fn reservations_pending(&self, user: UserId) -> Result<Vec<ReservationView>, AppError> {
        let mut entries: Vec<(EventId, JournalEntry)> = Vec::new();
        for event in &self.event_cache.events_pending().await?.events {
            let of_event = self.ledger.pending_of(*event, user).await?;
            entries.extend(of_event.into_iter().map(|entry| (*event, entry)));
        }
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<ReservationId> = entries.iter().map(|(_, entry)| entry.request.id).collect();
        // Committed and not settled yet.
        let stored: BTreeSet<ReservationId> =
            self.store.reservations(&ids).await?.into_iter().map(|record| record.id).collect();
        entries.retain(|(_, entry)| !stored.contains(&entry.request.id));
        entries.sort_unstable_by_key(|(_, entry)| (Reverse(entry.admission.admitted_at), entry.request.id));
        // A key that was used for two events may be in two journals. Only one of them will be confirmed.
        let mut listed = BTreeSet::new();
        entries.retain(|(_, entry)| listed.insert(entry.request.id));
        let mut pending = Vec::with_capacity(entries.len());
        for (event, entry) in entries {
            match self.pending_view(event, entry).await {
                Ok(view) => pending.push(view),
                // The ticket type is gone: the store will refuse the entry, and the others are worth showing.
                Err(AppError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(pending)
    }

    /// Cancels `user`'s reservation. Idempotent: a cancelled reservation gets the same answer again.
    ///
    /// # Errors
    /// `NotFound`, also for another user's reservation; `NotCancellable` after the event has started;
    /// `StoreUnavailable` and `Overloaded`: the caller should repeat it.
    pub async fn reservation_cancel(
        &self,
        user: UserId,
        id: ReservationId,
    ) -> Result<ReservationView, AppError> {
        Ok(self.reservation_view(self.cancel_service.cancel(user, id).await?))
    }

    /// Looks for a reservation that the ledger has admitted and the store has not committed yet, in the
    /// journals that have entries.
    ///
    /// # Errors
    /// `LedgerUnavailable`, also if it is not found and some journal cannot be read.
    async fn reservation_pending(
        &self,
        user: UserId,
        id: ReservationId,
    ) -> Result<Option<ReservationView>, AppError> {
        let found = self.event_cache.events_pending().await?;
        let mut is_incomplete = found.is_incomplete;
        for event in &found.events {
            let Some(entry) = self.ledger.journal_entry(*event, id).await? else {
                // The server may have been restarted after this journal was seen to have entries.
                is_incomplete |= self.event_cache.journal_state(*event).await? == JournalState::Unknown;
                continue;
            };
            if entry.request.user != user {
                return Ok(None);
            }
            return self.pending_view(*event, entry).await.map(Some);
        }
        if is_incomplete { Err(AppError::LedgerUnavailable(None)) } else { Ok(None) }
    }

    async fn pending_view(&self, event: EventId, entry: JournalEntry) -> Result<ReservationView, AppError> {
        let names = self.event_cache.names(event, entry.request.ticket_type).await?;
        Ok(self.pending_of(&names, entry.request, entry.admission))
    }

    fn pending_of(&self, names: &Names, request: AdmitRequest, admission: Admission) -> ReservationView {
        let mut reservation = self.reservation_of(names, request);
        reservation.state = ReservationState::Pending;
        reservation.cancellable = false;
        reservation.unit_price = admission.unit_price;
        reservation.created_at = admission.admitted_at;
        reservation
    }

    /// A reservation before it is read back from the store: confirmed, now, at the present price.
    fn reservation_of(&self, names: &Names, request: AdmitRequest) -> ReservationView {
        let (event, ticket_type, now) = (names.event(), names.ticket_type(), self.now());
        ReservationView {
            id: request.id,
            state: ReservationState::Confirmed,
            event_id: EventId(event.id.0),
            event_title: event.title.clone(),
            event_place: event.place.clone(),
            event_starts_at: event.starts_at,
            event_image_url: self.card_url(event.image_key.as_deref()),
            event_cancelled: event.cancelled_at.is_some(),
            ticket_type: ticket_type.id,
            ticket_type_name: ticket_type.name.clone(),
            quantity: request.quantity.get(),
            unit_price: ticket_type.price,
            created_at: now,
            cancellable: event.cancelled_at.is_none() && cancellable(event.starts_at, now),
        }
    }

    fn reservation_view(&self, record: ReservationRecord) -> ReservationView {
        let state = match (record.status, record.cancelled_at) {
            (ReservationStatus::Rejected, _) => ReservationState::Rejected,
            (_, Some(at)) => ReservationState::Cancelled { at },
            (_, None) => ReservationState::Confirmed,
        };
        ReservationView {
            id: record.id,
            state,
            event_id: record.event,
            event_title: record.event_title,
            event_place: record.event_place,
            event_starts_at: record.event_starts_at,
            event_image_url: self.card_url(record.event_image_key.as_deref()),
            event_cancelled: record.event_cancelled,
            ticket_type: record.ticket_type,
            ticket_type_name: record.ticket_type_name,
            quantity: record.quantity.get(),
            unit_price: record.unit_price,
            created_at: record.created_at,
            cancellable: state == ReservationState::Confirmed
                && !record.event_cancelled
                && cancellable(record.event_starts_at, self.now()),
        }
    }
}

/// The reservation that this user's key stands for, on every node and forever.
pub fn reservation_id(user: UserId, key: &str) -> ReservationId {
    let mut hasher = blake3::Hasher::new_derive_key(ID_CONTEXT);
    hasher.update(&user.0.to_be_bytes());
    hasher.update(key.as_bytes());
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    ReservationId(Uuid::new_v8(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_user_and_key_always_give_the_same_reservation_id() {
        let id = reservation_id(UserId(1), "a");
        assert_eq!(id.to_string(), reservation_id(UserId(1), "a").to_string());
        assert_ne!(id, reservation_id(UserId(2), "a"));
        assert_ne!(id, reservation_id(UserId(1), "b"));
        assert_eq!(id.0.get_version_num(), 8);
    }
}
