//! Parses faults from words.

use jiff::SignedDuration;

use super::kinds::all_kinds;
use super::{FaultKind, FaultScope, Latency, OPERATIONS, ProxyFault, Schedule};
use crate::clock_step::{self, InvalidStep};
use crate::text::nearest;

/// The longest latency, in milliseconds: a minute.
const MAX_LATENCY_MILLIS: u32 = 60_000;
/// The maximum length of the name of a partition or key store, in characters. Key store names have up to 256.
const MAX_NAME_LENGTH: usize = 256;
/// The words after the failure, for hints.
const OPTIONS: [&str; 8] = ["partition", "key-store", "times", "after", "percent", "seed", "for", "jitter"];

/// Why words aren't a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FaultError {
    /// The index of the wrong word. The number of words if one is missing.
    pub index: usize,
    /// What is wrong, and what to write.
    pub message: String,
}

fn error(index: usize, message: impl Into<String>) -> FaultError {
    FaultError { index, message: message.into() }
}

/// Splits a text into words. A text in double quotes is one word, without its quotes.
pub fn split_words(text: &str) -> Vec<&str> {
    let (mut words, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        let quoted = rest.strip_prefix('"').and_then(|inside| inside.split_once('"'));
        let (word, after) =
            quoted.unwrap_or_else(|| rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())));
        words.push(word);
        rest = after.trim_start();
    }
    words
}

/// Parses a fault, such as `xks:Encrypt timeout 2 times partition frankfurt`.
///
/// # Errors
/// [`FaultError`].
pub fn parse(words: &[&str]) -> Result<ProxyFault, FaultError> {
    let [target, how, ..] = words else {
        return Err(error(words.len(), "write what fails and how, such as xks:Encrypt timeout 2 times"));
    };
    let operation = parse_operation(target)?;
    let mut kind = parse_kind(how)?;
    let mut at = 2;
    if let FaultKind::Latency(latency) = &mut kind {
        *latency = parse_latency(words, &mut at)?;
    }
    if let Some(operation) = operation
        && !kind.applies_to(operation)
    {
        let possible: Vec<String> =
            OPERATIONS.iter().filter(|name| kind.applies_to(name)).map(|name| format!("xks:{name}")).collect();
        return Err(error(1, format!("`{how}` doesn't apply to {target}; use it with {}", possible.join(" or "))));
    }
    let mut options = Options { kind, scope: FaultScope::All, schedule: Schedule::default(), seen: Vec::new() };
    while at < words.len() {
        at = options.parse_next(words, at)?;
    }
    Ok(ProxyFault { operation, kind: options.kind, scope: options.scope, schedule: options.schedule })
}

fn parse_operation(target: &str) -> Result<Option<&'static str>, FaultError> {
    let known = || OPERATIONS.into_iter().chain(["*"]);
    let Some(name) = target.strip_prefix("xks:") else {
        let example = nearest(target, OPERATIONS).unwrap_or("Encrypt");
        return Err(error(0, format!("`{target}` is not an operation of proxies; write it as xks:{example}")));
    };
    match known().find(|known| *known == name) {
        Some("*") => Ok(None),
        Some(operation) => Ok(Some(operation)),
        None => {
            let hint = nearest(name, known()).map_or_else(
                || format!("use one of {}, or * for all", OPERATIONS.join(", ")),
                |near| format!("did you mean xks:{near}?"),
            );
            Err(error(0, format!("`{target}` is not an operation of proxies; {hint}")))
        }
    }
}

fn parse_kind(word: &str) -> Result<FaultKind, FaultError> {
    FaultKind::from_word(word).ok_or_else(|| {
        let words = || all_kinds().map(|info| info.word);
        error(
            1,
            match nearest(word, words()) {
                Some(near) => format!("`{word}` is not a failure of a proxy; did you mean {near}?"),
                None => {
                    format!(
                        "`{word}` is not a failure of a proxy; use one of {}",
                        words().collect::<Vec<_>>().join(", ")
                    )
                }
            },
        )
    })
}

/// Parses a time such as `100ms` or `2s`, in milliseconds.
fn parse_millis(word: &str) -> Option<u32> {
    let (number, factor) = match word.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (word.strip_suffix('s')?, 1000),
    };
    parse_number::<u32>(number)?.checked_mul(factor).filter(|millis| *millis <= MAX_LATENCY_MILLIS)
}

/// Parses digits, without a sign.
fn parse_number<N: std::str::FromStr>(word: &str) -> Option<N> {
    word.parse().ok().filter(|_| word.starts_with(|first: char| first.is_ascii_digit()))
}

/// Parses the times of a latency, and moves `at` behind them.
fn parse_latency(words: &[&str], at: &mut usize) -> Result<Latency, FaultError> {
    let example = "write a time of up to 60s after latency, such as 100ms, or percentiles such as p50=20ms p99=400ms";
    let first = words.get(*at).ok_or_else(|| error(*at, example))?;
    if !first.contains('=') {
        let millis = parse_millis(first).ok_or_else(|| error(*at, format!("`{first}` is not a latency; {example}")))?;
        *at += 1;
        return Ok(Latency::Fixed { millis, jitter: 0 });
    }
    let mut pairs: Vec<(u8, u32)> = Vec::new();
    while let Some((word, (percent, millis))) = words.get(*at).and_then(|word| Some((*word, word.split_once('=')?))) {
        let percent = percent.strip_prefix('p').and_then(parse_number).filter(|percent| (1..=100).contains(percent));
        let pair = percent.zip(parse_millis(millis));
        let pair = pair.ok_or_else(|| error(*at, format!("`{word}` is not a percentile; write p50=20ms")))?;
        if pairs.last().is_some_and(|last| last.0 >= pair.0 || last.1 > pair.1) {
            return Err(error(*at, format!("`{word}` must have a higher percentage and a longer time than before")));
        }
        pairs.push(pair);
        *at += 1;
    }
    Ok(Latency::Percentiles(pairs))
}

