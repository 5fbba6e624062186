//! Rate limits per caller. Each process counts on its own: a limit slows abuse down, and is not a guarantee.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use neticket_domain::UserId;

use crate::error::ApiError;

/// Sign-in attempts for one account per minute: from one network, and from all networks together. The second
/// limit is higher, so that a stranger who guesses passwords does not lock the owner out.
const GUESSES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(10).unwrap();
const GUESSES_FROM_ALL_PER_MINUTE: NonZeroU32 = NonZeroU32::new(100).unwrap();
/// Per network address. Mobile carriers and schools put thousands of people behind one address, and all of
/// them come before an opening.
const SIGNUPS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).unwrap();
const LOGINS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(300).unwrap();
const REFRESHES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(3000).unwrap();
const READS_PER_S: NonZeroU32 = NonZeroU32::new(1000).unwrap();
const READS_BURST: NonZeroU32 = NonZeroU32::new(2000).unwrap();
/// Per user.
const BOOKINGS_PER_S: NonZeroU32 = NonZeroU32::new(10).unwrap();
const BOOKINGS_BURST: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// Per administrator. One upload has up to 5 MiB and takes up to a second of CPU time.
const UPLOADS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(30).unwrap();
/// After this many checks, a limit removes the callers whose allowance is full again. The number of callers
/// of the last minute therefore bounds the memory.
const CHECKS_PER_SWEEP: u32 = 4096;

/// All limits. The workers of the server share one instance.
pub(crate) struct Limits {
    enabled: bool,
    signups: Limit<IpAddr>,
    logins: Limit<IpAddr>,
    refreshes: Limit<IpAddr>,
    guesses: Limit<(IpAddr, String)>,
    guesses_from_all: Limit<String>,
    /// A password change proves the current password, so each attempt is also a guess at it.
    password_changes: Limit<UserId>,
    bookings: Limit<UserId>,
    uploads: Limit<UserId>,
    reads: Limit<IpAddr>,
}

impl Limits {
    pub(crate) fn new(enabled: bool) -> Self {
        let per_minute = Quota::per_minute;
        Self {
            enabled,
            signups: Limit::new(per_minute(SIGNUPS_PER_MINUTE)),
            logins: Limit::new(per_minute(LOGINS_PER_MINUTE)),
            refreshes: Limit::new(per_minute(REFRESHES_PER_MINUTE)),
            guesses: Limit::new(per_minute(GUESSES_PER_MINUTE)),
            guesses_from_all: Limit::new(per_minute(GUESSES_FROM_ALL_PER_MINUTE)),
            password_changes: Limit::new(per_minute(GUESSES_PER_MINUTE)),
            bookings: Limit::new(Quota::per_second(BOOKINGS_PER_S).allow_burst(BOOKINGS_BURST)),
            uploads: Limit::new(per_minute(UPLOADS_PER_MINUTE)),
            reads: Limit::new(Quota::per_second(READS_PER_S).allow_burst(READS_BURST)),
        }
    }

    pub(crate) fn signup(&self, client_ip: IpAddr) -> Result<(), ApiError> {
        self.check(&self.signups, &network(client_ip))
    }

    /// Checks the limit of this caller and account first, so that a refused caller does not use up the limits
    /// that others share.
    pub(crate) fn login(&self, client_ip: IpAddr, email: &str) -> Result<(), ApiError> {
        let email = email.trim().to_lowercase();
        self.check(&self.guesses, &(network(client_ip), email.clone()))?;
        self.check(&self.logins, &network(client_ip))?;
        self.check(&self.guesses_from_all, &email)
    }

    pub(crate) fn refresh(&self, client_ip: IpAddr) -> Result<(), ApiError> {
        self.check(&self.refreshes, &network(client_ip))
    }

    pub(crate) fn password_change(&self, user: UserId) -> Result<(), ApiError> {
        self.check(&self.password_changes, &user)
    }

