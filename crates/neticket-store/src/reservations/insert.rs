//! The `INSERT` of reservations, as text that contains the values.
//!
//! With parameters, each of a batch's thousands of values is boxed, typed, sent and unpacked separately, and
//! each number of rows is another statement to prepare. Literals cost a fraction of that
//! (docs/decisions/0012). The text contains only numbers, ids and the words of [`ReservationStatus`], and no
//! characters that anybody outside has chosen.

use std::fmt::Write as _;

use neticket_domain::Timestamp;
use sea_orm::prelude::Uuid;
use sea_orm::{ConnectionTrait, DbErr};

use super::{CommitRequest, ROWS_MAX, ReservationStatus};
use crate::convert;
use crate::transaction::DatabaseTransaction;

const INSERT: &str = "INSERT INTO reservations \
     (id, user_id, event_id, ticket_type_id, quantity, unit_price, created_at, status, cancelled_at) VALUES ";
/// The capacity that is reserved per row, in bytes. Most rows are shorter.
const ROW_LEN: usize = 128;

/// Inserts `requests` with this status, in the order of their ids. Two batches that contain the same ids can
/// therefore not wait for each other's rows, and neighbouring rows are written together.
pub(super) async fn insert(
    transaction: &DatabaseTransaction,
    mut requests: Vec<&CommitRequest>,
    status: ReservationStatus,
    cancelled_at: Option<Timestamp>,
) -> Result<(), DbErr> {
    requests.sort_unstable_by_key(|request| request.id);
    for rows in requests.chunks(ROWS_MAX) {
        transaction.execute_unprepared(&statement(rows, status, cancelled_at)?).await?;
    }
    Ok(())
}

fn statement(
    rows: &[&CommitRequest],
    status: ReservationStatus,
    cancelled_at: Option<Timestamp>,
) -> Result<String, DbErr> {
    let cancelled_at = cancelled_at.map_or_else(|| "NULL".to_owned(), |at| at.as_millis().to_string());
    let end = format!(",'{}',{cancelled_at})", status.as_str());
    let mut sql = String::with_capacity(INSERT.len() + rows.len() * ROW_LEN);
    sql.push_str(INSERT);
    for (at, row) in rows.iter().enumerate() {
        sql.push_str(if at == 0 { "(x'" } else { ",(x'" });
        sql.push_str(row.id.0.simple().encode_lower(&mut Uuid::encode_buffer()));
        sql.push('\'');
        let numbers = [
            row.user.0,
            row.event.0,
            row.ticket_type.0,
            i64::from(row.quantity.get()),
            convert::to_column(row.unit_price)?,
            row.created_at.as_millis(),
        ];
        for number in numbers {
            write!(sql, ",{number}").map_err(|error| DbErr::Type(error.to_string()))?;
        }
        sql.push_str(&end);
    }
    Ok(sql)
}

#[cfg(test)]
mod tests {
    use neticket_domain::{Epoch, EventId, Quantity, ReservationId, TicketTypeId, UserId};

    use super::*;

    #[test]
    fn rows_are_written_as_hex_and_numbers() {
        let row = CommitRequest {
            id: ReservationId(Uuid::from_u128(0xab)),
            user: UserId(i64::MIN),
            event: EventId(2),
            ticket_type: TicketTypeId(3),
            quantity: Quantity::new(4).unwrap(),
            unit_price: 5,
            epoch: Epoch(6),
            created_at: Timestamp::from_millis(-7),
        };
        let other = CommitRequest { id: ReservationId(Uuid::max()), ..row };
        let confirmed = statement(&[&row, &other], ReservationStatus::Confirmed, None).unwrap();
        let expected = "(x'000000000000000000000000000000ab',-9223372036854775808,2,3,4,5,-7,'confirmed',NULL),\
             (x'ffffffffffffffffffffffffffffffff',-9223372036854775808,2,3,4,5,-7,'confirmed',NULL)";
        assert_eq!(confirmed, format!("{INSERT}{expected}"));
        let now = Timestamp::from_millis(8);
        let rejected = statement(&[&row], ReservationStatus::Rejected, Some(now)).unwrap();
        assert!(rejected.ends_with("-7,'rejected',8)"), "{rejected}");
        let dear = CommitRequest { unit_price: u64::MAX, ..row };
        assert!(statement(&[&dear], ReservationStatus::Confirmed, None).is_err());
    }
}
