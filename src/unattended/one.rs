//! `create-key --yes`: one key.

use std::io::{self, IsTerminal as _, Write};

use jiff::tz::TimeZone;

use super::Stop;
use super::submit::carry_out;
use super::{Exit, call_in_words, in_words, learn, place};
use crate::client::Client;
use crate::create_key::answers::{Answers, option_of};
use crate::create_key::draft::KeyDraft;
use crate::create_key::known::Known;
use crate::create_key::method::{Method, Step};
use crate::create_key::output::create_key_output;
use crate::create_key::preview;
use crate::create_key::submission::{Failure, Stage, Submission};
use crate::create_key::validate::validate;

/// Makes the key that `answers` and `policy` ask for. `out` gets the key, `notes` what a person should know.
///
/// # Errors
/// When `out` or `notes` can't be written to. What went wrong otherwise is among the notes, and tells in the exit code.
pub async fn run(
    client: &Client,
    answers: &Answers,
    policy: Option<String>,
    stop: &Stop,
    out: &mut impl Write,
    notes: &mut impl Write,
) -> io::Result<Exit> {
    let mut draft = match answers.draft(policy) {
        Ok(draft) => KeyDraft { acknowledged: true, ..draft },
        Err(wrong) => return tell(notes, &wrong, Exit::NotRight),
    };
    let known = match learn(client, false).await {
        Ok(known) => known,
        Err(error) => return tell(notes, &[call_in_words(&error)], Exit::NotMade),
    };
    if let Err(why) = place(&mut draft, answers, &known) {
        return tell(notes, &[why], Exit::NotMade);
    }
    let errors = validate(&Method::FromCustomerManagedKeys, Step::Review, &draft, &known);
    if !errors.is_empty() {
        let wrong: Vec<String> =
            errors.iter().map(|error| format!("{}: {}", option_of(error.field), error.message)).collect();
        return tell(notes, &wrong, Exit::NotRight);
    }
    let mut submission = Submission::default();
    let is_watched = io::stderr().is_terminal();
    let told = |now: &Submission| {
        stop.busy(true);
        if is_watched && let Submission::Sending { stage, .. } = now {
            eprintln!("{} …", words_of(*stage));
        }
        Ok(())
    };
    carry_out(client, &mut submission, &draft, &known, told).await?;
    print(&submission, &draft, &known, out, notes)
}

/// Prints what came of a submission: the key, if there is one, and what is amiss.
///
/// # Errors
/// When `out` or `notes` can't be written to.
pub fn print(
    submission: &Submission,
    draft: &KeyDraft,
    known: &Known,
    out: &mut impl Write,
    notes: &mut impl Write,
) -> io::Result<Exit> {
    let (exit, key) = Exit::of(Some(submission));
    if let Some(key) = key {
        out.write_all(create_key_output(key, &TimeZone::system())?.as_bytes())?;
        out.flush()?;
    }
    match (submission, key) {
        (Submission::KeyWithoutAlias { failure, .. } | Submission::Unknown { failure, .. }, Some(key)) => {
            let doubt = if matches!(submission, Submission::Unknown { .. }) { "perhaps not" } else { "not" };
            let words = format!(
                "the KMS key {} was made, its alias {doubt}.\n  {}\n  To make it: {}",
                key.arn,
                in_words(failure),
                preview::mending_command(draft, known, &key.key_id)
            );
            tell(notes, &[words], exit)
        }
        (Submission::Unknown { failure, sent, .. }, None) => {
            tell(notes, &[doubtful(failure, sent.request.xks_key_id.as_deref())], exit)
        }
        (Submission::Failed { failure }, _) => {
            tell(notes, &[format!("{}\n  No KMS key was made.", in_words(failure))], exit)
        }
        _ => Ok(exit),
    }
}

fn doubtful(failure: &Failure, xks_key_id: Option<&str>) -> String {
    format!(
        "no answer tells whether the KMS key was made. Look for one on the external key {} before you make another.\n  {}: {}",
        xks_key_id.unwrap_or("-"),
        failure.code,
        failure.message
    )
}

const fn words_of(stage: Stage) -> &'static str {
    match stage {
        Stage::FindKey => "Looking whether the KMS key was made",
        Stage::CreateKey => "Making the KMS key",
        Stage::FindAlias => "Looking whether its alias was made",
        Stage::CreateAlias => "Making its alias",
        Stage::DescribeKey => "Looking at the result",
    }
}

fn tell(notes: &mut impl Write, words: &[String], exit: Exit) -> io::Result<Exit> {
    for words in words {
        writeln!(notes, "xks-console: {words}")?;
    }
    Ok(exit)
}
