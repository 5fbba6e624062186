//! Conversions between the `i64` of the columns and the types of the domain. A value that does not fit is an
//! error.

use neticket_domain::{Quantity, Timestamp};
use sea_orm::DbErr;

/// Converts `value` to the number that a column holds.
pub(crate) fn to_column<T: TryInto<i64>>(value: T) -> Result<i64, DbErr> {
    value.try_into().map_err(|_| DbErr::Type("a number is too large for its column".to_owned()))
}

/// Converts the number in a column to a type of the domain.
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

/// The number of rows before page `page` (from 1; 0 counts as 1) of `size` rows.
pub(crate) fn offset(page: u32, size: u32) -> u64 {
    limit(u64::from(page.saturating_sub(1)) * u64::from(size))
}

/// `rows`, but at most `i64::MAX`, because databases count with `i64`.
pub(crate) fn limit(rows: u64) -> u64 {
    rows.min(i64::MAX.unsigned_abs())
}
