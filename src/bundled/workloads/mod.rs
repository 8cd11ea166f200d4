//! Workloads: applications that use KMS keys of the account all the time, so that a failure of a key store has victims.
//!
//! A workload makes a request each time that its interval has passed on the account's clock. No application runs: the
//! requests are made on behalf of its role, and are authorized, recorded, and measured like all others.

mod schedule;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::schedule::{DailyHours, next_run};

use super::iam::principals;
use super::router::{self, InternalRequest};
use super::store::StoreError;
use super::{ApiResult, BundledAws, Call, Inner};
use crate::aws::operation::Service;
use crate::aws::scalar::EpochSeconds;
use crate::aws::xks_console::{self, ListWorkloads, ListWorkloadsOutput};
use crate::xks::proxy::wipe;

/// How many steps the account's clock makes at most when it's moved, so that moving it by years doesn't take minutes.
/// Workloads that are due more often make fewer requests.
const MAX_STEPS: i32 = 400;
/// How long the machine may take to move the account's clock. Callers wait for the response.
const MAX_PASSING_TIME: Duration = Duration::from_secs(20);
/// How long to wait at most before looking again which workload is due, because another process can move the clock.
const MAX_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// What a workload asks AWS KMS for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkloadOperation {
    /// Encrypts a small value with the KMS key.
    Encrypt,
    /// Decrypts the same data key, as an application that reads its own data does.
    Decrypt,
    /// Generates a new data key.
    GenerateDataKey,
}

impl WorkloadOperation {
    /// Returns the name of the operation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Encrypt => "Encrypt",
            Self::Decrypt => "Decrypt",
            Self::GenerateDataKey => "GenerateDataKey",
        }
    }
}

/// A workload, as scenarios define it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The name, which is also the name of the role's session.
    pub name: String,
    /// The ARN of the role.
    pub role: String,
    /// The alias or the ID of the KMS key.
    pub key: String,
    pub operation: WorkloadOperation,
    /// The time between two runs.
    pub every: SignedDuration,
    /// How long a plaintext data key is used before the workload asks for it again. `None` if it isn't cached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_data_keys: Option<SignedDuration>,
    /// The hours of the day, in UTC, in which it runs. `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<DailyHours>,
    /// The address that its requests come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<IpAddr>,
}

/// What has happened to a workload so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Progress {
    /// The ciphertext of the data key that the workload decrypts, in Base64.
    encrypted_data_key: Option<String>,
    cached_until: Option<Timestamp>,
    last_run: Option<Timestamp>,
    /// The error of the last request.
    error: Option<(String, String)>,
    failing_since: Option<Timestamp>,
    requests: u64,
    failures: u64,
}

/// A workload that is due.
struct Run {
    account_region: String,
    definition: Definition,
    progress: Progress,
    /// When it was due.
    due: Timestamp,
}

/// Adds a workload whose first run is due at `first`.
pub fn insert(tx: &Transaction, account_region: &str, definition: &Definition, first: Timestamp) -> ApiResult<()> {
    tx.execute(
        "INSERT INTO workloads VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            account_region,
            definition.name,
            serde_json::to_string(definition)?,
            next_run(first, definition.every, definition.hours.as_ref()).as_millisecond(),
            serde_json::to_string(&Progress::default())?
        ],
    )?;
    Ok(())
}

impl Inner {
    /// Returns when the next workload is due, or `None` if there are no workloads.
    fn next_workload(&self) -> ApiResult<Option<Timestamp>> {
        let next: Option<i64> = self.store.read(|tx| -> ApiResult<_> {
            Ok(tx.prepare_cached("SELECT min(next) FROM workloads")?.query_row([], |row| row.get(0))?)
        })?;
        Ok(next.map(|next| Timestamp::from_millisecond(next).unwrap_or(Timestamp::MAX)))
    }

    /// Returns whether the account has workloads.
    fn has_workloads(&self) -> ApiResult<bool> {
        Ok(self.next_workload()?.is_some())
    }

    /// Runs the workloads that are due. A workload that is due several times runs once.
    async fn run_due_workloads(&self) -> ApiResult<()> {
        let now = self.store.environment().clock.now();
        let mut result = Ok(());
        for run in self.claim_due_workloads(now)? {
            // One that fails must not keep the others from running.
            result = result.and(self.run_workload(run, now).await);
        }
        result
    }

