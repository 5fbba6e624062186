//! The identity of this database: a random id that a migration has created. Every dump and replica contains
//! it.

use sea_orm::{DbErr, EntityTrait};
use uuid::Uuid;

use crate::entity::database_identity;
use crate::{Store, StoreError};

impl Store {
    /// The id of the database. It differs from that of every database that was not made from a copy of this
    /// one.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Internal`] if the schema is older or the row was deleted.
    pub async fn database_id(&self) -> Result<Uuid, StoreError> {
        self.with_retries("reading the database's identity", || async {
            let found = database_identity::Entity::find().one(self.reader()).await?;
            let missing = || DbErr::RecordNotFound("the table database_identity has no row".to_owned());
            found.map(|row| row.uuid).ok_or_else(missing)
        })
        .await
    }
}
