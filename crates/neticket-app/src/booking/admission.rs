//! The first stage: one call to the ledger per event and batch. A request that is refused here causes no
//! query, unless it may be a repetition of an earlier request (see `refuse_unless_journaled`).

use std::collections::BTreeMap;
use std::sync::Arc;

use neticket_domain::{Epoch, EventId, ReservationId, SaleState};
use neticket_ledger::{AdmitAnswer, AdmitRequest, Ledger, Verdict};
use neticket_store::{CommitRequest, ReservationRecord, Store};

use super::loader::Loader;
use super::rejections::Rejections;
use super::request::{Admitted, BookingOutcome, BookingRequest};
use crate::clock::LedgerClock;
use crate::error::AppError;
use crate::events::EventCache;
use crate::metrics::Metrics;

/// How often a batch loads the ledger and is then offered to it, before its requests are answered with an
/// error that asks for a retry.
const ATTEMPTS_MAX: u32 = 5;

/// Asks the ledger to admit requests, and loads the ledger if it is missing or stale.
pub(crate) struct AdmissionStage {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) store: Store,
    pub(crate) loader: Arc<Loader>,
    pub(crate) event_cache: Arc<EventCache>,
    /// How long before its opening an event's ledger is loaded, in milliseconds.
    pub(crate) preload_lead_ms: i64,
    pub(crate) clock: Arc<LedgerClock>,
    pub(crate) rejections: Arc<Rejections>,
    pub(crate) metrics: Arc<Metrics>,
}

/// The result of offering the requests of one event to the ledger.
enum OfferOutcome {
    /// The admitted requests. The others have been answered.
    Admitted(Vec<Admitted>),
    /// The ledger has to be loaded first. Nothing has been answered or admitted.
    Unloaded(Vec<BookingRequest>),
}

impl AdmissionStage {
    /// Offers the requests of one event to the ledger, and loads the ledger if necessary. Returns the
    /// admitted requests. The others have been answered when this returns.
    pub(crate) async fn admit(&self, event: EventId, bookings: Vec<BookingRequest>) -> Vec<Admitted> {
        match self.offer(event, bookings).await {
            OfferOutcome::Admitted(admitted) => admitted,
            OfferOutcome::Unloaded(bookings) => self.load_and_offer(event, bookings).await,
        }
    }

    /// Offers the requests once.
    async fn offer(&self, event: EventId, bookings: Vec<BookingRequest>) -> OfferOutcome {
        let bookings = BookingRequest::drop_abandoned(bookings);
        if bookings.is_empty() {
            return OfferOutcome::Admitted(Vec::new());
        }
        let requests: Vec<AdmitRequest> = bookings.iter().map(|booking| booking.request).collect();
        let admit = self.ledger.admit(event, epoch_min(&bookings), &requests);
        match self.metrics.admit.timed(requests.len(), admit).await {
            Ok(AdmitAnswer::Verdicts { epoch, verdicts, .. }) => {
                OfferOutcome::Admitted(self.partition_by_verdict(event, epoch, bookings, verdicts).await)
            }
            Ok(AdmitAnswer::Absent | AdmitAnswer::Stale) => OfferOutcome::Unloaded(bookings),
            Err(error) => {
                tracing::warn!(%event, %error, bookings = bookings.len(), "the ledger failed to admit a batch");
                answer_all(bookings, &AppError::LedgerUnavailable(None));
                OfferOutcome::Admitted(Vec::new())
            }
        }
    }

    /// Loads the event's ledger and offers the requests to it. Repeats both until the ledger has processed
    /// the requests, at most [`ATTEMPTS_MAX`] times.
    async fn load_and_offer(&self, event: EventId, mut bookings: Vec<BookingRequest>) -> Vec<Admitted> {
        for _ in 0..ATTEMPTS_MAX {
            bookings = BookingRequest::drop_abandoned(bookings);
            match self.not_for_sale(event).await {
                Ok(None) => {}
                Ok(Some(refusal)) => bookings = self.refuse_unless_journaled(event, bookings, &refusal).await,
                Err(error) => return answer_failed_load(event, bookings, &error),
            }
            if bookings.is_empty() {
                return Vec::new();
            }
            if let Err(error) = self.loader.load(event, epoch_min(&bookings)).await {
                return answer_failed_load(event, bookings, &error);
            }
            match self.offer(event, bookings).await {
                OfferOutcome::Admitted(admitted) => return admitted,
                OfferOutcome::Unloaded(again) => bookings = again,
            }
        }
        tracing::warn!(%event, "the ledger was lost repeatedly while a batch waited for it");
        answer_all(bookings, &AppError::LedgerUnavailable(None));
        Vec::new()
    }

