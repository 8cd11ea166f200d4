//! The past of an account: what workloads and people did in the days before it was created.
//!
//! The account's clock is set back, and then moves to the present while the requests of the past are made. So each of
//! them is authorized, recorded, and measured at its time, as if it had happened. An interrupted start goes on where it
//! stopped.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Time;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::definition::PastRequest;
use super::{ScenarioWriter, faults};
use crate::aws::error::ServiceError;
use crate::aws::operation::{Protocol, Service};
use crate::bundled::iam::principals;
use crate::bundled::router::{self, InternalRequest};
use crate::bundled::store::{OpenError, StoreError};
use crate::bundled::workloads::whole_milliseconds;
use crate::bundled::{ApiResult, Inner};

/// The longest past, in days. Metrics are kept for 15 days.
const MAX_DAYS: u8 = 14;

/// The part of the past that is still to be made.
#[derive(Serialize, Deserialize)]
struct Remaining {
    region: String,
    /// The requests, the latest first.
    requests: Vec<Request>,
    /// The saved values.
    variables: BTreeMap<String, String>,
    /// The words of the proxy faults that are added in the end.
    faults: Vec<String>,
    /// Whether the next request may have been made already, because the program was interrupted while it was.
    is_started: bool,
}

#[derive(Serialize, Deserialize)]
struct Request {
    time: Timestamp,
    principal: String,
    session: String,
    source_ip: Option<std::net::IpAddr>,
    service: String,
    operation: String,
    input: String,
    save: BTreeMap<String, String>,
    error: Option<String>,
}

/// Parses a time such as `-3d 02:47`.
fn parse_time(text: &str, now: Timestamp) -> Option<Timestamp> {
    let (days, time) = text.strip_prefix('-')?.split_once("d ")?;
    let time = Time::strptime("%H:%M", time).ok()?;
    let today = Offset::UTC.to_datetime(now).date();
    let midnight = Offset::UTC.to_timestamp(today.to_datetime(time)).ok()?;
    midnight.checked_sub(SignedDuration::from_hours(24 * days.parse::<i64>().ok()?)).ok()
}

fn find_service(prefix: &str) -> Option<Service> {
    let has_json = |service: &Service| matches!(service.protocol(), Protocol::Json { .. });
    Service::ALL.into_iter().find(|service| service.action_prefix() == prefix).filter(has_json)
}

/// Returns the requests that a definition stands for, or what is wrong with it.
fn requests(definition: &PastRequest, start: Timestamp, now: Timestamp) -> Result<Vec<Request>, String> {
    let time = parse_time(&definition.at, now)
        .ok_or_else(|| format!("`{}` isn't a time in the past; write one such as -3d 02:47", definition.at))?;
    let (service, operation) = definition.operation.split_once(':').unwrap_or_default();
    if find_service(service).is_none() {
        return Err(format!(
            "`{}` isn't an operation of AWS KMS, CloudTrail, CloudWatch, or tagging; write one such as kms:Decrypt",
            definition.operation
        ));
    }
    let input = definition.input.clone().unwrap_or_else(|| "{}".to_owned());
    serde_json::from_str::<Value>(&input).map_err(|error| format!("the input isn't valid JSON: {error}"))?;
    if definition.save.values().any(|pointer| pointer.ends_with("/Plaintext")) {
        return Err("a plaintext can't be saved, because it would stay in the account. Save /CiphertextBlob".to_owned());
    }
    let every = definition.every.unwrap_or(SignedDuration::from_mins(1));
    let request = |number: u32| {
        let time = every.checked_mul(i32::try_from(number).ok()?).and_then(|after| time.checked_add(after).ok())?;
        (start < time && time < now).then(|| Request {
            time,
            principal: definition.principal.clone(),
            session: definition.session.clone().unwrap_or_else(|| "session".to_owned()),
            source_ip: definition.source_ip,
            service: service.to_owned(),
            operation: operation.to_owned(),
            input: input.clone(),
            save: definition.save.clone(),
            error: definition.error.clone(),
        })
    };
    let requests: Option<Vec<Request>> = (0..definition.times).map(request).collect();
    requests.ok_or_else(|| "the request isn't within the days of the past".to_owned())
}

impl ScenarioWriter<'_> {
    /// Sets the clock back to the beginning of the past, if there is one. Faults act in the present only.
    pub(super) fn insert_past_and_faults(&self) -> Result<(), OpenError> {
        let now = self.environment().clock.now();
        let faults = self.checked_faults()?;
        let Some(past) = &self.scenario.past else { return faults::insert(self.tx, &faults, now) };
        let start = now.saturating_sub(SignedDuration::from_hours(24 * i64::from(past.days))).unwrap_or(Timestamp::MIN);
        let mut all = Vec::new();
        for entry in &past.request {
            let found = requests(entry.get_ref(), start, now);
            all.extend(found.map_err(|reason| self.source.problem_at(&entry.span(), &reason))?);
        }
        if !(1..=MAX_DAYS).contains(&past.days) {
            return Err(self.source.problem(&format!("the past must have 1 to {MAX_DAYS} days")));
        }
        all.sort_by_key(|request| std::cmp::Reverse(request.time));
        let remaining = Remaining {
            region: self.account.region.clone(),
            requests: all,
            variables: BTreeMap::new(),
            faults,
            is_started: false,
        };
        self.tx.execute("INSERT INTO meta VALUES ('past', ?1)", [serde_json::to_vec(&remaining)?])?;
        self.tx.execute("UPDATE account_clock SET ahead = ?1", params![-24 * 60 * 60 * 1000 * i64::from(past.days)])?;
        Ok(())
    }
}

