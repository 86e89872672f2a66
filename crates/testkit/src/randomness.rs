//! Randomness that a seed repeats.

use std::sync::{Mutex, PoisonError};

use engine::Randomness;
use rand::rngs::StdRng;
use rand::{RngCore as _, SeedableRng as _};

/// Bytes that follow from a seed. Never for real keys.
#[derive(Debug)]
pub struct SeededRandomness(Mutex<StdRng>);

impl SeededRandomness {
    /// The sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Randomness for SeededRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(seed: u64) -> [u8; 8] {
        let mut bytes = [0; 8];
        SeededRandomness::new(seed).fill(&mut bytes);
        bytes
    }

    #[test]
    fn a_seed_gives_one_sequence() {
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }
}
