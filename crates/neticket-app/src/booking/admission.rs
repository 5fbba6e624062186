//! The first stage: one call to the ledger per event and batch; who is refused here never costs the store anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use neticket_domain::{Epoch, EventId, SaleState};
use neticket_ledger::{AdmitAnswer, AdmitRequest, Ledger, Verdict};
use neticket_store::Store;

use super::wish::{Admitted, Done, Wish};
use crate::catalog::Catalog;
use crate::clock::LedgerClock;
use crate::error::AppError;
use crate::loader::{Loader, Need};

/// How often a batch is offered again after a load, before its people are told to come back.
const ATTEMPTS_MAX: u32 = 5;

/// Asks the ledger, and loads it where it is missing or stale.
pub(crate) struct Admission {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) store: Store,
    pub(crate) loader: Arc<Loader>,
    pub(crate) catalog: Arc<Catalog>,
    /// How long before its opening an event's ledger is loaded, in milliseconds.
    pub(crate) preload_lead_ms: i64,
    pub(crate) clock: Arc<LedgerClock>,
}

impl Admission {
    /// Offers `wishes` to the ledger, event by event, all events at once. Answers those that go no further.
    pub(crate) async fn admit(&self, wishes: Vec<Wish>) -> Vec<Admitted> {
        let mut by_event: BTreeMap<EventId, Vec<Wish>> = BTreeMap::new();
        for wish in wishes {
            by_event.entry(wish.event).or_default().push(wish);
        }
        let events = by_event.into_iter().map(|(event, wishes)| self.admit_event(event, wishes));
        futures::future::join_all(events).await.into_iter().flatten().collect()
    }

    async fn admit_event(&self, event: EventId, wishes: Vec<Wish>) -> Vec<Admitted> {
        let epoch_min = wishes.iter().map(|wish| wish.epoch_min).max().unwrap_or(Epoch(0));
        let requests: Vec<AdmitRequest> = wishes.iter().map(|wish| wish.request).collect();
        for _ in 0..ATTEMPTS_MAX {
            match self.ledger.admit(event, epoch_min, &requests).await {
                Ok(AdmitAnswer::Verdicts { epoch, verdicts, .. }) => {
                    return self.sort(epoch, wishes, verdicts).await;
                }
                Ok(AdmitAnswer::Absent | AdmitAnswer::Stale) => {
                    if let Err(refusal) = self.load(event, epoch_min).await {
                        if !refusal.is_refusal() {
                            tracing::warn!(%event, error = %refusal.with_cause(), "a ledger could not be loaded");
                        }
                        self.refuse(wishes, &refusal).await;
                        return Vec::new();
                    }
                }
                Err(error) => {
                    tracing::warn!(%event, %error, wishes = wishes.len(), "the ledger did not admit a batch");
                    self.refuse(wishes, &AppError::LedgerUnavailable(None)).await;
                    return Vec::new();
                }
            }
        }
        tracing::warn!(%event, "a ledger was lost again and again while a batch waited for it");
        self.refuse(wishes, &AppError::LedgerUnavailable(None)).await;
        Vec::new()
    }

    async fn load(&self, event: EventId, epoch_min: Epoch) -> Result<(), AppError> {
        self.refuse_if_not_for_sale(event).await?;
        self.loader.load(event, Need::AtLeast(epoch_min)).await
    }

    /// Long before the opening and after the start there need be no ledger, and none is made for a mere wish.
    async fn refuse_if_not_for_sale(&self, event: EventId) -> Result<(), AppError> {
        let record = self.catalog.event(event).await?;
        let (now, window) = (self.clock.now(), record.window);
        if now >= record.starts_at {
            return Err(AppError::SaleClosed);
        }
        if window.at(now) == SaleState::NotOpen && window.opens_at.millis_since(now) > self.preload_lead_ms {
            return Err(AppError::SaleNotOpen { opens_at: window.opens_at, server_time: now });
        }
        Ok(())
    }

    /// Keeps the admitted, answers the others.
    async fn sort(&self, epoch: Epoch, wishes: Vec<Wish>, verdicts: Vec<Verdict>) -> Vec<Admitted> {
        let mut admitted = Vec::with_capacity(wishes.len());
        let mut known = Vec::new();
        for (wish, verdict) in wishes.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Admitted(admission) => admitted.push(Admitted::new(wish, admission, epoch)),
                Verdict::Known => known.push(wish),
                refused => {
                    let refusal = self.refusal(refused);
                    wish.answer(Err(refusal));
                }
            }
        }
        futures::future::join_all(known.into_iter().map(|wish| self.answer_known(wish))).await;
        admitted
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
            Verdict::JournalFull => AppError::Overloaded,
            Verdict::Admitted(_) | Verdict::Known => {
                AppError::Internal("an admitted wish was refused".to_owned())
            }
        }
    }

    /// The ledger has seen this id committed: the store knows what became of it.
    async fn answer_known(&self, wish: Wish) {
        let outcome = match self.store.reservation(wish.request.id).await {
            Ok(Some(record)) => Ok(Done::Existing(Box::new(record))),
            Ok(None) => Err(AppError::Internal(format!(
                "settled reservation {} is not in the store",
                wish.request.id
            ))),
            Err(error) => Err(error.into()),
        };
        wish.answer(outcome);
    }

    /// Refuses all; but whoever repeats a booking that the store has gets that booking.
    async fn refuse(&self, wishes: Vec<Wish>, refusal: &AppError) {
        let asks_store = matches!(refusal, AppError::SaleClosed | AppError::SaleNotOpen { .. });
        for wish in wishes {
            if asks_store && let Ok(Some(record)) = self.store.reservation(wish.request.id).await {
                wish.answer(Ok(Done::Existing(Box::new(record))));
            } else {
                wish.answer(Err(refusal.again()));
            }
        }
    }
}
