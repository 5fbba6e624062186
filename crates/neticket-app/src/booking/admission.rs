//! The first stage: one call to the ledger per event and batch. A request that is refused here causes no
//! query, unless it may be a repetition of an earlier request (see `refuse_unless_journaled`).

use std::collections::BTreeMap;
use std::sync::Arc;

use neticket_domain::{Epoch, EventId, ReservationId, SaleState};
use neticket_ledger::{AdmitAnswer, AdmitRequest, Ledger, LoadStart, Verdict};
use neticket_store::{CommitRequest, ReservationRecord, Store};

use super::wish::{Admitted, Done, Wish};
use crate::catalog::Catalog;
use crate::clock::LedgerClock;
use crate::error::AppError;
use crate::loader::Loader;
use crate::metrics::Metrics;
use crate::rejections::Rejections;

/// How often a batch loads the ledger and is then offered to it, before its requests are answered with an
/// error that asks for a retry.
const ATTEMPTS_MAX: u32 = 5;

/// Asks the ledger to admit requests, and loads the ledger if it is missing or stale.
pub(crate) struct Admission {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) store: Store,
    pub(crate) loader: Arc<Loader>,
    pub(crate) catalog: Arc<Catalog>,
    /// How long before its opening an event's ledger is loaded, in milliseconds.
    pub(crate) preload_lead_ms: i64,
    pub(crate) clock: Arc<LedgerClock>,
    pub(crate) rejections: Arc<Rejections>,
    pub(crate) metrics: Arc<Metrics>,
}

/// The result of offering the requests of one event to the ledger.
enum Offered {
    /// The admitted requests. The others have been answered.
    Admitted(Vec<Admitted>),
    /// The ledger has to be loaded first. Nothing has been answered or admitted.
    Unloaded(Vec<Wish>),
}

impl Admission {
    /// Offers the requests of one event to the ledger, and loads the ledger if necessary. Returns the
    /// admitted requests. The others have been answered when this returns.
    pub(crate) async fn admit(&self, event: EventId, wishes: Vec<Wish>) -> Vec<Admitted> {
        match self.offer(event, wishes).await {
            Offered::Admitted(admitted) => admitted,
            Offered::Unloaded(wishes) => self.load_and_offer(event, wishes).await,
        }
    }

    /// Offers the requests once.
    async fn offer(&self, event: EventId, wishes: Vec<Wish>) -> Offered {
        let wishes = Wish::still_wanted(wishes);
        if wishes.is_empty() {
            return Offered::Admitted(Vec::new());
        }
        let requests: Vec<AdmitRequest> = wishes.iter().map(|wish| wish.request).collect();
        let admit = self.ledger.admit(event, epoch_min(&wishes), &requests);
        match self.metrics.admit.timed(requests.len(), admit).await {
            Ok(AdmitAnswer::Verdicts { epoch, verdicts, .. }) => {
                Offered::Admitted(self.sort(event, epoch, wishes, verdicts).await)
            }
            Ok(AdmitAnswer::Absent | AdmitAnswer::Stale) => Offered::Unloaded(wishes),
            Err(error) => {
                tracing::warn!(%event, %error, wishes = wishes.len(), "the ledger did not admit a batch");
                answer_all(wishes, &AppError::LedgerUnavailable(None));
                Offered::Admitted(Vec::new())
            }
        }
    }

    /// Loads the event's ledger and offers the requests to it. Repeats both until the ledger has processed
    /// the requests, at most [`ATTEMPTS_MAX`] times.
    async fn load_and_offer(&self, event: EventId, mut wishes: Vec<Wish>) -> Vec<Admitted> {
        for _ in 0..ATTEMPTS_MAX {
            wishes = Wish::still_wanted(wishes);
            match self.not_for_sale(event).await {
                Ok(None) => {}
                Ok(Some(refusal)) => wishes = self.refuse_unless_journaled(event, wishes, &refusal).await,
                Err(error) => return fail(event, wishes, &error),
            }
            if wishes.is_empty() {
                return Vec::new();
            }
            if let Err(error) = self.loader.load(event, epoch_min(&wishes)).await {
                return fail(event, wishes, &error);
            }
            match self.offer(event, wishes).await {
                Offered::Admitted(admitted) => return admitted,
                Offered::Unloaded(again) => wishes = again,
            }
        }
        tracing::warn!(%event, "a ledger was lost again and again while a batch waited for it");
        answer_all(wishes, &AppError::LedgerUnavailable(None));
        Vec::new()
    }

