//! What a use case takes in place of the world: the time and randomness.

use std::sync::Arc;

use super::{
    clock::{Clock, Instant, SystemClock},
    ids::TypedId,
    random::{Random, SystemRandom},
};

/// Time and randomness, cheap to clone and passed to every use case.
#[derive(Clone)]
pub struct Ambient {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Ambient {
    /// The given time and randomness.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { clock, random }
    }

    /// The machine's clock and generator.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(SystemRandom))
    }

    /// The present instant, in whole microseconds.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// A fresh, time-ordered id.
    #[must_use]
    pub fn id<I: TypedId>(&self) -> I {
        I::fresh(self.now(), self.bytes())
    }

    /// `N` unpredictable bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut buffer = [0; N];
        self.random.fill(&mut buffer);
        buffer
    }
}

impl std::fmt::Debug for Ambient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ambient")
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}
