//! Which images events use.

use std::collections::BTreeSet;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::entity::event;
use crate::{Store, StoreError};

impl Store {
    /// Those of `keys` (at most a few thousand) that any event uses, past and cancelled events included.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn images_used(&self, keys: &[String]) -> Result<BTreeSet<String>, StoreError> {
        if keys.is_empty() {
            return Ok(BTreeSet::new());
        }
        self.with_retries("listing the images that events use", || async move {
            let named: Vec<String> = event::Entity::find()
                .select_only()
                .column(event::Column::ImageKey)
                .distinct()
                .filter(event::Column::ImageKey.is_in(keys))
                .into_tuple()
                .all(self.reader())
                .await?;
            Ok(named.into_iter().collect())
        })
        .await
    }
}
