//! When to retry. Nothing here waits or sends: it only decides.

use neticket_contract::{FieldProblem, ProblemCode};

use crate::api::ApiError;

/// How long a booking is retried after the press, in milliseconds. After that the page says that the outcome
/// is unknown.
pub(crate) const GIVE_UP_AFTER_MS: i64 = 120_000;
/// A refusal because the sale is not open is retried if the sale opens within this many milliseconds.
/// Otherwise the page shows the countdown again.
const OPENS_SOON_MS: i64 = 3_000;
/// The waits without a `Retry-After`, in milliseconds: the base, which doubles with each try, and the
/// longest.
const BACKOFF_FIRST_MS: i64 = 500;
const BACKOFF_MAX_MS: i64 = 8_000;
/// After `internal` the outcome is open. The client gives up if `internal` answers this try or a later one.
const INTERNAL_TRIES: u32 = 3;

/// Why a person has to wait longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitReason {
    /// Nothing is wrong: this is the first try, or the sale is about to open.
    Nothing,
    /// The server answers that it is overloaded.
    Busy,
    /// The server does not answer, or cannot book now.
    Unreachable,
    /// The browser has no network.
    Offline,
}

impl WaitReason {
    pub(crate) fn of(error: &ApiError, online: bool) -> Self {
        match error.code() {
            Some(ProblemCode::Overloaded | ProblemCode::RateLimited) => Self::Busy,
            Some(ProblemCode::SaleNotOpen) => Self::Nothing,
            None if !online => Self::Offline,
            _ => Self::Unreachable,
        }
    }
}

/// What to do after an answer that is not a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Retry with the same key after this many milliseconds.
    Wait(i64),
    /// The answer is final: nothing was booked.
    Refused,
    /// The time for retries is over, and the outcome is unknown.
    GiveUp,
}

/// Decides after try number `tries` (from 1) failed with `error`, `elapsed_ms` after the press. `jitter` is a
/// random number in 0..1000. It spreads the retries of clients that were refused at the same moment.
pub(crate) fn next(error: &ApiError, tries: u32, elapsed_ms: i64, jitter: i64) -> Next {
    let wait = match error {
        ApiError::Refused { problem, .. } if problem.code == ProblemCode::SaleNotOpen => {
            let (Some(opens_at), Some(now)) = (problem.opens_at, problem.server_time) else {
                return Next::Refused;
            };
            match opens_at.millis_since(now) {
                left if left <= OPENS_SOON_MS => left.max(0) + jitter / 10,
                _ => return Next::Refused,
            }
        }
        ApiError::Refused { problem, .. } if problem.code == ProblemCode::Internal => {
            if tries >= INTERNAL_TRIES {
                return Next::GiveUp;
            }
            backoff(tries, jitter)
        }
        ApiError::Refused { retry_after_s: Some(seconds), .. } if error.passing() => {
            let advised_ms = i64::from(*seconds) * 1_000;
            // Never earlier than the server said. The jitter adds up to a quarter of that time, or up to half
            // a second if that is more.
            advised_ms + (advised_ms / 4).max(500) * jitter / 1_000
        }
        error if error.passing() => backoff(tries, jitter),
        ApiError::Refused { .. } | ApiError::OtherUser => return Next::Refused,
        ApiError::Lost | ApiError::Unreadable(_) => return Next::GiveUp,
    };
    if elapsed_ms + wait > GIVE_UP_AFTER_MS { Next::GiveUp } else { Next::Wait(wait) }
}

/// Whether a node refuses a request only for its price, because the node is older than that field. Such nodes
/// run during an upgrade.
pub(crate) fn is_price_unknown(error: &ApiError) -> bool {
    error.problem().is_some_and(|problem| {
        let is_price = |field: &FieldProblem| field.field == "unit_price" && field.code == "unknown_field";
        problem.code == ProblemCode::ValidationFailed
            && !problem.errors.is_empty()
            && problem.errors.iter().all(is_price)
    })
}

/// A wait in milliseconds that doubles with each try, up to `BACKOFF_MAX_MS`. Its lower half is fixed, its
/// upper half is random. After the first try it is 500 to 1000 ms.
fn backoff(tries: u32, jitter: i64) -> i64 {
    let full = (BACKOFF_FIRST_MS << tries.min(10)).min(BACKOFF_MAX_MS);
    full / 2 + full / 2 * jitter / 1_000
}

#[cfg(test)]
mod tests {
    use neticket_contract::Problem;
    use neticket_domain::Timestamp;

    use super::*;

    fn refused(code: ProblemCode, retry_after_s: Option<u32>) -> ApiError {
        ApiError::Refused { problem: Box::new(Problem::new(code, "", "")), retry_after_s }
    }