    /// Checks the limit for bookings and cancels.
    pub(crate) fn booking(&self, user: UserId) -> Result<(), ApiError> {
        self.check(&self.bookings, &user)
    }

    pub(crate) fn upload(&self, user: UserId) -> Result<(), ApiError> {
        self.check(&self.uploads, &user)
    }

    pub(crate) fn read(&self, client_ip: IpAddr) -> Result<(), ApiError> {
        self.check(&self.reads, &network(client_ip))
    }

    fn check<K: Hash + Eq + Clone>(&self, limit: &Limit<K>, key: &K) -> Result<(), ApiError> {
        if self.enabled { limit.check(key).map_err(ApiError::rate_limited) } else { Ok(()) }
    }
}

/// The network of an address. One owner of IPv6 addresses usually has a whole /64, so the /64 counts as one
/// caller.
pub(crate) fn network(address: IpAddr) -> IpAddr {
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

    /// The error is the time to wait, in whole seconds, rounded up.
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
        (0..500).filter(|_| attempt(limits).is_ok()).count()
    }

    #[test]
    fn guesses_on_one_account_are_limited_to_ten_and_get_a_retry_after() {
        let limits = Limits::new(true);
        let home: IpAddr = "192.0.2.1".parse().unwrap();
        let mut upper = false;
        let attempts = allowed(&limits, |limits| {
            upper = !upper;
            limits.login(home, if upper { "A@B.kr" } else { " a@b.kr" })
        });
        assert!((10..15).contains(&attempts), "{attempts}"); // the limiter refills during a slow run
        let refused = limits.login(home, "a@b.kr").unwrap_err();
        assert_eq!(refused.code(), ProblemCode::RateLimited);
        let wait: u64 = refused.headers()[0].1.to_str().unwrap().parse().unwrap();
        assert!((1..=6).contains(&wait), "{wait}");
        assert!(limits.login(home, "x@example.com").is_ok(), "another account");
        assert!(limits.login("192.0.2.2".parse().unwrap(), "a@b.kr").is_ok(), "the owner, elsewhere");
    }

    #[test]
    fn guesses_on_many_accounts_from_one_address_are_limited() {
        let limits = Limits::new(true);
        let mut guess = 0;
        let attempts = allowed(&limits, |limits| {
            guess += 1;
            limits.login(IpAddr::from([192, 0, 2, 1]), &format!("{guess}@example.com"))
        });
        assert!((300..305).contains(&attempts), "{attempts}"); // the limiter refills during a slow run
    }

    #[test]
    fn guesses_on_one_account_from_many_addresses_are_limited() {
        let limits = Limits::new(true);
        let mut host: u32 = 0;
        let attempts = allowed(&limits, |limits| {
            host += 1;
            limits.login(IpAddr::from(host.to_be_bytes()), "a@b.kr")
        });
        assert!((100..105).contains(&attempts), "{attempts}"); // the limiter refills during a slow run
    }

    #[test]
    fn addresses_of_one_ipv6_network_share_a_limit() {
        let limits = Limits::new(true);
        let mut host: u128 = 0x2001_0db8 << 96;
        let attempts = allowed(&limits, |limits| {
            host += 1;
            limits.signup(IpAddr::from(Ipv6Addr::from_bits(host)))
        });
        assert!((60..65).contains(&attempts), "{attempts}"); // the limiter refills during a slow run
    }

    #[test]
    fn disabled_limits_refuse_nothing() {
        let limits = Limits::new(false);
        assert_eq!(allowed(&limits, |limits| limits.signup(IpAddr::from([192, 0, 2, 1]))), 500);
    }

    #[test]
    fn idle_callers_are_removed() {
        let limit = Limit::new(Quota::per_second(NonZeroU32::MAX));
        for caller in 0..CHECKS_PER_SWEEP {
            limit.check(&caller).unwrap();
        }
        assert!(limit.limiter.len() < 100, "{}", limit.limiter.len());
    }
}
