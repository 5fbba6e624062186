//! A moment, in milliseconds since 1970-01-01T00:00:00Z. On the wire it is RFC 3339 in UTC.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment in UTC with millisecond precision, in the years 0 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

const MILLIS_MIN: i64 = -62_167_219_200_000;
const MILLIS_MAX: i64 = 253_402_300_799_999;

impl Timestamp {
    /// Builds a moment from milliseconds since the Unix epoch. Values outside the years 0 to 9999 become the
    /// nearest moment inside.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(MILLIS_MIN, MILLIS_MAX))
    }

    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// The moment `millis` milliseconds later, or earlier if `millis` is negative.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// The milliseconds from `earlier` to this moment. Negative if this moment is the earlier one.
    pub fn millis_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// Parses an RFC 3339 date and time with any offset.
    ///
    /// # Errors
    /// If `text` is not such a moment. The error is a message that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let moment = DateTime::parse_from_rfc3339(text)
            .map_err(|_| "must be an RFC 3339 date and time, like 2026-12-24T10:00:00Z".to_owned())?;
        let millis = moment.timestamp_millis();
        if (MILLIS_MIN..=MILLIS_MAX).contains(&millis) {
            Ok(Self(millis))
        } else {
            Err("must be a date between the years 0 and 9999".to_owned())
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = DateTime::<Utc>::from_timestamp_millis(self.0).ok_or(fmt::Error)?;
        let precision =
            if self.0.rem_euclid(1000) == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
        f.write_str(&moment.to_rfc3339_opts(precision, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_reads_any_offset_and_writes_utc() {
        let moment = Timestamp::parse("2026-12-24T19:00:00+09:00").unwrap();
        assert_eq!(moment.to_string(), "2026-12-24T10:00:00Z");
        assert_eq!(moment.plus_millis(5).to_string(), "2026-12-24T10:00:00.005Z");
    }

    #[test]
    fn an_invalid_timestamp_is_refused() {
        for text in ["", "2026-12-24", "2026-12-24T10:00:00", "2026-13-01T00:00:00Z", "tomorrow"] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_timestamp_out_of_range_is_clamped() {
        assert_eq!(Timestamp::from_millis(i64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Timestamp::from_millis(i64::MIN).to_string(), "0000-01-01T00:00:00Z");
    }
}
