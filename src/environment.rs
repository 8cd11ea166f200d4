//! The clock and the random number generator. They are passed as parameters, so that a run can be replayed.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A source of the current time. Tests and tapes use a clock that they advance manually.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The operating system's clock.
    System,
    /// A clock that changes only when [`Clock::advance`] is called.
    Manual(Arc<Mutex<Timestamp>>),
    /// The clock of an account, which can be ahead of another clock.
    Account(AccountClock),
}

/// The time of a bundled AWS account: another clock, and how far the account is ahead of it.
///
/// The account only moves forward, as the time of AWS does: if it went back, events, deletions, and IDs would contradict
/// each other.
#[derive(Clone, Debug)]
pub struct AccountClock {
    base: Arc<Clock>,
    ahead_millis: Arc<AtomicI64>,
}

impl Clock {
    /// Creates a manual clock that starts at `start`.
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(Mutex::new(start)))
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Manual(at) => *at.lock().unwrap_or_else(PoisonError::into_inner),
            Self::Account(clock) => clock.base.now().saturating_add(self.ahead()).unwrap_or(Timestamp::MAX),
        }
    }

    /// Returns the time of this machine, which differs from [`now`](Self::now) if an account is ahead of it.
    ///
    /// It is the time for verifying signatures and one-time passwords, because clients create them with their own clocks.
    pub fn machine_time(&self) -> Timestamp {
        match self {
            Self::Account(clock) => clock.base.machine_time(),
            Self::System | Self::Manual(_) => self.now(),
        }
    }

    /// Returns the clock of an account whose time is that of this clock, until the account is moved ahead.
    #[must_use]
    pub fn for_account(self) -> Self {
        Self::Account(AccountClock { base: Arc::new(self), ahead_millis: Arc::default() })
    }

    /// Returns how far an account is ahead of this machine. Zero for other clocks.
    pub fn ahead(&self) -> SignedDuration {
        match self {
            Self::Account(clock) => SignedDuration::from_millis(clock.ahead_millis.load(Ordering::Relaxed)),
            Self::System | Self::Manual(_) => SignedDuration::ZERO,
        }
    }

    /// Moves an account ahead of this machine by `ahead` in total. Has no effect if the account is further ahead, or on
    /// other clocks.
    pub fn move_ahead(&self, ahead: SignedDuration) {
        if let Self::Account(clock) = self {
            let millis = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
            clock.ahead_millis.fetch_max(millis, Ordering::Relaxed);
        }
    }

    /// Sets how far an account is ahead of this machine when it's opened. Negative while its past is made. Has no effect on
    /// other clocks.
    pub fn set_ahead(&self, ahead: SignedDuration) {
        if let Self::Account(clock) = self {
            let millis = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
            clock.ahead_millis.store(millis, Ordering::Relaxed);
        }
    }

    /// Advances a manual clock. Has no effect on the system clock.
    pub fn advance(&self, by: SignedDuration) {
        match self {
            Self::System => {}
            Self::Manual(at) => {
                let mut at = at.lock().unwrap_or_else(PoisonError::into_inner);
                *at = at.saturating_add(by).unwrap_or(Timestamp::MAX);
            }
            Self::Account(clock) => clock.base.advance(by),
        }
    }

    /// Waits until `time` has passed. A manual clock is advanced by `time` instead, without a pause.
    pub async fn sleep(&self, time: Duration) {
        match self {
            Self::System => tokio::time::sleep(time).await,
            Self::Manual(_) => self.advance(SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)),
            Self::Account(clock) => Box::pin(clock.base.sleep(time)).await,
        }
    }
}

/// A source of random bytes: the operating system, or a seeded generator for accounts in memory.
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

/// The operating system returned no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system returned no random bytes")]
pub struct RandomError;

impl Random {
    /// Returns the generator of the operating system.
    pub fn system() -> Self {
        Self(RandomSource::System)
    }

    /// Creates a generator with a reproducible sequence. Only [`Environment::replayable`] uses it.
    fn seeded(seed: u64) -> Self {
        Self(RandomSource::Seeded(Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(seed)))))
    }

    /// Fills `bytes` with random bytes.
    ///
    /// # Errors
    /// [`RandomError`] if the operating system returns no random bytes. Don't use `bytes` then.
    pub fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        match &self.0 {
            RandomSource::System => getrandom::fill(bytes).map_err(|_| RandomError),
            RandomSource::Seeded(rng) => {
                rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
                Ok(())
            }
        }
    }

    /// Returns `N` random bytes.
    ///
    /// # Errors
    /// [`RandomError`] if the operating system returns no random bytes.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], RandomError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Returns a random (version 4) UUID in lower case.
    ///
    /// # Errors
    /// [`RandomError`] if the operating system returns no random bytes.
    pub fn uuid(&self) -> Result<String, RandomError> {
        Ok(uuid::Builder::from_random_bytes(self.bytes()?).into_uuid().to_string())
    }

    /// Returns `N` random bytes as lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`RandomError`] if the operating system returns no random bytes.
    pub fn hex<const N: usize>(&self) -> Result<String, RandomError> {
        use fmt::Write as _;
        Ok(self.bytes::<N>()?.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }
}

/// The clock and the random number generator of a process.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The clock.
    pub clock: Clock,
    /// The generator for keys, identifiers, and initialization vectors.
    pub random: Random,
}

impl Environment {
    /// Returns the clock and generator of the operating system.
    pub fn system() -> Self {
        Self { clock: Clock::System, random: Random::system() }
    }

    /// Creates an environment with reproducible time and random bytes. Its keys aren't secret, so accounts on disk
    /// reject it.
    pub fn replayable(start: Timestamp, seed: u64) -> Self {
        Self { clock: Clock::manual(start), random: Random::seeded(seed) }
    }

    /// Returns this environment with a clock for an account. See [`Clock::for_account`].
    #[must_use]
    pub fn for_account(self) -> Self {
        Self { clock: self.clock.for_account(), ..self }
    }

    /// Whether this environment is reproducible and so must not create keys for accounts on disk.
    pub fn is_replayable(&self) -> bool {
        matches!(self.random.0, RandomSource::Seeded(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_clock_only_moves_forward() {
        let base = Clock::manual("2026-03-02T10:15:00Z".parse().unwrap());
        let clock = base.clone().for_account();
        let time = |clock: &Clock| (clock.now().to_string(), clock.machine_time().to_string());
        assert_eq!(time(&clock), ("2026-03-02T10:15:00Z".to_owned(), "2026-03-02T10:15:00Z".to_owned()));
        clock.move_ahead(SignedDuration::from_hours(7 * 24));
        for back in [SignedDuration::from_hours(24), SignedDuration::ZERO, SignedDuration::from_hours(-24)] {
            clock.clone().move_ahead(back);
            assert_eq!(clock.ahead(), SignedDuration::from_hours(7 * 24));
        }
        base.advance(SignedDuration::from_mins(1));
        assert_eq!(time(&clock), ("2026-03-09T10:16:00Z".to_owned(), "2026-03-02T10:16:00Z".to_owned()));
        base.move_ahead(SignedDuration::from_hours(1));
        assert_eq!((time(&base).0, base.ahead()), ("2026-03-02T10:16:00Z".to_owned(), SignedDuration::ZERO));
    }
}
