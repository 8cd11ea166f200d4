//! `create-key --batch`: a key for each row of a list, one at a time, for AWS takes few CreateKey a second. A run that was cut
//! off is taken up where it stopped: the report tells.

mod dialect;
mod list;
mod progress;
mod report;
mod rows;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use self::progress::Progress;
use self::report::{Entry, Outcome, Report};
use self::rows::Job;
use super::submit::carry_out;
use super::{Exit, Stop, call_in_words, in_words, keys, learn};
use crate::aws::kms::Origin;
use crate::client::{CallError, Client};
use crate::create_key::answers::Answers;
use crate::create_key::field::Field;
use crate::create_key::guide;
use crate::create_key::known::Known;
use crate::create_key::submission::{Failure, Stage, Submission};

/// The longest list, in bytes.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// Why no key is made from a list that no external key tells from others.
const NO_EXTERNAL_KEY: &str = "--origin: a list makes keys in external key stores, for a run that was cut off knows each key \
                               again by its external key. Make others one at a time, with --yes";
/// Wrong rows that are told; more are counted.
const MOST_TOLD: usize = 50;

/// Makes the keys of a list; `shared` holds for each row whose cell is empty. `out` gets a line of JSON for each row that
/// was reached, `notes` what a person should know.
///
/// # Errors
/// When `out`, `notes` or the report can't be written to. What went wrong otherwise is among the notes, and tells in the exit
/// code.
pub async fn run(
    client: &Client,
    list: &Path,
    shared: &Answers,
    stop: &Stop,
    out: &mut impl Write,
    notes: &mut impl Write,
) -> io::Result<Exit> {
    if shared.origin.is_some_and(|origin| origin != Origin::ExternalKeyStore) {
        return refuse(notes, list, &[NO_EXTERNAL_KEY.to_owned()], Exit::NotRight);
    }
    let rows = match text(list).map_err(|error| vec![error.to_string()]).and_then(|text| list::read(&text)) {
        Ok(rows) => rows,
        Err(wrong) => return refuse(notes, list, &wrong, Exit::NotRight),
    };
    let (mut report, told) = match Report::open(&Report::path(list)) {
        Ok(report) => report,
        Err(error) => return refuse(notes, list, &[error.to_string()], Exit::NotRight),
    };
    let known = match learn(client, Origin::ExternalKeyStore).await {
        Ok(known) => Known { keys: keys(client).await, ..known },
        Err(error) => return refuse(notes, list, &[call_in_words(&error)], Exit::NotMade),
    };
    let told: BTreeMap<_, _> = told.into_iter().map(|entry| (entry.wanted.clone(), entry)).collect();
    let jobs = match rows::check(rows, shared, &known, &told) {
        Ok(jobs) => jobs,
        Err(wrong) => return refuse(notes, list, &wrong, Exit::NotRight),
    };
    let mut run = Run { client, known: &known, report: &mut report, progress: Progress::new(&jobs) };
    let (mut ends, mut left) = (Vec::new(), 0);
    for job in &jobs {
        // Lets signals be heard: an AWS in this process never makes one wait.
        tokio::task::yield_now().await;
        if stop.stops_here() || ends.last().is_some_and(|end: &End| end.hits_all) {
            left += 1;
            continue;
        }
        stop.busy(true);
        let end = run.row(job, notes).await?;
        stop.busy(false);
        ends.push(end);
    }
    run.progress.end();
    for end in &ends {
        writeln!(out, "{}", serde_json::to_string(&end.entry)?)?;
    }
    out.flush()?;
    sum_up(&ends, left, &Report::path(list), notes)
}

/// What came of a row.
struct End {
    entry: Entry,
    /// Whether the rows that follow would fare alike.
    hits_all: bool,
}

struct Run<'a> {
    client: &'a Client,
    known: &'a Known,
    report: &'a mut Report,
    progress: Progress,
}

