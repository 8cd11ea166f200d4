//! Time and chance, handed in at the top so that everything below can be replayed.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Tells the time. Real use has the system's clock, tests and tapes one that they move by hand.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The operating system's clock.
    System,
    /// A clock that stands still until [`Clock::advance`] moves it.
    Manual(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// A clock that stands at `start`.
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(Mutex::new(start)))
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Manual(at) => *at.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a manual clock forward; the system's clock is left to itself.
    pub fn advance(&self, by: SignedDuration) {
        if let Self::Manual(at) = self {
            let mut at = at.lock().unwrap_or_else(PoisonError::into_inner);
            *at = at.saturating_add(by).unwrap_or(Timestamp::MAX);
        }
    }
}

/// A source of random bytes: the operating system's, or a seeded one for accounts in memory.
#[derive(Clone)]
pub struct Random(RandomSource);

#[derive(Clone)]
enum RandomSource {
    System,
    Seeded(Arc<Mutex<ChaCha20Rng>>),
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct RandomError;

impl Random {
    /// The operating system's generator.
    pub fn system() -> Self {
        Self(RandomSource::System)
    }

    /// A generator that repeats itself. Only [`Environment::replayable`] makes one.
    fn seeded(seed: u64) -> Self {
        Self(RandomSource::Seeded(Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(seed)))))
    }

    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`RandomError`] when the operating system has none; `bytes` must not be used then.
    pub fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        match &self.0 {
            RandomSource::System => getrandom::fill(bytes).map_err(|_| RandomError),
            RandomSource::Seeded(rng) => {
                rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
                Ok(())
            }
        }
    }

    /// `N` random bytes.
    ///
    /// # Errors
    /// [`RandomError`] when the operating system has none.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], RandomError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// A random (version 4) UUID in its usual lower-case form.
    ///
    /// # Errors
    /// [`RandomError`] when the operating system has none.
    pub fn uuid(&self) -> Result<String, RandomError> {
        Ok(uuid::Builder::from_random_bytes(self.bytes()?).into_uuid().to_string())
    }

    /// `N` random bytes as lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`RandomError`] when the operating system has none.
    pub fn hex<const N: usize>(&self) -> Result<String, RandomError> {
        use fmt::Write as _;
        Ok(self.bytes::<N>()?.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }
}

/// The clock and the randomness that everything in one process shares.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Tells the time.
    pub clock: Clock,
    /// Gives keys, identifiers and initialization vectors.
    pub random: Random,
}

impl Environment {
    /// The operating system's clock and generator.
    pub fn system() -> Self {
        Self { clock: Clock::System, random: Random::system() }
    }

    /// An environment that goes the same way each time. Its keys are worthless as secrets, so accounts on disk refuse it.
    pub fn replayable(start: Timestamp, seed: u64) -> Self {
        Self { clock: Clock::manual(start), random: Random::seeded(seed) }
    }

    /// Whether this environment repeats itself and so must never make keys that are kept.
    pub fn is_replayable(&self) -> bool {
        matches!(self.random.0, RandomSource::Seeded(_))
    }
}