/// Makes what is left of the account's past, if there is something left.
///
/// # Errors
/// [`OpenError`] if a request has another result than the scenario says, or if the database can't be written.
pub fn make(aws: &Arc<Inner>) -> Result<(), OpenError> {
    let remaining: Option<Vec<u8>> = aws
        .store
        .read(|tx| tx.query_row("SELECT value FROM meta WHERE name = 'past'", [], |row| row.get(0)).optional())?;
    let Some(remaining) = remaining else { return Ok(()) };
    let remaining: Remaining = serde_json::from_slice(&remaining)?;
    aws.store.reload_clock()?;
    // If the machine crashes, more of the past is made again at the next start.
    aws.store.set_durable(false)?;
    // The caller can be in a runtime already, which can't run another one on the same thread.
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| ServiceError::new("InternalFailure", error.to_string()))?;
            runtime.block_on(make_remaining(aws, remaining))
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    Ok(aws.store.set_durable(true)?)
}

async fn make_remaining(aws: &Inner, mut remaining: Remaining) -> Result<(), OpenError> {
    let ahead = || aws.store.environment().clock.ahead();
    let advance = |step: SignedDuration| -> ApiResult<()> {
        aws.store.advance_clock(step, SignedDuration::ZERO)?;
        Ok(())
    };
    while !remaining.requests.is_empty() {
        let was_interrupted = std::mem::replace(&mut remaining.is_started, true);
        save(aws, &remaining)?;
        let Some(request) = remaining.requests.pop() else { break };
        let time = whole_milliseconds(request.time.duration_since(aws.store.environment().clock.now()));
        if time.is_positive() {
            aws.pass_time_in_steps(time.min(ahead().abs()), SignedDuration::ZERO, None, advance).await?;
        }
        let result = perform(aws, &request, &remaining.region, &mut remaining.variables).await;
        // The second time, a request can have another result, such as that its alias exists already.
        if !was_interrupted {
            result?;
        }
        remaining.is_started = false;
        save(aws, &remaining)?;
    }
    if ahead().is_negative() {
        aws.pass_time_in_steps(ahead().abs(), SignedDuration::ZERO, None, advance).await?;
    }
    let now = aws.store.environment().clock.now();
    aws.store.write(|tx| {
        faults::insert(tx, &remaining.faults, now)?;
        tx.execute("DELETE FROM meta WHERE name = 'past'", [])?;
        Ok(())
    })
}

fn save(aws: &Inner, remaining: &Remaining) -> Result<(), OpenError> {
    let value = serde_json::to_vec(remaining)?;
    aws.store.write(|tx| tx.execute("UPDATE meta SET value = ?1 WHERE name = 'past'", [value]))?;
    Ok(())
}

async fn perform(
    aws: &Inner,
    request: &Request,
    region: &str,
    variables: &mut BTreeMap<String, String>,
) -> Result<(), OpenError> {
    let mut input = request.input.clone();
    for (name, value) in &*variables {
        // In JSON, without the quotation marks.
        let quoted = serde_json::to_string(value)?;
        input = input.replace(&format!("${{{name}}}"), quoted.trim_matches('"'));
    }
    let failed = |problem: String| {
        let Request { time, service, operation, .. } = request;
        ServiceError::new("InvalidScenario", format!("{service}:{operation} of the past, at {time}, {problem}"))
    };
    let service = find_service(&request.service).ok_or_else(|| failed("isn't known".to_owned()))?;
    let caller = principals::find_caller(aws, &request.principal, &request.session)?;
    let internal = InternalRequest {
        caller,
        region,
        service,
        operation: &request.operation,
        body: input.as_bytes(),
        user_agent: &request.session,
        source_ip: request.source_ip,
    };
    let output = match (router::handle_internally(aws, internal).await, &request.error) {
        (Ok(output), None) => output,
        (Err(StoreError(error)), Some(code)) if error.code == *code => return Ok(()),
        (Err(StoreError(error)), _) => return Err(failed(format!("failed: {}: {}", error.code, error.message)).into()),
        (Ok(_), Some(code)) => return Err(failed(format!("succeeded, but must fail with {code}")).into()),
    };
    let output: Value = if output.is_empty() { Value::Null } else { serde_json::from_slice(&output)? };
    for (name, pointer) in &request.save {
        let found = output.pointer(pointer).and_then(Value::as_str);
        let value = found.ok_or_else(|| failed(format!("has no text at {pointer} in its output")))?;
        variables.insert(name.clone(), value.to_owned());
    }
    Ok(())
}