/// The parts of a fault after its kind.
struct Options {
    kind: FaultKind,
    scope: FaultScope,
    schedule: Schedule,
    /// The options that were parsed.
    seen: Vec<&'static str>,
}

impl Options {
    /// Parses the option at `at`, and returns the index of the next one.
    fn parse_next(&mut self, words: &[&str], at: usize) -> Result<usize, FaultError> {
        let (option, length) = match &words[at..] {
            ["partition", ..] => ("partition", 2),
            ["key-store", ..] => ("key-store", 2),
            ["after", ..] => ("after", if words.get(at + 2).is_some_and(|word| is_requests(word)) { 3 } else { 2 }),
            ["seed", ..] => ("seed", 2),
            ["for", ..] => ("for", 2),
            ["jitter", ..] => ("jitter", 2),
            [_, "times" | "time", ..] => ("times", 2),
            [_, "percent", ..] => ("percent", 2),
            [word, ..] => {
                let hint = nearest(word, OPTIONS).map_or_else(String::new, |near| format!("; did you mean {near}"));
                return Err(error(
                    at,
                    format!(
                        "`{word}` is not known here{hint}. Write `partition NAME`, `key-store NAME`, `2 times`, \
                         `after 3 requests`, `30 percent`, `seed 7`, or `for 10m`"
                    ),
                ));
            }
            [] => return Ok(at),
        };
        let group = if option == "key-store" { "partition" } else { option };
        if self.seen.contains(&group) {
            return Err(error(at, format!("write only one {option}")));
        }
        self.seen.push(group);
        let value_at = if matches!(option, "times" | "percent") { at } else { at + 1 };
        let value = words.get(value_at).copied();
        let example = match option {
            "after" => Some("after 3 requests"),
            "seed" => Some("seed 7"),
            "for" => Some("for 10m"),
            "jitter" => Some("jitter 50ms"),
            _ => None,
        };
        if let (None, Some(example)) = (value, example) {
            return Err(error(at, format!("`{option}` needs a value; write {example}")));
        }
        self.set(option, value).map_err(|message| error(value.map_or(at, |_| value_at), message))?;
        Ok(at + length)
    }

    fn set(&mut self, option: &str, value: Option<&str>) -> Result<(), String> {
        let shown = value.unwrap_or_default();
        match option {
            "partition" => {
                let name = value.filter(|name| is_name(name)).ok_or("write the name of a partition after partition")?;
                self.scope = FaultScope::Partition(name.to_owned());
            }
            "key-store" => {
                let name = value
                    .filter(|name| is_name(name))
                    .ok_or("write the ID or the name of a key store after key-store")?;
                self.scope = FaultScope::KeyStore(name.to_owned());
            }
            "times" => {
                let count = value.and_then(parse_number).filter(|count| *count > 0);
                self.schedule.count =
                    Some(count.ok_or_else(|| format!("`{shown}` is not a number of requests; write 2 times"))?);
            }
            "after" => {
                let after = value.and_then(parse_number).filter(|count| *count > 0);
                self.schedule.after =
                    after.ok_or_else(|| format!("`{shown}` is not a number of requests; write after 3 requests"))?;
            }
            "percent" => {
                let percent = value.and_then(parse_number).filter(|percent| (1..=100).contains(percent));
                self.schedule.percent = Some(
                    percent.ok_or_else(|| format!("`{shown}` is not a percentage from 1 to 100; write 30 percent"))?,
                );
            }
            "seed" => {
                self.schedule.seed = value
                    .and_then(parse_number)
                    .ok_or_else(|| format!("`{shown}` is not a seed; write a whole number, such as seed 7"))?;
            }
            "for" => self.schedule.duration = Some(parse_duration(shown)?),
            _ => {
                let FaultKind::Latency(Latency::Fixed { millis, jitter }) = &mut self.kind else {
                    return Err(
                        "only a latency with one time has a jitter, such as latency 100ms jitter 50ms".to_owned()
                    );
                };
                let parsed = value.and_then(parse_millis).filter(|jitter| *jitter <= *millis);
                *jitter = parsed.ok_or_else(|| {
                    format!("`{shown}` is not a jitter of up to {millis}ms; write a time such as jitter 50ms")
                })?;
            }
        }
        Ok(())
    }
}

fn is_requests(word: &str) -> bool {
    matches!(word, "requests" | "request")
}

/// Returns whether a text can be the name of a partition or a key store: names are shown in headers of responses.
fn is_name(text: &str) -> bool {
    let is_valid = |character: char| matches!(character, ' '..='~') && character != '"';
    !text.trim().is_empty() && text.trim() == text && text.len() <= MAX_NAME_LENGTH && text.chars().all(is_valid)
}

fn parse_duration(word: &str) -> Result<SignedDuration, String> {
    let is_plain = word.starts_with(|first: char| first.is_ascii_digit());
    let parsed = if is_plain { clock_step::parse(&format!("+{word}")) } else { Err(InvalidStep::Malformed) };
    parsed.map_err(|reason| match reason {
        InvalidStep::TooLong => format!("`{word}` is longer than 10 years; write a shorter time"),
        InvalidStep::Malformed | InvalidStep::Backward => {
            format!("`{word}` is not a time in whole seconds; write a time such as for 10m")
        }
    })
}
