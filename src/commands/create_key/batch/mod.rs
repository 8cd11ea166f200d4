//! `create-key --batch`: a key for each row of a list, one at a time, for AWS takes few CreateKey a second. A run that was cut
//! off is taken up where it stopped: the report tells.

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
use crate::create_key::remedy;
use crate::create_key::submission::{Stage, Submission, SubmissionFailure};

/// The longest list, in bytes.
const MAX_LIST_BYTES: u64 = 16 * 1024 * 1024;
/// Why no key is made from a list that no external key tells from others.
const EXTERNAL_KEY_STORE_REQUIRED: &str = "--origin: a list makes keys in external key stores, for a run that was cut off knows each key \
                               again by its external key. Make others one at a time, with --yes";
/// Wrong rows that are told; more are counted.
const MAX_REPORTED_ERRORS: usize = 50;

/// Makes the keys of a list; `shared` holds for each row whose cell is empty. `out` gets a line of JSON for each row that
/// was reached, `notes` what a person should know.
///
/// # Errors
/// When `out`, `notes` or the report can't be written to. What went wrong otherwise is among the notes, and tells in the exit
/// code.
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
        // Lets signals be heard: an AWS in this process never makes one wait.
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

/// What came of a row.
struct RowResult {
    entry: ReportEntry,
    /// Whether the rows that follow would fare alike.
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
            CreateKeyExit::NotCreated | CreateKeyExit::InvalidInput | CreateKeyExit::Cancelled => RowOutcome::Failed,
        };
        let mut entry = job.entry(now(), outcome, &submission);
        let failure = submission.failure();
        entry.error = failure.map(|failure| format!("{}: {}", failure.code, failure.message));
        self.report.append(&entry)?;
        self.progress.finish_row(job, failure.map(describe_failure).as_deref(), notes)?;
        Ok(RowResult { entry, affects_all_rows: failure.is_some_and(affects_all_rows) })
    }

    /// The key that the report tells of could not be looked at: it stays as it is for the next run.
    fn record_lookup_failure(&mut self, job: &Job, error: &CallError, notes: &mut impl Write) -> io::Result<RowResult> {
        let mut entry = job.entry(self.client.now(), RowOutcome::Unknown, &Submission::NotSent);
        entry.key_arn = job.key_arn().map(str::to_owned);
        entry.error = Some(format!("{}: {error}", error.code()));
        self.report.append(&entry)?;
        self.progress.finish_row(job, Some(&describe_call_error(error)), notes)?;
        Ok(RowResult { entry, affects_all_rows: true })
    }
}

/// Whether a failure is not the row's own: credentials, permissions, quotas, the store, the way to AWS.
fn affects_all_rows(failure: &SubmissionFailure) -> bool {
    let mended_by = remedy::for_error(&failure.code, &failure.message).field;
    failure.outcome_unknown || matches!(mended_by, None | Some(Field::CustomKeyStore))
}

fn read_list(list: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut text = Vec::new();
    std::fs::File::open(list)?.take(MAX_LIST_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_LIST_BYTES {
        return Err(io::Error::other(format!("it is longer than {MAX_LIST_BYTES} bytes")));
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
        writeln!(notes, "xks-console: ... and {more} more")?;
    }
    writeln!(notes, "xks-console: no key was made")?;
    Ok(exit)
}

/// Tells how it went, and gives the worst that happened.
fn print_summary(
    results: &[RowResult],
    skipped: usize,
    report: &Path,
    notes: &mut impl Write,
) -> io::Result<CreateKeyExit> {
    let count = |outcome| results.iter().filter(|end| end.entry.outcome == outcome).count();
    let counts = [
        (count(RowOutcome::Made), "made", CreateKeyExit::Created),
        (count(RowOutcome::Failed), "failed", CreateKeyExit::NotCreated),
        (skipped, "not tried", CreateKeyExit::NotCreated),
        (count(RowOutcome::WithoutAlias), "without alias", CreateKeyExit::AliasNotCreated),
        (count(RowOutcome::Unknown), "unknown", CreateKeyExit::Unknown),
    ];
    let mut nonzero_counts = counts.iter().filter(|(count, ..)| *count > 0);
    let words: Vec<String> = nonzero_counts.clone().map(|(count, words, _)| format!("{count} {words}")).collect();
    writeln!(notes, "{}. {}", words.join(", "), report.display())?;
    if skipped > 0 {
        writeln!(notes, "Stopped. The same command goes on where it stopped.")?;
    }
    Ok(nonzero_counts.next_back().map_or(CreateKeyExit::Created, |(_, _, exit)| *exit))
}
