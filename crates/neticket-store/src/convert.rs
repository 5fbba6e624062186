//! Between the columns' `i64` and the types of the domain. A value that does not fit is an error, never a guess.

use neticket_domain::{Quantity, Timestamp};
use sea_orm::DbErr;

/// `value` as a column holds it.
pub(crate) fn to_column<T: TryInto<i64>>(value: T) -> Result<i64, DbErr> {
    value.try_into().map_err(|_| DbErr::Type("a number is too large for its column".to_owned()))
}

/// A column's number as what the domain calls for.
pub(crate) fn from_column<T: TryFrom<i64>>(value: i64) -> Result<T, DbErr> {
    T::try_from(value).map_err(|_| DbErr::Type(format!("{value} is out of range")))
}

pub(crate) fn quantity(value: i64) -> Result<Quantity, DbErr> {
    let tickets: u32 = from_column(value)?;
    Quantity::new(tickets).ok_or_else(|| DbErr::Type(format!("{value} is not a quantity")))
}

pub(crate) fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// How many rows come before page `page` (from 1; 0 is taken for 1) of `size`.
pub(crate) fn offset(page: u32, size: u32) -> u64 {
    limit(u64::from(page.saturating_sub(1)) * u64::from(size))
}

/// `rows` as far as a database can count.
pub(crate) fn limit(rows: u64) -> u64 {
    rows.min(i64::MAX.unsigned_abs())
}
