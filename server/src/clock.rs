//! The machine's clock and random source: the only place that asks them.

use domain::{Clock, Random};
use model::Timestamp;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that is handed in")]
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        // A clock that stands before 1970 is as wrong as one at 1970.
        Timestamp::from_micros(0).after(since_epoch.unwrap_or_default())
    }
}

/// The operating system's random source.
#[derive(Clone, Copy, Debug)]
pub struct SystemRandom;

impl SystemRandom {
    /// Tries the source.
    ///
    /// # Errors
    /// What the operating system says when it has none.
    pub fn new() -> Result<Self, getrandom::Error> {
        getrandom::fill(&mut [0; 32]).map(|()| Self)
    }
}

impl Random for SystemRandom {
    /// # Panics
    /// When the source fails after it worked at the start: a token that can be guessed would be
    /// worse than a request that breaks off.
    #[expect(clippy::panic, reason = "there is no safe way on without random bytes")]
    fn fill(&self, buffer: &mut [u8]) {
        if let Err(error) = getrandom::fill(buffer) {
            panic!("the operating system gives no random bytes: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_tells_microseconds_of_this_century() {
        let micros = SystemClock.now().as_micros();
        assert!((1_700_000_000_000_000..4_100_000_000_000_000).contains(&micros), "{micros}");
    }

    #[test]
    fn random_bytes_differ() {
        let source = SystemRandom::new().unwrap();
        let (mut one, mut other) = ([0; 32], [0; 32]);
        source.fill(&mut one);
        source.fill(&mut other);
        assert_ne!(one, other);
    }
}
