//! Faults that are in effect: how often they have matched, and whether the next request fails.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use super::{FaultKind, Latency, ProxyCall, ProxyFault};

/// The failure of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InjectedFault {
    /// How the request fails.
    pub kind: FaultKind,
    /// How late the response is. Zero unless the kind is a latency.
    pub delay: Duration,
}

/// A fault, and what it has done so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultState {
    /// The fault.
    pub fault: ProxyFault,
    /// The number of requests that the fault applied to.
    pub matched: u32,
    /// The number of requests that failed.
    pub hits: u32,
    /// The time at which the fault ends, by the clock of the account.
    pub end: Option<Timestamp>,
}

/// Returns the random number generator for the choices about one request.
///
/// The generator depends only on the seed and the number of the request, so the choices are the same in every process,
/// and whenever the requests arrive.
fn generator(seed: u64, request: u32) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(request.into());
    generator
}

/// Returns a number from 0 to below 1.
fn fraction(generator: &mut ChaCha8Rng) -> f64 {
    f64::from(generator.next_u32()) / (f64::from(u32::MAX) + 1.)
}

impl Latency {
    /// Returns the latency of one request, for a random number from 0 to below 1.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn sample(&self, random: f64) -> Duration {
        let millis = match self {
            Self::Fixed { millis, jitter } => f64::from(*millis) + f64::from(*jitter) * (2. * random - 1.),
            Self::Percentiles(pairs) => {
                let (mut before, mut millis) = ((0., 0.), pairs.last().map_or(0., |pair| f64::from(pair.1)));
                for (percent, time) in pairs.iter().map(|pair| (f64::from(pair.0), f64::from(pair.1))) {
                    if random * 100. < percent {
                        let (from, start) = before;
                        millis = start + (time - start) * (random * 100. - from) / (percent - from);
                        break;
                    }
                    before = (percent, time);
                }
                millis
            }
        };
        Duration::from_micros((millis * 1000.).round() as u64)
    }
}

impl FaultState {
    /// Starts a fault at `now`, by the clock of the account.
    pub fn new(fault: ProxyFault, now: Timestamp) -> Self {
        let end = fault.schedule.duration.map(|duration| now.saturating_add(duration).unwrap_or(Timestamp::MAX));
        Self { fault, matched: 0, hits: 0, end }
    }

    /// Returns whether the fault can still make requests fail.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.fault.schedule.count.is_none_or(|count| self.hits < count) && self.end.is_none_or(|end| now < end)
    }

    /// Counts a request if the fault applies to it. Returns how the request fails, if it does.
    pub fn on_request(&mut self, call: &ProxyCall, now: Timestamp) -> Option<InjectedFault> {
        if !self.is_active(now) || !self.fault.applies_to(call) {
            return None;
        }
        let number = self.matched;
        self.matched = number.saturating_add(1);
        let schedule = &self.fault.schedule;
        let mut random = generator(schedule.seed, number);
        let (choice, delay) = (fraction(&mut random), fraction(&mut random));
        if number < schedule.after || schedule.percent.is_some_and(|percent| choice * 100. >= f64::from(percent)) {
            return None;
        }
        self.hits = self.hits.saturating_add(1);
        let kind = self.fault.kind.clone();
        let delay = if let FaultKind::Latency(latency) = &kind { latency.sample(delay) } else { Duration::ZERO };
        Some(InjectedFault { kind, delay })
    }
}

/// Returns the failure of a request by a fault that is stored elsewhere.
type StoredFaults = Box<dyn Fn(&ProxyCall) -> Option<InjectedFault> + Send + Sync>;

#[derive(Default)]
struct Inner {
    faults: Mutex<Vec<FaultState>>,
    stored: OnceLock<StoredFaults>,
}

/// The faults that are in effect in this process, and a source of further ones. Clones share them.
#[derive(Clone, Default)]
pub struct Faults(Arc<Inner>);

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faults").field(&self.0.faults).finish()
    }
}

impl Faults {
    /// Adds a fault at `now`. If several apply to a request, the one that was added first is used.
    pub fn add(&self, fault: ProxyFault, now: Timestamp) {
        self.0.faults.lock().unwrap_or_else(PoisonError::into_inner).push(FaultState::new(fault, now));
    }

    /// Removes all faults of this process.
    pub fn clear(&self) {
        self.0.faults.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Sets the source of the faults that apply if none of this process does. Later calls are ignored, because a client
    /// belongs to one account.
    pub fn set_stored(&self, stored: impl Fn(&ProxyCall) -> Option<InjectedFault> + Send + Sync + 'static) {
        let _ = self.0.stored.set(Box::new(stored));
    }

    /// Returns the failure of the next request, and counts the request.
    pub(in crate::xks) fn next_failure(&self, call: &ProxyCall, now: Timestamp) -> Option<InjectedFault> {
        let mut faults = self.0.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let found = faults.iter_mut().find_map(|state| state.on_request(call, now));
        faults.retain(|state| state.is_active(now));
        drop(faults);
        found.or_else(|| self.0.stored.get().and_then(|stored| stored(call)))
    }
}
