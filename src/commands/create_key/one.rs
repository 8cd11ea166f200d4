//! `create-key --yes`: one key.

use std::io::{self, IsTerminal as _, Write};

use jiff::tz::TimeZone;

use super::submit::carry_out;
use super::{Exit, Stop, call_in_words, in_words, learn, place, wrong};
use crate::client::Client;
use crate::create_key::answers::Answers;
use crate::create_key::draft::KeyDraft;
use crate::create_key::known::Known;
use crate::create_key::output::create_key_output;
use crate::create_key::preview;
use crate::create_key::submission::{Stage, Submission};

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
    let known = match learn(client, draft.origin).await {
        Ok(known) => known,
        Err(error) => return tell(notes, &[call_in_words(&error)], Exit::NotMade),
    };
    let wrong = match place(&mut draft, answers, &known) {
        Ok(()) => wrong(&draft, &known).into_iter().map(|(_, words)| words).collect(),
        Err(why) => vec![why],
    };
    if !wrong.is_empty() {
        return tell(notes, &wrong, Exit::NotRight);
    }
    let mut submission = Submission::default();
    let is_watched = io::stderr().is_terminal();
    let told = |now: &Submission| {
        stop.busy(true);
        if is_watched && let Submission::Sending { stage, .. } = now {
            // The terminal may be gone; the key is still wanted.
            let _ = writeln!(io::stderr(), "{} …", words_of(*stage));
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
        let output = create_key_output(key, &TimeZone::system())?;
        if let Err(error) = out.write_all(output.as_bytes()).and_then(|()| out.flush()) {
            tell(notes, &[format!("the KMS key {} was made, but can't be printed", key.arn)], exit)?;
            return Err(error);
        }
    }
    let words = match (exit, key) {
        (Exit::WithoutAlias, Some(key)) => {
            let doubt = if matches!(submission, Submission::KeyWithoutAlias { .. }) { "not" } else { "perhaps not" };
            let why = submission.failure().map(|failure| format!("\n  {}", in_words(failure))).unwrap_or_default();
            let mend = preview::mending_command(draft, known, &key.key_id);
            format!("the KMS key {} was made, its alias {doubt}.{why}\n  To make it: {mend}", key.arn)
        }
        (Exit::Unknown, _) => {
            let why = submission.failure().map(|failure| format!("\n  {}: {}", failure.code, failure.message));
            let external = submission.sent().and_then(|sent| sent.request.xks_key_id.as_deref());
            let one = external.map_or("a new one".to_owned(), |external| format!("one on the external key {external}"));
            let why = why.unwrap_or_default();
            format!("no answer tells whether the KMS key was made. Look for {one} before you make another.{why}")
        }
        (Exit::NotMade, _) => {
            let why = submission.failure().map(in_words).unwrap_or_default();
            let mut told = vec![format!("{why}\n  No KMS key was made.")];
            if known.is_read_only {
                // As in the console: what it doesn't do itself it gives to whoever may.
                told.extend(preview::aws_cli_commands(draft, known));
            }
            told.join("\n\n")
        }
        _ => return Ok(exit),
    };
    tell(notes, &[words], exit)
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
