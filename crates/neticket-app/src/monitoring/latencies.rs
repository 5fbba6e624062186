//! A histogram of latencies. It costs one addition per booking, and the histograms of several nodes can be
//! added up.
//!
//! Each doubling has 16 buckets, from 64 µs to 34 s. The width of a bucket is at most one sixteenth of its
//! lower bound, so that its middle is off by at most 1/32. Shorter latencies are counted in the first bucket,
//! longer ones in the last.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Buckets per doubling, as a power of two.
const SPLIT_BITS: u32 = 4;
const SPLIT: u64 = 1 << SPLIT_BITS;
/// The lower bound of the first bucket in µs, as a power of two.
const SHORTEST_BITS: u32 = 6;
const DOUBLINGS: u32 = 19;
/// Number of buckets: `DOUBLINGS` times `SPLIT`.
const BUCKETS: usize = 304;

pub(super) struct Latencies(Vec<AtomicU64>);

impl Default for Latencies {
    fn default() -> Self {
        Self((0..BUCKETS).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Latencies {
    pub(super) fn record(&self, latency: Duration) {
        if let Some(bucket) = self.0.get(bucket_of(latency)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn counts(&self) -> Vec<u64> {
        self.0.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect()
    }
}

fn bucket_of(latency: Duration) -> usize {
    let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
    let Some(doubling) = micros.checked_ilog2().and_then(|log| log.checked_sub(SHORTEST_BITS)) else {
        return 0;
    };
    if doubling >= DOUBLINGS {
        return BUCKETS - 1;
    }
    // The bits after the highest one select the bucket within the doubling.
    let within = (micros >> (doubling + SHORTEST_BITS - SPLIT_BITS)) & (SPLIT - 1);
    usize::try_from(u64::from(doubling) * SPLIT + within).unwrap_or(BUCKETS - 1)
}

/// The middle of a bucket, in milliseconds.
fn middle_ms(bucket: u32) -> f64 {
    let split = 1_u32 << SPLIT_BITS;
    let begin = f64::from(split + bucket % split) + 0.5;
    let exponent = i32::try_from(bucket / split + SHORTEST_BITS - SPLIT_BITS).unwrap_or(i32::MAX);
    begin * 2_f64.powi(exponent) / 1_000.0
}

/// The buckets whose count has grown since `before`, each with its growth.
pub(super) fn difference(now: &[u64], before: &[u64]) -> Vec<(u32, u64)> {
    let counts = (0_u32..).zip(now.iter().zip(before));
    counts.map(|(bucket, (now, before))| (bucket, now - before)).filter(|(_, count)| *count > 0).collect()
}

/// The latency, in milliseconds, that `per_mille` of all latencies do not exceed. `None` if there are none.
/// `counts` are pairs of bucket and count, in any order.
pub(super) fn quantile_ms(counts: &[(u32, u64)], per_mille: u64) -> Option<f64> {
    let mut counts = counts.to_vec();
    counts.sort_unstable();
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    let wanted = (total * per_mille).div_ceil(1_000).max(1);
    let mut seen = 0;
    let reached = counts.iter().find(|(_, count)| {
        seen += count;
        seen >= wanted
    });
    reached.map(|(bucket, _)| middle_ms(*bucket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_latency_is_reported_within_a_thirtieth_of_its_value() {
        for micros in (6..350).map(|step| 1.1_f64.powi(step) * 40.0).take_while(|micros| *micros < 3.3e7) {
            let bucket = u32::try_from(bucket_of(Duration::from_secs_f64(micros / 1e6))).unwrap();
            let reported = middle_ms(bucket) * 1_000.0;
            assert!((reported - micros).abs() <= micros / 30.0, "{micros} µs is reported as {reported} µs");
        }
    }

    #[test]
    fn latencies_out_of_range_are_in_the_outermost_buckets() {
        assert_eq!(bucket_of(Duration::ZERO), 0);
        assert_eq!(bucket_of(Duration::from_micros(63)), 0);
        assert_eq!(bucket_of(Duration::from_micros(64)), 0);
        assert_eq!(bucket_of(Duration::from_micros(68)), 1);
        assert_eq!(bucket_of(Duration::from_micros((1 << 25) - 1)), BUCKETS - 1);
        assert_eq!(bucket_of(Duration::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_cover_the_counts_of_all_nodes() {
        assert_eq!(quantile_ms(&[], 500), None);
        let near = |reported: Option<f64>, ms: f64| {
            assert!((reported.unwrap() - ms).abs() < ms / 30.0, "{reported:?} {ms}");
        };
        let at = |ms| u32::try_from(bucket_of(Duration::from_millis(ms))).unwrap();
        let counts = [(at(100), 1), (at(10), 198), (at(1_000), 1), (at(10), 1)];
        near(quantile_ms(&counts, 500), 10.0);
        near(quantile_ms(&counts, 990), 10.0);
        near(quantile_ms(&counts, 999), 1_000.0);
        near(quantile_ms(&[(at(7), 1)], 990), 7.0);
    }
}
