//! `create-key --yes`: creates one key without the wizard.

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
use crate::create_key::submission::Submission;

/// Creates the key that `answers` and `policy` describe. Writes the key to `out` and messages for people to `notes`.
///
/// # Errors
/// `out` or `notes` can't be written. All other failures are reported in `notes` and in the exit code.
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
        Ok(()) => validation_errors(&draft, &account).into_iter().map(|(_, message)| message).collect(),
        Err(error) => vec![error],
    };
    if !errors.is_empty() {
        return write_messages(notes, &errors, CreateKeyExit::InvalidInput);
    }
    let mut submission = Submission::default();
    let shows_progress = io::stderr().is_terminal();
    let before_call = |submission: &Submission| {
        shutdown.set_busy(true);
        if shows_progress && let Submission::Sending { stage, .. } = submission {
            // Create the key even if the terminal is closed.
            let _ = writeln!(io::stderr(), "{} …", stage.progress());
        }
        Ok(())
    };
    execute(client, &mut submission, &draft, &account, before_call).await?;
    print_result(&submission, &draft, &account, out, notes)
}

/// Prints the result of a submission: the key, if one was created, to `out`, and errors to `notes`.
///
/// # Errors
/// `out` or `notes` can't be written.
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
            write_messages(notes, &[format!("The KMS key {} was created, but couldn't be printed.", key.arn)], exit)?;
            return Err(error);
        }
    }
    let message = match (exit, key) {
        (CreateKeyExit::AliasNotCreated, Some(key)) => {
            let status =
                if matches!(submission, Submission::KeyWithoutAlias { .. }) { "wasn't" } else { "might not have been" };
            let why =
                submission.failure().map(|failure| format!("\n  {}", describe_failure(failure))).unwrap_or_default();
            let command = preview::create_alias_command(draft, account, &key.key_id);
            format!(
                "The KMS key {} was created, but its alias {status} created.{why}\n  To create the alias: {command}",
                key.arn
            )
        }
        (CreateKeyExit::Unknown, _) => {
            let why = submission.failure().map(|failure| format!("\n  {}: {}", failure.code, failure.message));
            let external = submission.unconfirmed_request().and_then(|sent| sent.request.xks_key_id.as_deref());
            let key =
                external.map_or("a new KMS key".to_owned(), |id| format!("a KMS key that uses the external key {id}"));
            let why = why.unwrap_or_default();
            format!(
                "Couldn't find out whether the KMS key was created: the response from AWS was lost or incomplete. \
                 Check for {key} before you create another one.{why}"
            )
        }
        (CreateKeyExit::NotCreated, _) => {
            let why = submission.failure().map(describe_failure).unwrap_or_default();
            let mut messages = vec![format!("{why}\n  No KMS key was created.")];
            if account.is_read_only {
                // Like the console, print the commands for someone who has permission.
                messages.extend(preview::aws_cli_commands(draft, account));
            }
            messages.join("\n\n")
        }
        _ => return Ok(exit),
    };
    write_messages(notes, &[message], exit)
}

fn write_messages(notes: &mut impl Write, messages: &[String], exit: CreateKeyExit) -> io::Result<CreateKeyExit> {
    for message in messages {
        writeln!(notes, "xks-console: {message}")?;
    }
    Ok(exit)
}
