//! How often one caller may ask. Kept in this process: a limit slows abuse down, it does not promise anything.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use neticket_domain::UserId;

use crate::error::ApiError;

/// Attempts per minute at what guesses passwords or makes accounts, per address and per account.
const ATTEMPTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(10).unwrap();
const BOOKINGS_PER_S: NonZeroU32 = NonZeroU32::new(10).unwrap();
const BOOKINGS_BURST: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// Generous: many people may share one address.
const READS_PER_S: NonZeroU32 = NonZeroU32::new(100).unwrap();
const READS_BURST: NonZeroU32 = NonZeroU32::new(200).unwrap();
/// After so many checks, callers whose allowance is whole again are forgotten. Memory is thus bounded by how many
/// callers ask within a minute.
const CHECKS_PER_SWEEP: u32 = 4096;

/// All limits. One for the whole server: its workers share it.
pub(crate) struct Limits {
    enabled: bool,
    signups: Limit<IpAddr>,
    logins: Limit<IpAddr>,
    refreshes: Limit<IpAddr>,
    /// Also counts password changes, which prove the current one.
    guesses: Limit<String>,
    bookings: Limit<UserId>,
    reads: Limit<IpAddr>,
}

impl Limits {
    pub(crate) fn new(enabled: bool) -> Self {
        let attempts = || Quota::per_minute(ATTEMPTS_PER_MINUTE);
        Self {
            enabled,
            signups: Limit::new(attempts()),
            logins: Limit::new(attempts()),
            refreshes: Limit::new(attempts()),
            guesses: Limit::new(attempts()),
            bookings: Limit::new(Quota::per_second(BOOKINGS_PER_S).allow_burst(BOOKINGS_BURST)),
            reads: Limit::new(Quota::per_second(READS_PER_S).allow_burst(READS_BURST)),
        }
    }

    pub(crate) fn signup(&self, from: IpAddr) -> Result<(), ApiError> {
        self.check(&self.signups, &network(from))
    }

    /// Counts per address first, so that one address cannot use up the attempts of many accounts.
    pub(crate) fn login(&self, from: IpAddr, email: &str) -> Result<(), ApiError> {
        self.check(&self.logins, &network(from))?;
        self.check(&self.guesses, &email.trim().to_lowercase())
    }

    pub(crate) fn refresh(&self, from: IpAddr) -> Result<(), ApiError> {
        self.check(&self.refreshes, &network(from))
    }

    pub(crate) fn password_change(&self, user: UserId) -> Result<(), ApiError> {
        self.check(&self.guesses, &format!("user {user}"))
    }

    /// Bookings and cancels.
    pub(crate) fn booking(&self, user: UserId) -> Result<(), ApiError> {
        self.check(&self.bookings, &user)
    }

    pub(crate) fn read(&self, from: IpAddr) -> Result<(), ApiError> {
        self.check(&self.reads, &network(from))
    }

    fn check<K: Hash + Eq + Clone>(&self, limit: &Limit<K>, key: &K) -> Result<(), ApiError> {
        if self.enabled { limit.check(key).map_err(ApiError::rate_limited) } else { Ok(()) }
    }
}

/// Who owns an IPv6 address owns its /64.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

struct Limit<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
    checks: AtomicU32,
}

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(quota: Quota) -> Self {
        Self { limiter: RateLimiter::keyed(quota), clock: DefaultClock::default(), checks: AtomicU32::new(0) }
    }

    /// The error is how long to wait, in whole seconds.
    fn check(&self, key: &K) -> Result<(), u64> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_PER_SWEEP == CHECKS_PER_SWEEP - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter.check_key(key).map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now());
            wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
        })
    }
}

#[cfg(test)]
mod tests {
    use neticket_contract::ProblemCode;

    use super::*;

    fn allowed(limits: &Limits, mut attempt: impl FnMut(&Limits) -> Result<(), ApiError>) -> usize {
        (0..30).filter(|_| attempt(limits).is_ok()).count()
    }

    #[test]
    fn guessing_from_one_address_ends_after_ten_and_says_when_to_come_back() {
        let limits = Limits::new(true);
        let home: IpAddr = "192.0.2.1".parse().unwrap();
        let mut guess = 0;
        assert_eq!(
            allowed(&limits, |limits| {
                guess += 1;
                limits.login(home, &format!("{guess}@example.com"))
            }),
            10
        );
        let refused = limits.login(home, "x@example.com").unwrap_err();
        assert_eq!(refused.code(), ProblemCode::RateLimited);
        let wait: u64 = refused.headers()[0].1.to_str().unwrap().parse().unwrap();
        assert!((1..=6).contains(&wait), "{wait}");
        assert!(limits.signup(home).is_ok(), "another counter");
        assert!(limits.login("192.0.2.2".parse().unwrap(), "x@example.com").is_ok(), "another address");
    }

    #[test]
    fn guessing_one_account_from_many_addresses_ends_too() {
        let limits = Limits::new(true);
        let mut last = 0;
        let attempts = allowed(&limits, |limits| {
            last += 1;
            limits.login(IpAddr::from([198, 51, 100, last]), if last % 2 == 0 { "a@b.kr" } else { " A@B.kr" })
        });
        assert_eq!(attempts, 10);
    }

    #[test]
    fn neighbours_of_one_ipv6_network_are_one_caller() {
        let limits = Limits::new(true);
        let mut host: u128 = 0x2001_0db8 << 96;
        let attempts = allowed(&limits, |limits| {
            host += 1;
            limits.signup(IpAddr::from(Ipv6Addr::from_bits(host)))
        });
        assert_eq!(attempts, 10);
    }

    #[test]
    fn limits_that_are_off_refuse_nothing() {
        let limits = Limits::new(false);
        assert_eq!(allowed(&limits, |limits| limits.signup(IpAddr::from([192, 0, 2, 1]))), 30);
    }

    #[test]
    fn callers_who_have_gone_are_forgotten() {
        let limit = Limit::new(Quota::per_second(NonZeroU32::MAX));
        for caller in 0..CHECKS_PER_SWEEP {
            limit.check(&caller).unwrap();
        }
        assert!(limit.limiter.len() < 100, "{}", limit.limiter.len());
    }
}
