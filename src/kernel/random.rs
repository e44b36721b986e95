//! Randomness as a parameter.

use std::{cell::RefCell, sync::Mutex};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use zeroize::Zeroize as _;

/// Where a use case draws random bytes.
pub trait Random: Send + Sync {
    /// Fills `buffer` with unpredictable bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// The operating system's generator, by way of the library under our cryptography.
///
/// A call costs as much for 8 bytes as for hundreds, and a redirect needs three small pieces. So ids and nonces come from
/// bytes that each thread draws ahead, and are wiped there as they are handed out. Keys and tokens are longer and are
/// drawn by themselves.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandom;

/// Bytes drawn ahead.
const AHEAD_BYTES: usize = 512;
/// Longest piece that is taken from them.
const PIECE_MAX: usize = 16;

thread_local! {
    static AHEAD: RefCell<Ahead> = const { RefCell::new(Ahead { bytes: [0; AHEAD_BYTES], used: AHEAD_BYTES }) };
}

struct Ahead {
    bytes: [u8; AHEAD_BYTES],
    used: usize,
}

impl Ahead {
    fn take(&mut self, buffer: &mut [u8]) {
        if self.used + buffer.len() > AHEAD_BYTES {
            draw(&mut self.bytes);
            self.used = 0;
        }
        let piece = self.bytes.iter_mut().skip(self.used).take(buffer.len());
        for (to, from) in buffer.iter_mut().zip(piece) {
            *to = *from;
            from.zeroize();
        }
        self.used += buffer.len();
    }
}

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        if buffer.len() > PIECE_MAX {
            return draw(buffer);
        }
        // A thread that is ending has no bytes ahead any more.
        let taken = AHEAD.try_with(|ahead| ahead.borrow_mut().take(buffer));
        if taken.is_err() {
            draw(buffer);
        }
    }
}

fn draw(buffer: &mut [u8]) {
    // The generator cannot fail once seeded; a machine without entropy must not issue anything.
    if aws_lc_rs::rand::fill(buffer).is_err() {
        tracing::error!("the operating system gives no randomness");
        std::process::abort();
    }
}

/// A seeded generator, so that a failing test can be replayed. Never for secrets.
#[derive(Debug)]
pub struct SeededRandom(Mutex<StdRng>);

impl SeededRandom {
    /// A generator that gives the same bytes for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Random for SeededRandom {
    fn fill(&self, buffer: &mut [u8]) {
        let mut generator = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        generator.fill(buffer);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn small_pieces_never_repeat_and_are_never_left_blank() {
        let mut seen = HashSet::new();
        for length in (8..=PIECE_MAX).cycle().take(10_000) {
            let mut piece = vec![0; length];
            SystemRandom.fill(&mut piece);
            assert!(piece.iter().any(|byte| *byte != 0));
            assert!(seen.insert(piece));
        }
    }

    #[test]
    fn what_was_handed_out_is_wiped() {
        let mut ahead = Ahead {
            bytes: [0; AHEAD_BYTES],
            used: AHEAD_BYTES,
        };
        let mut piece = [0; PIECE_MAX];
        ahead.take(&mut piece);
        assert_eq!(&ahead.bytes[..PIECE_MAX], &[0; PIECE_MAX]);
        assert!(ahead.bytes[PIECE_MAX..].iter().any(|byte| *byte != 0));
    }
}
