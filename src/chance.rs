//! Owns randomness: the one home of the operating system's entropy.
//!
//! Codes, batch numbers and jitter come from a [`Chance`] handed in as an argument, so that a seeded
//! run repeats itself. The generator is cryptographic either way: an invitation code is a bearer secret.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::{StdRng, SysRng};
use rand::{RngExt, SeedableRng};

/// A source of randomness; clones share it.
#[derive(Clone, Debug)]
pub struct Chance(Arc<Mutex<StdRng>>);

impl Chance {
    /// Seeded by the operating system.
    ///
    /// # Errors
    ///
    /// When the operating system has no entropy to give: no safe code can be made then.
    pub fn system() -> Result<Self, rand::rngs::SysError> {
        StdRng::try_from_rng(&mut SysRng).map(Self::new)
    }

    /// Repeats itself for the same seed; for tests and simulation only.
    pub fn seeded(seed: u64) -> Self {
        Self::new(StdRng::seed_from_u64(seed))
    }

    fn new(generator: StdRng) -> Self {
        Self(Arc::new(Mutex::new(generator)))
    }

    /// 32 random bytes, enough for one invitation code.
    pub fn bytes(&self) -> [u8; 32] {
        self.with(RngExt::random)
    }

    /// Any number.
    pub fn number(&self) -> u32 {
        self.with(RngExt::random)
    }

    /// Evenly within 0.0..1.0.
    pub fn fraction(&self) -> f64 {
        self.with(RngExt::random)
    }

    fn with<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
