//! Descriptions of faults for people.

use super::kinds::error_meaning;
use super::{FaultKind, FaultScope, KINDS, Latency, ProxyFault, Schedule, plural};
use crate::clock_step;

impl ProxyFault {
    /// Returns what fails, such as `Encrypt, partition frankfurt`.
    pub fn target(&self) -> String {
        let operation = self.operation.unwrap_or("All operations");
        match &self.scope {
            FaultScope::All => operation.to_owned(),
            FaultScope::Partition(name) => format!("{operation}, partition {name}"),
            FaultScope::KeyStore(name) => format!("{operation}, key store {name}"),
        }
    }

    /// Returns when requests fail, such as `2 times, after 3 requests`, or `every request`.
    pub fn when(&self) -> String {
        let Schedule { count, after, percent, duration, .. } = &self.schedule;
        let parts = [
            percent.map(|percent| format!("{percent}% of requests")),
            count.map(|count| format!("{count} time{}", plural(count))),
            (*after > 0).then(|| format!("after {after} request{}", plural(*after))),
            duration.map(|duration| format!("for {}", clock_step::format(duration))),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "every request".to_owned() } else { parts.join(", ") }
    }
}

impl FaultKind {
    /// Returns what happens, as a sentence.
    pub fn meaning(&self) -> String {
        match self {
            Self::Latency(Latency::Fixed { millis, jitter: 0 }) => format!("The response takes {millis} ms."),
            Self::Latency(Latency::Fixed { millis, jitter }) => {
                format!("The response takes {millis} ms, plus or minus up to {jitter} ms.")
            }
            Self::Latency(Latency::Percentiles(pairs)) => {
                let part = |(percent, millis): &(u8, u32)| format!("up to {millis} ms for {percent}%");
                format!("The response takes {} of the requests.", pairs.iter().map(part).collect::<Vec<_>>().join(", "))
            }
            Self::Error(name) => error_meaning(*name).to_owned(),
            other => {
                let info = KINDS.iter().find(|info| info.word == other.word());
                info.map_or_else(String::new, |info| info.meaning.to_owned())
            }
        }
    }
}