    #[test]
    fn a_retry_waits_at_least_for_the_retry_after_time() {
        for jitter in [0, 500, 999] {
            let Next::Wait(wait) = next(&refused(ProblemCode::Overloaded, Some(4)), 1, 0, jitter) else {
                panic!("must wait")
            };
            assert!((4_000..=5_000).contains(&wait), "{wait}");
        }
    }

    #[test]
    fn all_temporary_errors_are_retried() {
        for error in [
            refused(ProblemCode::Overloaded, None),
            refused(ProblemCode::LedgerUnavailable, None),
            refused(ProblemCode::StoreUnavailable, None),
            refused(ProblemCode::RateLimited, None),
            ApiError::Lost,
            ApiError::Unreadable(502),
        ] {
            assert!(matches!(next(&error, 1, 0, 500), Next::Wait(_)), "{error:?}");
        }
    }

    #[test]
    fn only_an_overloaded_server_is_shown_as_busy() {
        assert_eq!(WaitReason::of(&refused(ProblemCode::Overloaded, None), true), WaitReason::Busy);
        assert_eq!(WaitReason::of(&refused(ProblemCode::RateLimited, None), true), WaitReason::Busy);
        assert_eq!(
            WaitReason::of(&refused(ProblemCode::LedgerUnavailable, None), true),
            WaitReason::Unreachable
        );
        assert_eq!(WaitReason::of(&ApiError::Lost, true), WaitReason::Unreachable);
        assert_eq!(WaitReason::of(&ApiError::Lost, false), WaitReason::Offline);
    }

    #[test]
    fn a_booking_of_another_user_is_refused() {
        assert_eq!(next(&ApiError::OtherUser, 1, 0, 0), Next::Refused);
    }

    #[test]
    fn a_final_answer_is_not_retried() {
        for code in ProblemCode::ALL.iter().filter(|code| !code.retryable()) {
            if *code != ProblemCode::Internal {
                assert_eq!(next(&refused(*code, None), 1, 0, 0), Next::Refused, "{code}");
            }
        }
    }

    #[test]
    fn retry_delays_grow_up_to_a_limit() {
        let waits: Vec<i64> = (1..20).map(|tries| backoff(tries, 999)).collect();
        assert!(waits.is_sorted());
        assert!(waits.iter().all(|wait| (500..=BACKOFF_MAX_MS).contains(wait)));
    }

    #[test]
    fn retries_end_after_two_minutes() {
        assert_eq!(next(&ApiError::Lost, 30, GIVE_UP_AFTER_MS - 100, 0), Next::GiveUp);
        assert_eq!(next(&refused(ProblemCode::Overloaded, Some(60)), 2, 70_000, 0), Next::GiveUp);
    }

    #[test]
    fn an_internal_error_is_retried_only_a_few_times() {
        let fault = refused(ProblemCode::Internal, None);
        assert!(matches!(next(&fault, 1, 0, 0), Next::Wait(_)));
        assert_eq!(next(&fault, INTERNAL_TRIES, 0, 0), Next::GiveUp);
    }

    #[test]
    fn only_an_unknown_price_field_is_left_out() {
        let answer = |fields: &[(&str, &str)]| {
            let field = |(field, code): &(&str, &str)| FieldProblem {
                field: (*field).to_owned(),
                code: (*code).to_owned(),
                message: String::new(),
            };
            let mut problem = Problem::new(ProblemCode::ValidationFailed, "", "");
            problem.errors = fields.iter().map(field).collect();
            ApiError::Refused { problem: Box::new(problem), retry_after_s: None }
        };
        assert!(is_price_unknown(&answer(&[("unit_price", "unknown_field")])));
        assert!(!is_price_unknown(&answer(&[("unit_price", "out_of_range")])));
        assert!(!is_price_unknown(&answer(&[("quantity", "out_of_range"), ("unit_price", "unknown_field")])));
        assert!(!is_price_unknown(&answer(&[])));
        assert!(!is_price_unknown(&refused(ProblemCode::PriceChanged, None)));
        assert!(!is_price_unknown(&ApiError::Lost));
    }

    #[test]
    fn a_sale_that_opens_soon_is_retried() {
        let mut problem = Problem::new(ProblemCode::SaleNotOpen, "", "");
        problem.server_time = Some(Timestamp::from_millis(10_000));
        problem.opens_at = Some(Timestamp::from_millis(10_400));
        let soon = ApiError::Refused { problem: Box::new(problem.clone()), retry_after_s: None };
        assert_eq!(next(&soon, 1, 0, 0), Next::Wait(400));
        problem.opens_at = Some(Timestamp::from_millis(60_000));
        let later = ApiError::Refused { problem: Box::new(problem), retry_after_s: None };
        assert_eq!(next(&later, 1, 0, 0), Next::Refused);
    }
}
