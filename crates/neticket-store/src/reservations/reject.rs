//! Rejecting: recording for good that an admitted reservation was refused, so that its id can never be
//! confirmed later.

use std::collections::BTreeMap;

use neticket_domain::{ReservationId, Timestamp};
use sea_orm::DbErr;

use super::commit_slow_path::{self, RACES_MAX, lost_races};
use super::insert::insert;
use super::{CommitRequest, ReservationStatus};
use crate::error::is_duplicate;
use crate::{Store, StoreError};

impl Store {
    /// Records as rejected, at `now`, those of `requests` whose ids are not in the store. A rejected
    /// reservation takes no seats and does not count towards a limit. A commit of its id answers that it
    /// exists. Reservations that are in the store already stay unchanged. A request that could never be
    /// confirmed is ignored: its user does not exist, or its event has no such ticket type. Safe to repeat.
    ///
    /// Returns how many it has recorded.
    ///
    /// # Errors
    /// [`StoreError`]. Either all were recorded or none. After [`StoreError::Internal`] none was.
    pub async fn reject(&self, requests: &[CommitRequest], now: Timestamp) -> Result<u64, StoreError> {
        if requests.is_empty() {
            return Ok(0);
        }
        for _ in 0..RACES_MAX {
            let recorded = self
                .with_retries_after_loss("rejecting a batch", || self.reject_batch(requests, now))
                .await?;
            if let Some(recorded) = recorded {
                return Ok(recorded);
            }
        }
        Err(lost_races())
    }

    /// Returns how many it has recorded, or `None` if it changed nothing because one of the ids turned out to
    /// exist.
    async fn reject_batch(&self, requests: &[CommitRequest], now: Timestamp) -> Result<Option<u64>, DbErr> {
        let transaction = self.begin().await?;
        let state = commit_slow_path::lock_and_read(&transaction, requests).await?;
        let mut rejected: BTreeMap<ReservationId, &CommitRequest> = BTreeMap::new();
        for request in requests.iter().filter(|request| state.may_be_written(request)) {
            rejected.entry(request.id).or_insert(request);
        }
        let requests: Vec<_> = rejected.into_values().collect();
        let recorded = u64::try_from(requests.len()).unwrap_or(u64::MAX);
        match insert(&transaction, requests, ReservationStatus::Rejected, Some(now)).await {
            Ok(()) => transaction.commit().await.map(|()| Some(recorded)),
            Err(error) if is_duplicate(&error) => transaction.rollback().await.map(|()| None),
            Err(error) => Err(error),
        }
    }
}
