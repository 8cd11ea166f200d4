use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::xks::failure::TlsProblem;

fn parsed(text: &str) -> ProxyFault {
    parse(&split_words(text)).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn problem(text: &str) -> (usize, String) {
    let FaultError { index, message } = parse(&split_words(text)).unwrap_err();
    (index, message)
}

fn call<'a>(operation: &'a str, uri_path: &'a str) -> ProxyCall<'a> {
    ProxyCall { operation, uri_path, key_store_id: "cks-1", key_store_name: "Oslo HSM" }
}

const PARIS: &str = "/paris/kms/xks/v1";
const START: Timestamp = Timestamp::UNIX_EPOCH;

/// Returns which of the next requests fail.
fn failures(state: &mut FaultState, requests: usize) -> Vec<bool> {
    (0..requests).map(|_| state.on_request(&call("Encrypt", PARIS), START).is_some()).collect()
}

#[test]
fn words_become_a_fault() {
    let fault = parsed("xks:Encrypt timeout 2 times partition paris after 3 requests 30 percent seed 7 for 1d12h");
    assert_eq!((fault.operation, &fault.kind), (Some("Encrypt"), &FaultKind::Timeout));
    assert_eq!(fault.scope, FaultScope::Partition("paris".to_owned()));
    let duration = Some(SignedDuration::from_hours(36));
    assert_eq!(fault.schedule, Schedule { count: Some(2), after: 3, percent: Some(30), seed: 7, duration });
    assert_eq!(parsed("xks:* tls").operation, None);
    assert_eq!(
        parsed("xks:* latency 2s jitter 500ms").kind,
        FaultKind::Latency(Latency::Fixed { millis: 2000, jitter: 500 })
    );
    let percentiles = Latency::Percentiles(vec![(50, 20), (99, 400)]);
    assert_eq!(parsed("xks:* latency p50=20ms p99=400ms 1 time").kind, FaultKind::Latency(percentiles));
    assert_eq!(parsed("xks:* ThrottlingException after 1").kind, FaultKind::Error(ErrorName::ThrottlingException));
    let scope = parsed("xks:* unknown-ca key-store \"Oslo HSM\"").scope;
    assert_eq!(scope, FaultScope::KeyStore("Oslo HSM".to_owned()));
}

#[test]
fn every_kind_has_a_word_and_a_meaning() {
    let kinds: Vec<KindInfo> = all_kinds().collect();
    assert_eq!(kinds.len(), KINDS.len() + ErrorName::ALL.len());
    for KindInfo { word, meaning } in kinds {
        let kind = FaultKind::from_word(word).unwrap();
        assert_eq!(kind.word(), word);
        assert!(meaning.ends_with('.') && (word == "latency" || kind.meaning() == meaning), "{word}: {meaning}");
        assert!(OPERATIONS.iter().any(|operation| kind.applies_to(operation)), "{word}");
    }
    assert_eq!(FaultKind::from_word("tls"), Some(FaultKind::Tls(TlsProblem::Handshake)));
}

#[test]
fn errors_name_the_wrong_word_and_what_to_write() {
    for (text, index, part) in [
        ("", 0, "write what fails and how"),
        ("xks:Encrypt", 1, "write what fails and how"),
        ("Encrypt timeout", 0, "write it as xks:Encrypt"),
        ("xks:Encrpt timeout", 0, "did you mean xks:Encrypt?"),
        ("xks:Sign timeout", 0, "use one of GetHealthStatus"),
        ("xks:Encrypt timout", 1, "did you mean timeout?"),
        ("xks:Encrypt ThrotlingException", 1, "did you mean ThrottlingException?"),
        ("xks:Encrypt broken-beyond", 1, "use one of latency, timeout"),
        ("xks:Encrypt manager-degraded", 1, "use it with xks:GetHealthStatus"),
        ("xks:GetHealthStatus wrong-tag", 1, "use it with xks:Encrypt or xks:Decrypt"),
        ("xks:* latency", 2, "write a time"),
        ("xks:* latency soon", 2, "is not a latency"),
        ("xks:* latency 61s", 2, "is not a latency"),
        ("xks:* latency p0=1ms", 2, "is not a percentile"),
        ("xks:* latency p99=20ms p50=400ms", 3, "higher percentage"),
        ("xks:* latency 10ms jitter 20ms", 4, "is not a jitter of up to 10ms"),
        ("xks:* timeout jitter 20ms", 3, "only a latency"),
        ("xks:* timeout partition", 2, "the name of a partition"),
        ("xks:* timeout key-store", 2, "the ID or the name"),
        ("xks:* timeout partition a key-store b", 4, "write only one key-store"),
        ("xks:* timeout partiton a", 2, "did you mean partition."),
        ("xks:* timeout 0 times", 2, "not a number of requests"),
        ("xks:* timeout -1 times", 2, "not a number of requests"),
        ("xks:* timeout after some", 3, "not a number of requests"),
        ("xks:* timeout 101 percent", 2, "not a percentage"),
        ("xks:* timeout seed x", 3, "not a seed"),
        ("xks:* timeout for ever", 3, "not a time"),
        ("xks:* timeout for", 2, "`for` needs a value; write for 10m"),
        ("xks:* timeout for 3654d", 3, "longer than 10 years"),
        ("xks:* timeout 2 times 3 times", 4, "write only one times"),
    ] {
        let (at, message) = problem(text);
        assert!(at == index && message.contains(part), "{text}: {at} {message}");
    }
}

#[test]
fn fault_applies_to_its_operation_and_proxy() {
    let applies = |text: &str, operation, path| parsed(text).applies_to(&call(operation, path));
    assert!(applies("xks:Encrypt timeout partition paris", "Encrypt", PARIS));
    assert!(!applies("xks:Encrypt timeout partition paris", "Decrypt", PARIS));
    assert!(!applies("xks:Encrypt timeout partition paris", "Encrypt", "/parisian/kms/xks/v1"));
    assert!(applies("xks:* timeout partition team/red", "Encrypt", "/team/red/kms/xks/v1"));
    assert!(!applies("xks:* key-disabled", "GetHealthStatus", PARIS));
    assert!(applies("xks:* timeout key-store cks-1", "Encrypt", PARIS));
    assert!(applies("xks:* timeout key-store \"Oslo HSM\"", "Encrypt", PARIS));
    assert!(!applies("xks:* timeout key-store cks-2", "Encrypt", PARIS));
}

#[test]
fn requests_fail_as_the_schedule_says() {
    let state = |text| FaultState::new(parsed(text), START);
    assert_eq!(failures(&mut state("xks:* timeout"), 3), [true; 3]);
    let mut twice = state("xks:* timeout 2 times after 1 request");
    assert_eq!(failures(&mut twice, 4), [false, true, true, false]);
    assert_eq!((twice.matched, twice.hits, twice.is_active(START)), (3, 2, false));
    let mut other = state("xks:Decrypt timeout 1 time");
    assert_eq!((failures(&mut other, 2), other.matched), (vec![false, false], 0));
    assert_eq!(failures(&mut state("xks:* timeout 100 percent"), 50), [true; 50]);
}

#[test]
fn fault_ends_by_the_clock_of_the_account() {
    let mut state = FaultState::new(parsed("xks:* timeout for 10m"), START);
    let later = |minutes| START + SignedDuration::from_mins(minutes);
    assert!(state.on_request(&call("Encrypt", PARIS), later(9)).is_some());
    assert!(state.on_request(&call("Encrypt", PARIS), later(10)).is_none() && !state.is_active(later(10)));
}

#[test]
fn random_choices_depend_only_on_the_seed_and_the_number_of_the_request() {
    let state = |seed| FaultState::new(parsed(&format!("xks:* timeout 30 percent seed {seed}")), START);
    let whole = failures(&mut state(7), 400);
    let count = whole.iter().filter(|failed| **failed).count();
    assert!((90..150).contains(&count), "{count}");
    assert_ne!(whole, failures(&mut state(8), 400));
    // Another process continues with the number that was stored.
    let mut continued = FaultState { matched: 150, ..state(7) };
    assert_eq!(failures(&mut continued, 250), whole[150..]);
}

#[test]
fn latency_keeps_to_its_jitter_and_percentiles() {
    let delays = |text: &str| {
        let mut state = FaultState::new(parsed(text), START);
        let delay = |_| state.on_request(&call("Encrypt", PARIS), START).unwrap().delay.as_millis();
        (0..1000).map(delay).collect::<Vec<_>>()
    };
    assert!(delays("xks:* latency 100ms").iter().all(|delay| *delay == 100));
    let jitter = delays("xks:* latency 100ms jitter 50ms");
    assert!(jitter.iter().all(|delay| (50..=150).contains(delay)) && jitter.iter().any(|delay| *delay < 60));
    let percentiles = delays("xks:* latency p50=20ms p99=400ms");
    let share = |limit| percentiles.iter().filter(|delay| **delay <= limit).count();
    assert!((450..550).contains(&share(20)), "{}", share(20));
    assert_eq!(share(400), 1000);
    assert!((700..780).contains(&share(210)), "{}", share(210));
}

#[test]
fn first_fault_that_applies_is_used_and_ends_after_its_count() {
    let faults = Faults::default();
    let next = |operation, path| faults.next_failure(&call(operation, path), START).map(|fault| fault.kind);
    faults.add(parsed("xks:Encrypt timeout 1 time"), START);
    faults.add(parsed("xks:* tls"), START);
    faults.set_stored(|call| {
        let kind = FaultKind::Unreachable;
        (call.operation == "Decrypt").then_some(InjectedFault { kind, delay: std::time::Duration::ZERO })
    });
    let tls = || Some(FaultKind::Tls(TlsProblem::Handshake));
    assert_eq!([next("Encrypt", PARIS), next("Encrypt", PARIS)], [Some(FaultKind::Timeout), tls()]);
    assert_eq!(next("Decrypt", PARIS), tls());
    faults.clear();
    assert_eq!([next("Encrypt", PARIS), next("Decrypt", PARIS)], [None, Some(FaultKind::Unreachable)]);
}

#[test]
fn descriptions_say_what_fails_how_and_when() {
    let described = |text: &str| {
        let fault = parsed(text);
        (fault.target(), fault.kind.meaning(), fault.when())
    };
    let (target, meaning, when) = described("xks:* latency 80ms jitter 20ms key-store cks-1 25 percent for 10m");
    assert_eq!(target, "All operations, key store cks-1");
    assert_eq!(meaning, "The response takes 80 ms, plus or minus up to 20 ms.");
    assert_eq!(when, "25% of requests, for 10 m");
    let (target, _, when) = described("xks:Encrypt wrong-cdiv partition paris 1 time after 2 requests");
    assert_eq!((target.as_str(), when.as_str()), ("Encrypt, partition paris", "1 time, after 2 requests"));
    let (_, meaning, when) = described("xks:* latency p50=20ms p99=400ms");
    assert_eq!(meaning, "The response takes up to 20 ms for 50%, up to 400 ms for 99% of the requests.");
    assert_eq!(when, "every request");
}

fn any_kind() -> impl Strategy<Value = FaultKind> {
    let fixed = (0u32..=60_000).prop_flat_map(|millis| (Just(millis), 0..=millis));
    let fixed = fixed.prop_map(|(millis, jitter)| FaultKind::Latency(Latency::Fixed { millis, jitter }));
    let percentiles = prop::collection::btree_map(1u8..=100, 0u32..=60_000, 1..4).prop_map(|pairs| {
        let mut millis: Vec<u32> = pairs.values().copied().collect();
        millis.sort_unstable();
        FaultKind::Latency(Latency::Percentiles(pairs.into_keys().zip(millis).collect()))
    });
    let words: Vec<&str> = all_kinds().map(|info| info.word).filter(|word| *word != "latency").collect();
    let others = prop::sample::select(words).prop_map(|word| FaultKind::from_word(word).unwrap());
    prop_oneof![fixed, percentiles, others]
}

fn any_fault() -> impl Strategy<Value = ProxyFault> {
    let name = "[a-zA-Z0-9/_-]{1,12}( [a-zA-Z0-9]{1,5})?";
    let scope =
        prop_oneof![Just(FaultScope::All), name.prop_map(FaultScope::Partition), name.prop_map(FaultScope::KeyStore),];
    let count = prop::option::of(1u32..);
    let duration = prop::option::of((1i64..=3653 * 86_400).prop_map(SignedDuration::from_secs));
    let schedule = (count, any::<u32>(), prop::option::of(1u8..=100), any::<u64>(), duration)
        .prop_map(|(count, after, percent, seed, duration)| Schedule { count, after, percent, seed, duration });
    (any_kind(), scope, schedule, 0..=OPERATIONS.len()).prop_map(|(kind, scope, schedule, operation)| {
        let operation = OPERATIONS.get(operation).copied().filter(|operation| kind.applies_to(operation));
        ProxyFault { operation, kind, scope, schedule }
    })
}

proptest! {
    #[test]
    fn words_of_a_fault_are_parsed_to_the_same_fault(fault in any_fault()) {
        let text = fault.to_string();
        prop_assert_eq!(parse(&split_words(&text)), Ok(fault), "{}", text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(xks:(Encrypt|\\*) )?([a-z]{0,9}|latency|p[0-9]{1,3}=[0-9]{1,9}(ms|s)|[0-9]{1,12}|\"| |times|for|é){0,8}") {
        if let Err(error) = parse(&split_words(&text)) {
            prop_assert!(error.index <= split_words(&text).len());
        }
    }
}