    /// The refusal of requests for an event that needs no ledger now: an event that opens in more than
    /// `preload_lead_ms`, has started, or is cancelled. A new request does not cause a load for such an
    /// event.
    async fn not_for_sale(&self, event: EventId) -> Result<Option<AppError>, AppError> {
        let call = self.loader.turns.calls.begin(event);
        let record = self.catalog.event(event).await?;
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
        wishes: Vec<Wish>,
        refusal: &AppError,
    ) -> Vec<Wish> {
        let (repeated, new): (Vec<Wish>, Vec<Wish>) =
            wishes.into_iter().partition(|wish| wish.keyed || wish.last.is_some());
        answer_all(new, refusal);
        if repeated.is_empty() {
            return repeated;
        }
        match self.ledger.begin_load(event).await {
            Ok(LoadStart { floor: Epoch(0), .. }) => {}
            Ok(_) => return repeated,
            Err(error) => {
                tracing::warn!(%event, %error, "the ledger did not say whether it is there");
                answer_all(repeated, &AppError::LedgerUnavailable(None));
                return Vec::new();
            }
        }
        // There is no ledger, so there is no journal. The store is read after this check, so it has every
        // reservation that was committed from an earlier journal.
        for wish in &repeated {
            wish.taking.clear();
        }
        let _call = self.loader.turns.calls.begin(event);
        match stored(&self.store, repeated.iter().map(|wish| wish.request.id)).await {
            Ok(stored) => self.answer_or_refuse(repeated, &stored, refusal).await,
            Err(error) => answer_all(repeated, &error),
        }
        Vec::new()
    }

    /// Answers a request whose reservation is in the store with that reservation, and refuses the others.
    async fn answer_or_refuse(
        &self,
        wishes: Vec<Wish>,
        stored: &BTreeMap<ReservationId, ReservationRecord>,
        refusal: &AppError,
    ) {
        let mut refused = Vec::new();
        for wish in wishes {
            match stored.get(&wish.request.id) {
                Some(record) => wish.answer(Ok(Done::Existing(Box::new(record.clone())))),
                None => refused.push((wish, refusal.again())),
            }
        }
        self.refuse_all(refused).await;
    }

    /// Returns the admitted requests, and answers the others.
    async fn sort(
        &self,
        event: EventId,
        epoch: Epoch,
        wishes: Vec<Wish>,
        verdicts: Vec<Verdict>,
    ) -> Vec<Admitted> {
        assert_eq!(wishes.len(), verdicts.len(), "the ledger answers each request");
        let mut admitted = Vec::with_capacity(wishes.len());
        let mut known = Vec::new();
        let mut refused = Vec::new();
        for (wish, verdict) in wishes.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Admitted(admission) => admitted.push(Admitted::new(wish, admission, epoch)),
                Verdict::Known => known.push(wish),
                Verdict::JournalFull => {
                    wish.taking.clear();
                    refused.push((wish, AppError::Overloaded));
                }
                verdict => refused.push((wish, self.refusal(verdict))),
            }
        }
        self.refuse_all(refused).await;
        if !known.is_empty() {
            // In a task of its own, so that the admitted requests do not wait for this read of the store.
            let (store, call) = (self.store.clone(), self.loader.turns.calls.begin(event));
            tokio::spawn(async move {
                answer_known(store, known).await;
                drop(call);
            });
        }
        admitted
    }

    /// Answers requests with refusals that are final. If the client may have been told that the booking is
    /// pending, the rejection is recorded in the store.
    pub(super) async fn refuse_all(&self, refused: Vec<(Wish, AppError)>) {
        // The journal contains another booking with the same id. The store will decide that one, so nothing
        // is recorded under this id.
        let is_other = |refusal: &AppError| matches!(refusal, AppError::IdempotencyKeyReused);
        let unheard: Vec<CommitRequest> = refused
            .into_iter()
            .filter_map(|(wish, refusal)| {
                let is_other = is_other(&refusal);
                wish.refuse(refusal).filter(|_| !is_other)
            })
            .collect();
        self.rejections.write_now_or_later(unheard).await;
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
            Verdict::JournalFull | Verdict::Admitted(_) | Verdict::Known => AppError::Internal(
                "a verdict that refuses nothing for good was taken for a refusal".to_owned(),
            ),
        }
    }
}

/// Answers requests whose ids the ledger knows as committed. The store has their reservations.
async fn answer_known(store: Store, wishes: Vec<Wish>) {
    match stored(&store, wishes.iter().map(|wish| wish.request.id)).await {
        Ok(stored) => {
            for wish in wishes {
                let id = wish.request.id;
                let outcome = stored.get(&id).map(|record| Done::Existing(Box::new(record.clone())));
                let missing = || AppError::Internal(format!("settled reservation {id} is not in the store"));
                wish.answer(outcome.ok_or_else(missing));
            }
        }
        Err(error) => answer_all(wishes, &error),
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

fn epoch_min(wishes: &[Wish]) -> Epoch {
    wishes.iter().map(|wish| wish.epoch_min).max().unwrap_or(Epoch(0))
}

/// Answers all requests with the error of a failed load. Returns no admitted request.
fn fail(event: EventId, wishes: Vec<Wish>, error: &AppError) -> Vec<Admitted> {
    if !error.is_refusal() {
        tracing::warn!(%event, error = %error.with_cause(), "a ledger could not be loaded");
    }
    answer_all(wishes, error);
    Vec::new()
}

/// Answers all requests with the same error.
fn answer_all(wishes: Vec<Wish>, refusal: &AppError) {
    for wish in wishes {
        wish.answer(Err(refusal.again()));
    }
}