    /// The refusal of requests for an event that needs no ledger now: an event that opens in more than
    /// `preload_lead_ms`, has started, or is cancelled. A new request does not cause a load for such an
    /// event.
    async fn not_for_sale(&self, event: EventId) -> Result<Option<AppError>, AppError> {
        let call = self.loader.budget.calls.begin(event);
        let record = self.event_cache.event(event).await?;
        drop(call);
        let (now, window) = (self.clock.now(), record.window);
        if now >= record.starts_at || record.cancelled_at.is_some() {
            return Ok(Some(AppError::SaleClosed));
        }
        if window.at(now) == SaleState::NotOpen && window.opens_at.millis_since(now) > self.preload_lead_ms {
            return Ok(Some(AppError::SaleNotOpen { opens_at: window.opens_at, server_time: now }));
        }
        Ok(None)
    }

    /// Refuses the requests that cannot have been admitted before. Returns the requests that a journal may
    /// contain: requests that were already admitted, or that carry an idempotency key, while there is a
    /// ledger of an older epoch or of another server run. A load of that ledger carries its journal over. The
    /// caller therefore has to load the ledger and offer these requests to it.
    async fn refuse_unless_journaled(
        &self,
        event: EventId,
        bookings: Vec<BookingRequest>,
        refusal: &AppError,
    ) -> Vec<BookingRequest> {
        let (repeated, new): (Vec<BookingRequest>, Vec<BookingRequest>) =
            bookings.into_iter().partition(|booking| booking.has_idempotency_key || booking.last.is_some());
        answer_all(new, refusal);
        if repeated.is_empty() {
            return repeated;
        }
        match self.ledger.current_epoch(event).await {
            Ok(Epoch(0)) => {}
            Ok(_) => return repeated,
            Err(error) => {
                tracing::warn!(%event, %error, "cannot find out whether the ledger is loaded");
                answer_all(repeated, &AppError::LedgerUnavailable(None));
                return Vec::new();
            }
        }
        // There is no ledger, so there is no journal. The store is read after this check, so it has every
        // reservation that was committed from an earlier journal.
        for booking in &repeated {
            booking.slot.clear();
        }
        let _call = self.loader.budget.calls.begin(event);
        match stored(&self.store, repeated.iter().map(|booking| booking.request.id)).await {
            Ok(stored) => self.answer_or_refuse(repeated, &stored, refusal).await,
            Err(error) => answer_all(repeated, &error),
        }
        Vec::new()
    }

    /// Answers a request whose reservation is in the store with that reservation, and refuses the others.
    async fn answer_or_refuse(
        &self,
        bookings: Vec<BookingRequest>,
        stored: &BTreeMap<ReservationId, ReservationRecord>,
        refusal: &AppError,
    ) {
        let mut refused = Vec::new();
        for booking in bookings {
            match stored.get(&booking.request.id) {
                Some(record) => booking.answer(Ok(BookingOutcome::Existing(Box::new(record.clone())))),
                None => refused.push((booking, refusal.without_source())),
            }
        }
        self.refuse_all(refused).await;
    }

