//! Numbers that look random. The same poster always gets the same numbers.

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators"), seeded with a text.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn of(text: &str) -> Self {
        // FNV-1a, so that titles that differ in one letter get very different seeds.
        Self(text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        }))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` (inclusive) to `high` (exclusive).
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        let part = u32::try_from(self.next() >> 32).unwrap_or(u32::MAX);
        low + (high - low) * f64::from(part) / (f64::from(u32::MAX) + 1.0)
    }

    /// One of `choices`, which must not be empty.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let len = u64::try_from(choices.len()).unwrap_or(1);
        choices[usize::try_from(self.next() % len).unwrap_or(0)]
    }
}
