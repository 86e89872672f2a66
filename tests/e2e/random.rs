//! Random choices that can be made again: the seed is printed, and taken from `KUBEWRIGHT_SEED`.

use std::time::{SystemTime, UNIX_EPOCH};

/// A generator: SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    /// Seeded by the environment, or else by the time.
    pub(crate) fn from_environment() -> Self {
        let given = std::env::var("KUBEWRIGHT_SEED").ok();
        let seed = match given {
            Some(text) => text.parse().expect("KUBEWRIGHT_SEED is a number"),
            None => SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs(),
        };
        println!("      the seed is KUBEWRIGHT_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to but without 1.
    pub(crate) fn share(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).expect("32 bits")) / (f64::from(u32::MAX) + 1.0)
    }

    /// A number from 1 to `most`.
    pub(crate) fn among(&mut self, most: usize) -> usize {
        let most = u64::try_from(most.max(1)).expect("64 bits");
        usize::try_from(self.next() % most + 1).expect("it is not more than `most`")
    }

    /// Heads or tails.
    pub(crate) fn coin(&mut self) -> bool {
        self.next() >> 63 == 0
    }
}