    /// Sets the next run of each workload that is due, so that no other process runs it, too.
    fn claim_due_workloads(&self, now: Timestamp) -> ApiResult<Vec<Run>> {
        self.store.append(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT world, definition, progress, next FROM workloads WHERE next <= ?1 ORDER BY name",
            )?;
            let rows = query.query_map([now.as_millisecond()], |row| {
                Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get(3)?))
            })?;
            let mut due = Vec::new();
            for row in rows {
                let (account_region, definition, progress, next) = row?;
                let definition: Definition = serde_json::from_str(&definition)?;
                let progress = serde_json::from_str(&progress)?;
                let time = Timestamp::from_millisecond(next).unwrap_or(now);
                due.push(Run { account_region, definition, progress, due: time });
            }
            let mut update = tx.prepare_cached("UPDATE workloads SET next = ?3 WHERE world = ?1 AND name = ?2")?;
            for Run { account_region, definition, .. } in &due {
                let after = now.saturating_add(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MAX);
                let next = next_run(after, definition.every, definition.hours.as_ref());
                update.execute(params![account_region, definition.name, next.as_millisecond()])?;
            }
            Ok(due)
        })
    }

    async fn run_workload(&self, run: Run, now: Timestamp) -> ApiResult<()> {
        let Run { account_region, definition, mut progress, due } = run;
        progress.last_run = Some(now);
        let was_failing = progress.failing_since.is_some();
        if progress.cached_until.is_none_or(|until| until <= now) {
            let result = self.perform(&account_region, &definition, &mut progress).await;
            progress.requests += 1;
            match result {
                Ok(()) => {
                    progress.cached_until = definition.cache_data_keys.and_then(|time| due.checked_add(time).ok());
                    (progress.error, progress.failing_since) = (None, None);
                }
                Err(StoreError(error)) => {
                    progress.failures += 1;
                    progress.cached_until = None;
                    progress.error = Some((error.code, error.message));
                    progress.failing_since.get_or_insert(now);
                }
            }
        }
        let json = serde_json::to_string(&progress)?;
        let save = |tx: &Transaction| -> ApiResult<()> {
            tx.prepare_cached("UPDATE workloads SET progress = ?3 WHERE world = ?1 AND name = ?2")?
                .execute(params![account_region, definition.name, json])?;
            Ok(())
        };
        // Consoles that show the workloads want to know at once that one has failed or works again.
        if progress.failing_since.is_some() == was_failing { self.store.append(save) } else { self.store.write(save) }
    }

    async fn perform(&self, account_region: &str, definition: &Definition, progress: &mut Progress) -> ApiResult<()> {
        let region = account_region.rsplit('/').next().unwrap_or_default();
        let caller = principals::find_caller(self, &definition.role, &definition.name)?;
        let call = async |operation: &str, input: Value| {
            let request = InternalRequest {
                caller: Arc::clone(&caller),
                region,
                service: Service::Kms,
                operation,
                body: &serde_json::to_vec(&input)?,
                user_agent: &definition.name,
                source_ip: definition.source_ip,
            };
            Box::pin(router::handle_internally(self, request)).await
        };
        let key = &definition.key;
        let input = match definition.operation {
            WorkloadOperation::Encrypt => {
                json!({"KeyId": key, "Plaintext": BASE64_STANDARD.encode(definition.name.as_bytes())})
            }
            WorkloadOperation::GenerateDataKey => json!({"KeyId": key, "KeySpec": "AES_256"}),
            WorkloadOperation::Decrypt => {
                let ciphertext = if let Some(ciphertext) = &progress.encrypted_data_key {
                    ciphertext.clone()
                } else {
                    let input = json!({"KeyId": key, "KeySpec": "AES_256"});
                    let output = call("GenerateDataKeyWithoutPlaintext", input).await?;
                    let output: Value = serde_json::from_slice(&output)?;
                    let ciphertext = output["CiphertextBlob"].as_str().unwrap_or_default().to_owned();
                    progress.encrypted_data_key.insert(ciphertext).clone()
                };
                json!({"KeyId": key, "CiphertextBlob": ciphertext})
            }
        };
        // The output can have a plaintext data key, which no application uses.
        call(definition.operation.name(), input).await.map(wipe)
    }

    /// Lets `time` pass with `advance`, which moves the account's clock, and runs the workloads that become due.
    pub async fn pass_time(
        &self,
        time: SignedDuration,
        advance: impl FnMut(SignedDuration) -> ApiResult<()>,
    ) -> ApiResult<()> {
        self.pass_time_in_steps(time, time / MAX_STEPS, Some(MAX_PASSING_TIME), advance).await
    }

    /// Like [`pass_time`](Self::pass_time), with steps of at least `shortest_step`. After `limit`, the rest of the time
    /// passes in one step.
    pub async fn pass_time_in_steps(
        &self,
        time: SignedDuration,
        shortest_step: SignedDuration,
        limit: Option<Duration>,
        mut advance: impl FnMut(SignedDuration) -> ApiResult<()>,
    ) -> ApiResult<()> {
        if !self.has_workloads()? {
            return advance(time);
        }
        // The database keeps whole milliseconds.
        let shortest_step = whole_milliseconds(shortest_step).max(SignedDuration::from_millis(1));
        let (mut remaining, start) = (time, Instant::now());
        while remaining.is_positive() {
            let now = self.store.environment().clock.now();
            let next = self.next_workload()?.map_or(SignedDuration::MAX, |next| next.duration_since(now));
            let is_late = limit.is_some_and(|limit| start.elapsed() > limit);
            let step = if is_late { remaining } else { whole_milliseconds(next).max(shortest_step).min(remaining) };
            advance(step)?;
            remaining -= step;
            self.run_due_workloads().await?;
        }
        Ok(())
    }
}

