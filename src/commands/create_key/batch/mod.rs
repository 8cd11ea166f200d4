//! `create-key --batch`: creates a key for each row of a list. Keys are created one at a time, because AWS allows only
//! a few CreateKey requests per second. The report allows an interrupted run to resume.

mod dialect;
mod jobs;
mod list;
mod progress;
mod report;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use self::jobs::Job;
use self::progress::BatchProgress;
use self::report::{BatchReport, ReportEntry, RowOutcome};
use super::submit::execute;
use super::{CreateKeyExit, Shutdown, describe_call_error, describe_failure, load_account_state, load_keys};
use crate::aws::kms::Origin;
use crate::client::{CallError, Client};
use crate::create_key::account_state::AccountState;
use crate::create_key::field::Field;
use crate::create_key::key_options::KeyOptions;
use crate::create_key::submission::{Stage, Submission, SubmissionFailure};
use crate::error_remedies;

/// The maximum size of a list, in bytes.
const MAX_LIST_BYTES: u64 = 16 * 1024 * 1024;
/// The error for another origin than an external key store. A run that resumes finds each key by its external key.
const EXTERNAL_KEY_STORE_REQUIRED: &str = "--origin: --batch creates keys only in external key stores, because a \
                                           resumed run uses the external key ID to identify each key. To create other \
                                           keys, use --yes.";
/// The maximum number of errors that are printed. The rest are counted.
const MAX_REPORTED_ERRORS: usize = 50;

/// Creates the keys of a list. `defaults` apply to each row whose cell is empty. Writes a line of JSON to `out` for
/// each row that was processed, and messages for people to `notes`.
///
/// # Errors
/// `out`, `notes`, or the report can't be written. All other failures are reported in `notes` and in the exit code.
pub async fn run(
    client: &Client,
    list: &Path,
    defaults: &KeyOptions,
    shutdown: &Shutdown,
    out: &mut impl Write,
    notes: &mut impl Write,
) -> io::Result<CreateKeyExit> {
    if defaults.origin.is_some_and(|origin| origin != Origin::ExternalKeyStore) {
        return reject_list(notes, list, &[EXTERNAL_KEY_STORE_REQUIRED.to_owned()], CreateKeyExit::InvalidInput);
    }
    let rows = match read_list(list).map_err(|error| vec![error.to_string()]).and_then(|text| list::read(&text)) {
        Ok(rows) => rows,
        Err(errors) => return reject_list(notes, list, &errors, CreateKeyExit::InvalidInput),
    };
    let (mut report, previous_entries) = match BatchReport::open(&BatchReport::path_for(list)) {
        Ok(report) => report,
        Err(error) => return reject_list(notes, list, &[error.to_string()], CreateKeyExit::InvalidInput),
    };
    let account = match load_account_state(client, Origin::ExternalKeyStore).await {
        Ok(account) => AccountState { keys: load_keys(client).await, ..account },
        Err(error) => return reject_list(notes, list, &[describe_call_error(&error)], CreateKeyExit::NotCreated),
    };
    let previous_entries: BTreeMap<_, _> =
        previous_entries.into_iter().map(|entry| (entry.key.clone(), entry)).collect();
    let jobs = match jobs::prepare_jobs(rows, defaults, &account, &previous_entries) {
        Ok(jobs) => jobs,
        Err(errors) => return reject_list(notes, list, &errors, CreateKeyExit::InvalidInput),
    };
    let mut run = BatchRun { client, known: &account, report: &mut report, progress: BatchProgress::new(&jobs) };
    let (mut results, mut skipped) = (Vec::new(), 0);
    for job in &jobs {
        // Lets signals be received, because calls to the bundled AWS never wait.
        tokio::task::yield_now().await;
        if shutdown.should_stop() || results.last().is_some_and(|result: &RowResult| result.affects_all_rows) {
            skipped += 1;
            continue;
        }
        shutdown.set_busy(true);
        let result = run.process_row(job, notes).await?;
        shutdown.set_busy(false);
        results.push(result);
    }
    run.progress.finish();
    for result in &results {
        writeln!(out, "{}", serde_json::to_string(&result.entry)?)?;
    }
    out.flush()?;
    print_summary(&results, skipped, &BatchReport::path_for(list), notes)
}

/// The result of a row.
struct RowResult {
    entry: ReportEntry,
    /// Whether the remaining rows would fail for the same reason.
    affects_all_rows: bool,
}

struct BatchRun<'a> {
    client: &'a Client,
    known: &'a AccountState,
    report: &'a mut BatchReport,
    progress: BatchProgress,
}