    /// Returns the admitted requests, and answers the others.
    async fn partition_by_verdict(
        &self,
        event: EventId,
        epoch: Epoch,
        bookings: Vec<BookingRequest>,
        verdicts: Vec<Verdict>,
    ) -> Vec<Admitted> {
        assert_eq!(bookings.len(), verdicts.len(), "the ledger answers each request");
        let mut admitted = Vec::with_capacity(bookings.len());
        let mut known = Vec::new();
        let mut refused = Vec::new();
        for (booking, verdict) in bookings.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Admitted(admission) => admitted.push(Admitted::new(booking, admission, epoch)),
                Verdict::Known => known.push(booking),
                Verdict::JournalFull => {
                    booking.slot.clear();
                    refused.push((booking, AppError::Overloaded));
                }
                verdict => refused.push((booking, self.refusal(verdict))),
            }
        }
        self.refuse_all(refused).await;
        if !known.is_empty() {
            // In a task of its own, so that the admitted requests do not wait for this read of the store.
            let (store, call) = (self.store.clone(), self.loader.budget.calls.begin(event));
            tokio::spawn(async move {
                answer_known(store, known).await;
                drop(call);
            });
        }
        admitted
    }

    /// Answers requests with refusals that are final. If the client may have been told that the booking is
    /// pending, the rejection is recorded in the store.
    pub(super) async fn refuse_all(&self, refused: Vec<(BookingRequest, AppError)>) {
        // The journal contains another booking with the same id. The store will decide that one, so nothing
        // is recorded under this id.
        let is_other = |refusal: &AppError| matches!(refusal, AppError::IdempotencyKeyReused);
        let unanswered: Vec<CommitRequest> = refused
            .into_iter()
            .filter_map(|(booking, refusal)| {
                let is_other = is_other(&refusal);
                booking.refuse(refusal).filter(|_| !is_other)
            })
            .collect();
        self.rejections.record_or_buffer(unanswered).await;
    }

    fn refusal(&self, verdict: Verdict) -> AppError {
        match verdict {
            Verdict::NotOpen { opens_at } => {
                AppError::SaleNotOpen { opens_at, server_time: self.clock.now() }
            }
            Verdict::Closed => AppError::SaleClosed,
            Verdict::Paused => AppError::SalePaused,
            Verdict::SoldOut { left } => AppError::SoldOut { left },
            Verdict::OverLimit { max_per_user, already_held } => {
                AppError::PurchaseLimitExceeded { max_per_user, already_held }
            }
            Verdict::Mismatch => AppError::IdempotencyKeyReused,
            Verdict::NoSuchTicketType => AppError::NotFound,
            Verdict::PriceChanged { unit_price } => AppError::PriceChanged { unit_price },
            Verdict::JournalFull | Verdict::Admitted(_) | Verdict::Known => {
                AppError::Internal("a verdict that is not a final refusal was handled as one".to_owned())
            }
        }
    }
}

/// Answers requests whose ids the ledger knows as committed. The store has their reservations.
async fn answer_known(store: Store, bookings: Vec<BookingRequest>) {
    match stored(&store, bookings.iter().map(|booking| booking.request.id)).await {
        Ok(stored) => {
            for booking in bookings {
                let id = booking.request.id;
                let outcome =
                    stored.get(&id).map(|record| BookingOutcome::Existing(Box::new(record.clone())));
                let missing = || AppError::Internal(format!("settled reservation {id} is not in the store"));
                booking.answer(outcome.ok_or_else(missing));
            }
        }
        Err(error) => answer_all(bookings, &error),
    }
}

async fn stored(
    store: &Store,
    ids: impl Iterator<Item = ReservationId>,
) -> Result<BTreeMap<ReservationId, ReservationRecord>, AppError> {
    let ids: Vec<ReservationId> = ids.collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let records = store.reservations(&ids).await?;
    Ok(records.into_iter().map(|record| (record.id, record)).collect())
}

fn epoch_min(bookings: &[BookingRequest]) -> Epoch {
    bookings.iter().map(|booking| booking.epoch_min).max().unwrap_or(Epoch(0))
}

/// Answers all requests with the error of a failed load. Returns no admitted request.
fn answer_failed_load(event: EventId, bookings: Vec<BookingRequest>, error: &AppError) -> Vec<Admitted> {
    if !error.is_refusal() {
        tracing::warn!(%event, error = %error.with_cause(), "a ledger could not be loaded");
    }
    answer_all(bookings, error);
    Vec::new()
}

/// Answers all requests with the same error.
fn answer_all(bookings: Vec<BookingRequest>, refusal: &AppError) {
    for booking in bookings {
        booking.answer(Err(refusal.without_source()));
    }
}