/// Returns `time` in whole milliseconds, rounded up.
pub fn whole_milliseconds(time: SignedDuration) -> SignedDuration {
    let rounded = time.checked_add(SignedDuration::from_nanos(999_999)).unwrap_or(time);
    SignedDuration::from_millis(i64::try_from(rounded.as_millis()).unwrap_or(i64::MAX))
}

impl BundledAws {
    /// Runs the workloads of the account whenever they are due, for as long as the account is open. Returns at once if
    /// there are none.
    pub fn run_workloads(&self) -> impl Future<Output = ()> + Send + use<> {
        let aws = Arc::downgrade(&self.0);
        async move {
            while let Some(aws) = aws.upgrade() {
                let wait = match aws.next_workload() {
                    Ok(None) => return,
                    Ok(Some(next)) => next.duration_since(aws.store.environment().clock.now()),
                    Err(_) => MAX_WAIT,
                };
                let has_run = !wait.is_positive()
                    && aws.store.invalidate_stale_cache().is_ok()
                    && aws.run_due_workloads().await.is_ok();
                drop(aws);
                if !has_run {
                    // After an error, such as a full disk, the workloads run later.
                    let wait = if wait.is_positive() { wait.min(MAX_WAIT) } else { MAX_WAIT };
                    tokio::time::sleep(wait.unsigned_abs()).await;
                }
            }
        }
    }

    /// Advances the clock that the account's clock is based on, if it's a manual one, and runs the workloads that become
    /// due in the meantime.
    pub async fn advance_base_clock(&self, by: SignedDuration) {
        let clock = &self.0.store.environment().clock;
        let advance = |step| {
            clock.advance(step);
            Ok(())
        };
        // A workload that fails to run must not stop the clock.
        let _ = self.0.pass_time(by, advance).await;
    }
}

impl Call<'_> {
    pub fn list_workloads(&self, _: &ListWorkloads) -> ApiResult<ListWorkloadsOutput> {
        self.authorize("xks-console:ListWorkloads", "*")?;
        let now = self.store().environment().clock.now();
        let workloads = self.store().read(|tx| -> ApiResult<Vec<xks_console::Workload>> {
            let mut query =
                tx.prepare_cached("SELECT definition, progress FROM workloads WHERE world = ?1 ORDER BY name")?;
            let rows = query
                .query_map([&self.account_region], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
            let mut workloads = Vec::new();
            for row in rows {
                let (definition, progress) = row?;
                workloads.push(describe(serde_json::from_str(&definition)?, serde_json::from_str(&progress)?, now));
            }
            Ok(workloads)
        })?;
        Ok(ListWorkloadsOutput { workloads })
    }
}

fn describe(definition: Definition, progress: Progress, now: Timestamp) -> xks_console::Workload {
    let (error_code, error_message) = progress.error.unzip();
    xks_console::Workload {
        name: definition.name,
        role_arn: definition.role,
        key_id: definition.key,
        operation: definition.operation.name().to_owned(),
        interval_seconds: definition.every.as_secs(),
        data_key_cache_seconds: definition.cache_data_keys.map(|time| time.as_secs()),
        cached_until: progress.cached_until.filter(|until| *until > now).map(EpochSeconds),
        last_run: progress.last_run.map(EpochSeconds),
        requests: progress.requests,
        failures: progress.failures,
        failing_since: progress.failing_since.map(EpochSeconds),
        error_code,
        error_message,
    }
}
