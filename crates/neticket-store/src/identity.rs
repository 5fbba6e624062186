//! Which database this is: a random id that a migration has made, and that goes with every dump and replica.

use sea_orm::{DbErr, EntityTrait};
use uuid::Uuid;

use crate::entity::database_identity;
use crate::{Store, StoreError};

impl Store {
    /// The id of the database. It tells this database from every other one that was not made from a copy of
    /// it.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Internal`] if the schema is older, or somebody has deleted the row.
    pub async fn database_id(&self) -> Result<Uuid, StoreError> {
        self.attempt("reading the database's identity", || async {
            let found = database_identity::Entity::find().one(self.reader()).await?;
            let missing = || DbErr::RecordNotFound("the table database_identity has no row".to_owned());
            found.map(|row| row.uuid).ok_or_else(missing)
        })
        .await
    }
}
