//! `create-key --yes`: one key.

use std::io::{self, IsTerminal as _, Write};

use jiff::tz::TimeZone;

use super::submit::execute;
use super::{
    CreateKeyExit, Shutdown, assign_key_store, describe_call_error, describe_failure, load_account_state,
    validation_errors,
};
use crate::client::Client;
use crate::create_key::account_state::AccountState;
use crate::create_key::draft::KeyDraft;
use crate::create_key::key_options::KeyOptions;
use crate::create_key::output::create_key_output;
use crate::create_key::preview;
use crate::create_key::submission::{Stage, Submission};

/// Makes the key that `answers` and `policy` ask for. `out` gets the key, `notes` what a person should know.
///
/// # Errors
/// When `out` or `notes` can't be written to. What went wrong otherwise is among the notes, and tells in the exit code.
pub async fn run(
    client: &Client,
    answers: &KeyOptions,
    policy: Option<String>,
    shutdown: &Shutdown,
    out: &mut impl Write,
    notes: &mut impl Write,
) -> io::Result<CreateKeyExit> {
    let mut draft = match answers.to_draft(policy) {
        Ok(draft) => KeyDraft { acknowledged: true, ..draft },
        Err(errors) => return write_messages(notes, &errors, CreateKeyExit::InvalidInput),
    };
    let account = match load_account_state(client, draft.origin).await {
        Ok(account) => account,
        Err(error) => return write_messages(notes, &[describe_call_error(&error)], CreateKeyExit::NotCreated),
    };
    let errors = match assign_key_store(&mut draft, answers, &account) {
        Ok(()) => validation_errors(&draft, &account).into_iter().map(|(_, words)| words).collect(),
        Err(why) => vec![why],
    };
    if !errors.is_empty() {
        return write_messages(notes, &errors, CreateKeyExit::InvalidInput);
    }
    let mut submission = Submission::default();
    let is_watched = io::stderr().is_terminal();
    let before_call = |now: &Submission| {
        shutdown.set_busy(true);
        if is_watched && let Submission::Sending { stage, .. } = now {
            // The terminal may be gone; the key is still wanted.
            let _ = writeln!(io::stderr(), "{} …", stage_message(*stage));
        }
        Ok(())
    };
    execute(client, &mut submission, &draft, &account, before_call).await?;
    print_result(&submission, &draft, &account, out, notes)
}

/// Prints what came of a submission: the key, if there is one, and what is amiss.
///
/// # Errors
/// When `out` or `notes` can't be written to.
pub fn print_result(
    submission: &Submission,
    draft: &KeyDraft,
    account: &AccountState,
    out: &mut impl Write,
    notes: &mut impl Write,
) -> io::Result<CreateKeyExit> {
    let (exit, key) = CreateKeyExit::for_submission(Some(submission));
    if let Some(key) = key {
        let output = create_key_output(key, &TimeZone::system())?;
        if let Err(error) = out.write_all(output.as_bytes()).and_then(|()| out.flush()) {
            write_messages(notes, &[format!("the KMS key {} was made, but can't be printed", key.arn)], exit)?;
            return Err(error);
        }
    }
    let message = match (exit, key) {
        (CreateKeyExit::AliasNotCreated, Some(key)) => {
            let certainty =
                if matches!(submission, Submission::KeyWithoutAlias { .. }) { "not" } else { "perhaps not" };
            let why =
                submission.failure().map(|failure| format!("\n  {}", describe_failure(failure))).unwrap_or_default();
            let command = preview::create_alias_command(draft, account, &key.key_id);
            format!("the KMS key {} was made, its alias {certainty}.{why}\n  To make it: {command}", key.arn)
        }
        (CreateKeyExit::Unknown, _) => {
            let why = submission.failure().map(|failure| format!("\n  {}: {}", failure.code, failure.message));
            let external = submission.unconfirmed_request().and_then(|sent| sent.request.xks_key_id.as_deref());
            let one = external.map_or("a new one".to_owned(), |external| format!("one on the external key {external}"));
            let why = why.unwrap_or_default();
            format!("no answer tells whether the KMS key was made. Look for {one} before you make another.{why}")
        }
        (CreateKeyExit::NotCreated, _) => {
            let why = submission.failure().map(describe_failure).unwrap_or_default();
            let mut messages = vec![format!("{why}\n  No KMS key was made.")];
            if account.is_read_only {
                // As in the console: what it doesn't do itself it gives to whoever may.
                messages.extend(preview::aws_cli_commands(draft, account));
            }
            messages.join("\n\n")
        }
        _ => return Ok(exit),
    };
    write_messages(notes, &[message], exit)
}

const fn stage_message(stage: Stage) -> &'static str {
    match stage {
        Stage::FindKey => "Looking whether the KMS key was made",
        Stage::CreateKey => "Making the KMS key",
        Stage::FindAlias => "Looking whether its alias was made",
        Stage::CreateAlias => "Making its alias",
        Stage::DescribeKey => "Looking at the result",
    }
}

fn write_messages(notes: &mut impl Write, messages: &[String], exit: CreateKeyExit) -> io::Result<CreateKeyExit> {
    for messages in messages {
        writeln!(notes, "xks-console: {messages}")?;
    }
    Ok(exit)
}