impl Run<'_> {
    async fn row(&mut self, job: &Job, notes: &mut impl Write) -> io::Result<End> {
        if let Some(made) = job.told.clone().filter(|told| told.outcome == Outcome::Made) {
            self.progress.step(job, None, notes)?;
            return Ok(End { entry: made, hits_all: false });
        }
        self.progress.begin(job);
        let mut submission = match job.submission(self.client, self.known).await {
            Ok(submission) => submission,
            Err(error) => return self.not_seen(job, &error, notes),
        };
        let report = &mut *self.report;
        let now = || self.client.now();
        carry_out(self.client, &mut submission, &job.draft, self.known, |sending| match sending {
            Submission::Sending { stage: Stage::CreateKey, .. } => {
                report.tell(&job.entry(now(), Outcome::CreatingKey, sending))
            }
            Submission::Sending { stage: Stage::CreateAlias, .. } => {
                report.tell(&job.entry(now(), Outcome::CreatingAlias, sending))
            }
            _ => Ok(()),
        })
        .await?;
        let outcome = match Exit::of(Some(&submission)).0 {
            Exit::Made => Outcome::Made,
            Exit::WithoutAlias => Outcome::WithoutAlias,
            Exit::Unknown => Outcome::Unknown,
            Exit::NotMade | Exit::NotRight | Exit::Left => Outcome::Failed,
        };
        let mut entry = job.entry(now(), outcome, &submission);
        let failure = submission.failure();
        entry.error = failure.map(|failure| format!("{}: {}", failure.code, failure.message));
        self.report.tell(&entry)?;
        self.progress.step(job, failure.map(in_words).as_deref(), notes)?;
        Ok(End { entry, hits_all: failure.is_some_and(hits_all) })
    }

    /// The key that the report tells of could not be looked at: it stays as it is for the next run.
    fn not_seen(&mut self, job: &Job, error: &CallError, notes: &mut impl Write) -> io::Result<End> {
        let mut entry = job.entry(self.client.now(), Outcome::Unknown, &Submission::NotSent);
        entry.key_arn = job.key_arn().map(str::to_owned);
        entry.error = Some(format!("{}: {error}", error.code()));
        self.report.tell(&entry)?;
        self.progress.step(job, Some(&call_in_words(error)), notes)?;
        Ok(End { entry, hits_all: true })
    }
}

/// Whether a failure is not the row's own: credentials, permissions, quotas, the store, the way to AWS.
fn hits_all(failure: &Failure) -> bool {
    let mended_by = guide::for_error(&failure.code, &failure.message).mended_by;
    failure.outcome_unknown || matches!(mended_by, None | Some(Field::CustomKeyStore))
}

fn text(list: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut text = Vec::new();
    std::fs::File::open(list)?.take(MOST_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(io::Error::other(format!("it is longer than {MOST_BYTES} bytes")));
    }
    Ok(text)
}

fn refuse(notes: &mut impl Write, list: &Path, wrong: &[String], exit: Exit) -> io::Result<Exit> {
    for words in wrong.iter().take(MOST_TOLD) {
        writeln!(notes, "xks-console: {}: {words}", list.display())?;
    }
    if let Some(more @ 1..) = wrong.len().checked_sub(MOST_TOLD) {
        writeln!(notes, "xks-console: ... and {more} more")?;
    }
    writeln!(notes, "xks-console: no key was made")?;
    Ok(exit)
}

/// Tells how it went, and gives the worst that happened.
fn sum_up(ends: &[End], left: usize, report: &Path, notes: &mut impl Write) -> io::Result<Exit> {
    let count = |outcome| ends.iter().filter(|end| end.entry.outcome == outcome).count();
    let counts = [
        (count(Outcome::Made), "made", Exit::Made),
        (count(Outcome::Failed), "failed", Exit::NotMade),
        (left, "not tried", Exit::NotMade),
        (count(Outcome::WithoutAlias), "without alias", Exit::WithoutAlias),
        (count(Outcome::Unknown), "unknown", Exit::Unknown),
    ];
    let mut told = counts.iter().filter(|(count, ..)| *count > 0);
    let words: Vec<String> = told.clone().map(|(count, words, _)| format!("{count} {words}")).collect();
    writeln!(notes, "{}. {}", words.join(", "), report.display())?;
    if left > 0 {
        writeln!(notes, "Stopped. The same command goes on where it stopped.")?;
    }
    Ok(told.next_back().map_or(Exit::Made, |(_, _, exit)| *exit))
}
