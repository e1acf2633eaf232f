//! The system's randomness, for what is not a key.

use ring::rand::{SecureRandom, SystemRandom};

/// A random number; zero if the system gives none (then nothing else works either).
pub(crate) fn random_u64() -> u64 {
    let mut bytes = [0; 8];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        Err(_) => 0,
    }
}