impl BatchRun<'_> {
    async fn process_row(&mut self, job: &Job, notes: &mut impl Write) -> io::Result<RowResult> {
        if let Some(entry) = job.previous.clone().filter(|entry| entry.outcome == RowOutcome::Made) {
            self.progress.finish_row(job, None, notes)?;
            return Ok(RowResult { entry, affects_all_rows: false });
        }
        self.progress.start_row(job);
        let mut submission = match job.submission(self.client, self.known).await {
            Ok(submission) => submission,
            Err(error) => return self.record_lookup_failure(job, &error, notes),
        };
        let report = &mut *self.report;
        let now = || self.client.now();
        execute(self.client, &mut submission, &job.draft, self.known, |sending| match sending {
            Submission::Sending { stage: Stage::CreateKey, .. } => {
                report.append(&job.entry(now(), RowOutcome::CreatingKey, sending))
            }
            Submission::Sending { stage: Stage::CreateAlias, .. } => {
                report.append(&job.entry(now(), RowOutcome::CreatingAlias, sending))
            }
            _ => Ok(()),
        })
        .await?;
        let outcome = match CreateKeyExit::for_submission(Some(&submission)).0 {
            CreateKeyExit::Created => RowOutcome::Made,
            CreateKeyExit::AliasNotCreated => RowOutcome::WithoutAlias,
            CreateKeyExit::Unknown => RowOutcome::Unknown,
            CreateKeyExit::NotCreated | CreateKeyExit::InvalidInput | CreateKeyExit::Canceled => RowOutcome::Failed,
        };
        let mut entry = job.entry(now(), outcome, &submission);
        let failure = submission.failure();
        entry.error = failure.map(|failure| format!("{}: {}", failure.code, failure.message));
        self.report.append(&entry)?;
        self.progress.finish_row(job, failure.map(describe_failure).as_deref(), notes)?;
        Ok(RowResult { entry, affects_all_rows: failure.is_some_and(affects_all_rows) })
    }

    /// Records that the key in the report couldn't be described. The next run tries again.
    fn record_lookup_failure(&mut self, job: &Job, error: &CallError, notes: &mut impl Write) -> io::Result<RowResult> {
        let mut entry = job.entry(self.client.now(), RowOutcome::Unknown, &Submission::NotSent);
        entry.key_arn = job.key_arn().map(str::to_owned);
        entry.error = Some(format!("{}: {error}", error.code()));
        self.report.append(&entry)?;
        self.progress.finish_row(job, Some(&describe_call_error(error)), notes)?;
        Ok(RowResult { entry, affects_all_rows: true })
    }
}

/// Whether a failure isn't specific to its row: credentials, permissions, quotas, the key store, or the connection to
/// AWS.
fn affects_all_rows(failure: &SubmissionFailure) -> bool {
    let field = error_remedies::for_error(&failure.code, &failure.message).field;
    failure.outcome_unknown || matches!(field, None | Some(Field::CustomKeyStore))
}

fn read_list(list: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut text = Vec::new();
    std::fs::File::open(list)?.take(MAX_LIST_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_LIST_BYTES {
        return Err(io::Error::other(format!("the file is larger than {MAX_LIST_BYTES} bytes")));
    }
    Ok(text)
}

fn reject_list(
    notes: &mut impl Write,
    list: &Path,
    errors: &[String],
    exit: CreateKeyExit,
) -> io::Result<CreateKeyExit> {
    for message in errors.iter().take(MAX_REPORTED_ERRORS) {
        writeln!(notes, "xks-console: {}: {message}", list.display())?;
    }
    if let Some(more @ 1..) = errors.len().checked_sub(MAX_REPORTED_ERRORS) {
        writeln!(notes, "xks-console: … and {more} more")?;
    }
    writeln!(notes, "xks-console: No keys were created.")?;
    Ok(exit)
}

/// Prints the number of rows by outcome, and returns the exit code of the worst outcome.
fn print_summary(
    results: &[RowResult],
    skipped: usize,
    report: &Path,
    notes: &mut impl Write,
) -> io::Result<CreateKeyExit> {
    let count = |outcome| results.iter().filter(|result| result.entry.outcome == outcome).count();
    let counts = [
        (count(RowOutcome::Made), "created", CreateKeyExit::Created),
        (count(RowOutcome::Failed), "failed", CreateKeyExit::NotCreated),
        (skipped, "not attempted", CreateKeyExit::NotCreated),
        (count(RowOutcome::WithoutAlias), "created without an alias", CreateKeyExit::AliasNotCreated),
        (count(RowOutcome::Unknown), "unknown", CreateKeyExit::Unknown),
    ];
    let mut nonzero_counts = counts.iter().filter(|(count, ..)| *count > 0);
    let summary: Vec<String> = nonzero_counts.clone().map(|(count, label, _)| format!("{count} {label}")).collect();
    writeln!(notes, "Keys: {}. Report: {}", summary.join(", "), report.display())?;
    if skipped > 0 {
        writeln!(notes, "Stopped before the end of the CSV file. To resume, run the same command again.")?;
    }
    Ok(nonzero_counts.next_back().map_or(CreateKeyExit::Created, |(_, _, exit)| *exit))
}
