//! Loading: the transaction that raises an event's epoch and reads everything from which a ledger is built.
//!
//! It reads every reservation that was committed before it. The guard refuses every commit of the old epoch
//! after it. There is no third case.

use neticket_domain::{Epoch, EventId, SaleWindow};
use sea_orm::{DbErr, EntityTrait};

use super::LoadedEvent;
use super::epoch::{lock_ticket_types, next_epoch, set_epoch};
use crate::entity::event;
use crate::reservations;
use crate::{Store, StoreError, convert};

impl Store {
    /// Raises the event's epoch and reads the event as of that moment. `None` if there is no such event. The
    /// new epoch is above those of all its ticket types and above `epoch_floor`, the highest epoch that a
    /// ledger is known to have had. After a restored backup, the ledger's epoch is higher than the store's.
    ///
    /// # Errors
    /// [`StoreError`]. The epoch may have been raised all the same. That only costs a second load.
    pub async fn epoch_raise_and_load(
        &self,
        id: EventId,
        epoch_floor: Epoch,
    ) -> Result<Option<LoadedEvent>, StoreError> {
        self.with_retries("loading an event", || self.load(id, epoch_floor)).await
    }

    async fn load(&self, id: EventId, epoch_floor: Epoch) -> Result<Option<LoadedEvent>, DbErr> {
        let transaction = self.begin().await?;
        let (epoch_max, ticket_types) = lock_ticket_types(&transaction, id).await?;
        let epoch = next_epoch(epoch_max.max(epoch_floor))?;
        set_epoch(&transaction, id, epoch).await?;
        let Some(event) = event::Entity::find_by_id(id.0).one(&transaction).await? else {
            transaction.rollback().await?;
            return Ok(None);
        };
        let ids: Vec<_> = ticket_types.iter().map(|found| found.id).collect();
        let reservations = reservations::held(&transaction, &ids).await?;
        transaction.commit().await?;
        Ok(Some(LoadedEvent {
            event: id,
            epoch,
            window: SaleWindow {
                opens_at: convert::moment(event.opens_at),
                closes_at: convert::moment(event.closes_at),
            },
            window_since: event.window_since.map(convert::moment),
            // If the sale was paused before `paused_at` existed, the beginning of the pause is unknown, and 0
            // stands for it.
            paused_at: event.paused.then(|| convert::moment(event.paused_at.unwrap_or(0))),
            cancelled: event.cancelled_at.is_some(),
            max_per_user: convert::from_column(event.max_per_user)?,
            ticket_types,
            reservations,
        }))
    }
}
