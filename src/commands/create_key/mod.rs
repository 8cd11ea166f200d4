//! The command `create-key`: reads the options and files, and creates keys with or without the wizard.

pub mod batch;
pub mod input_files;
mod shutdown;
pub mod sign_in;
pub mod single;
mod submit;

pub use shutdown::Shutdown;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use super::aws::AwsConnection;
use super::{accessible, console, is_accessible, note, runtime};
use crate::aws::kms::{ConnectionState, KeyMetadata, Origin};
use crate::aws::operation::Service;
use crate::aws::sts::GetCallerIdentity;
use crate::cli::{Arguments, CreateKey};
use crate::client::{CallError, Client};
use crate::create_key::account_state::{AccountState, Loadable};
use crate::create_key::draft::KeyDraft;
use crate::create_key::field::Field;
use crate::create_key::key_options::{KeyOptions, option_name};
use crate::create_key::loaded_keys::LoadedKeys;
use crate::create_key::method::{Method, Step};
use crate::create_key::store_lookup;
use crate::create_key::submission::{Stage, Submission, SubmissionFailure};
use crate::create_key::validate::{FieldError, validate};
use crate::error_remedies;
use crate::tui::effect::{self, Call, Response};
use crate::tui::runtime::perform;
use crate::tui::terminal;
use crate::tui::wizard::Wizard;

/// The exit codes of the command. After a signal, the exit code is 128 plus the number of the signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CreateKeyExit {
    /// The key, or each key in a list, was created.
    Created = 0,
    /// A request was rejected or failed. No key was created.
    NotCreated = 1,
    /// The options or files are invalid, so nothing was requested from AWS. No key was created.
    InvalidInput = 2,
    /// The wizard was closed. No key was created.
    Canceled = 3,
    /// The key was created, but its alias wasn't.
    AliasNotCreated = 4,
    /// It's unknown whether the key was created.
    Unknown = 5,
}

impl From<CreateKeyExit> for ExitCode {
    fn from(exit: CreateKeyExit) -> Self {
        Self::from(exit as u8)
    }
}

impl CreateKeyExit {
    /// Returns the exit code for a submission that has ended, and its key, if one was created.
    pub fn for_submission(submission: Option<&Submission>) -> (Self, Option<&KeyMetadata>) {
        let key = submission.and_then(Submission::key);
        let exit = match (submission, key) {
            (Some(Submission::Done { .. } | Submission::Sending { stage: Stage::DescribeKey, .. }), _) => Self::Created,
            (_, Some(_)) => Self::AliasNotCreated,
            (Some(Submission::Sending { .. } | Submission::Unknown { .. }), None) => Self::Unknown,
            (Some(Submission::Failed { .. }), None) => Self::NotCreated,
            (Some(_) | None, None) => Self::Canceled,
        };
        (exit, key)
    }
}

/// Creates keys: in the wizard, or without it for `--yes` or `--batch`.
pub(super) fn run(arguments: &Arguments, options: &CreateKey) -> Result<ExitCode, Box<dyn Error>> {
    let is_unattended = options.yes || options.batch.is_some();
    let is_accessible = !is_unattended && is_accessible(arguments)?;
    if !is_unattended
        && !is_accessible
        && let Err(error) = terminal::require_any()
    {
        return Ok(usage_error(&format!("{error}. `create-key --yes` doesn't need a terminal.")));
    }
    let answers = match input_files::merge_answers(&options.answers, options.answers_file.as_ref(), is_unattended) {
        Ok(answers) => answers,
        Err(error) => return Ok(usage_error(&error)),
    };
    // Each row of a list can name its own policy.
    let policy = match input_files::read_policy(answers.policy.as_ref().filter(|_| options.batch.is_none())) {
        Ok(policy) => policy,
        Err(error) => return Ok(usage_error(&error)),
    };
    if is_unattended {
        return create_keys_unattended(arguments, options.batch.as_deref(), &answers, policy);
    }
    match answers.to_draft(policy) {
        Ok(draft) if is_accessible => accessible::create_key(arguments, draft, answers.custom_key_store_id.as_deref()),
        Ok(draft) => create_key_in_wizard(arguments, draft, answers.custom_key_store_id),
        Err(errors) => Ok(usage_error(&errors.join("\nxks-console: "))),
    }
}

fn usage_error(message: &str) -> ExitCode {
    note(message);
    CreateKeyExit::InvalidInput.into()
}

/// Creates the key that `answers` describe, or the keys of a list.
fn create_keys_unattended(
    arguments: &Arguments,
    list: Option<&Path>,
    answers: &KeyOptions,
    policy: Option<String>,
) -> Result<ExitCode, Box<dyn Error>> {
    let (runtime, shutdown) = (runtime()?, Shutdown::default());
    let aws = AwsConnection::open(arguments, &runtime)?;
    if let Some(missing) = aws.pending_mfa
        && let Err(error) = runtime.block_on(sign_in::sign_in(&aws.client, missing))
    {
        note(&error);
        return Ok(CreateKeyExit::from(&error).into());
    }
    let (out, notes) = (&mut std::io::stdout(), &mut std::io::stderr());
    Ok(runtime.block_on(shutdown.run_until_signal(async {
        match list {
            Some(list) => batch::run(&aws.client, list, answers, &shutdown, out, notes).await,
            None => single::run(&aws.client, answers, policy, &shutdown, out, notes).await,
        }
    }))?)
}

/// Opens the wizard with `draft`, and prints the key that it creates.
fn create_key_in_wizard(
    arguments: &Arguments,
    draft: KeyDraft,
    key_store: Option<String>,
) -> Result<ExitCode, Box<dyn Error>> {
    let runtime = runtime()?;
    let aws = AwsConnection::open(arguments, &runtime)?;
    let (mut app, effects) = aws.app();
    app.start_single_key_session(draft, key_store);
    let ended = console::show(aws.into(), &mut app, effects, runtime, None)?;
    let (out, notes) = (&mut std::io::stdout(), &mut std::io::stderr());
    let exit = match &app.wizard {
        Some(wizard) => single::print_result(&wizard.submission, &wizard.draft, &app.account, out, notes)?,
        None => CreateKeyExit::Canceled,
    };
    if exit == CreateKeyExit::Canceled && app.wizard.as_ref().is_some_and(Wizard::has_unsaved_changes) {
        if let Some(reason) = &app.drafts.save_failure {
            note(format!("No key was created, and your entries couldn't be saved: {reason}."));
        } else if app.drafts.is_saved() {
            note("No key was created. Your entries are saved as a draft. To resume it, press D in the console.");
        }
    }
    Ok(if ended == ExitCode::SUCCESS { exit.into() } else { ended })
}

/// Loads the caller, and the data that the validation of a key of this origin needs.
///
/// # Errors
/// The caller can't be loaded; or, for a key in an external key store, the key stores.
async fn load_account_state(client: &Client, origin: Origin) -> Result<AccountState, CallError> {
    let mut account = AccountState {
        region: client.region().to_owned(),
        endpoint_url: client.endpoints().custom_url(Service::Kms).map(str::to_owned),
        is_read_only: client.is_read_only(),
        ..AccountState::default()
    };
    account.set_caller(client.call(&GetCallerIdentity {}).await?);
    if origin == Origin::ExternalKeyStore {
        account.key_stores = Loadable::Ready(client.collect_key_stores().await?);
    } else {
        // A key without an external key is found again because it wasn't in the list before. A caller without
        // permission to list keys can't search for it either.
        let keys = client.collect_keys().await.ok();
        account.key_ids = keys.map(|keys| keys.into_iter().map(|key| key.key_id).collect());
    }
    // Without permission to list aliases, CreateAlias reports whether an alias is in use.
    account.aliases = match client.collect_aliases().await {
        Ok(aliases) => Loadable::Ready(aliases),
        Err(error) => Loadable::Failed(error.to_string()),
    };
    Ok(account)
}

/// Loads all keys with their descriptions. Without permission to list keys, CreateKey reports whether an external key
/// is in use.
async fn load_keys(client: &Client) -> Loadable<LoadedKeys> {
    let (mut all, mut marker) = (LoadedKeys::default(), None);
    loop {
        match perform(client, Call::Keys(marker)).await {
            Ok(Response::Keys { page, next }) => {
                all.extend(page);
                marker = next;
            }
            Ok(_) => return Loadable::Idle,
            Err(failure) => return Loadable::Failed(failure.message),
        }
        if marker.is_none() {
            return Loadable::Ready(all);
        }
    }
}

/// Sets the external key store of a draft that needs one.
fn assign_key_store(draft: &mut KeyDraft, answers: &KeyOptions, account: &AccountState) -> Result<(), String> {
    if !draft.is_external() {
        return Ok(());
    }
    let requested_store = answers.custom_key_store_id.as_deref();
    let store = store_lookup::find_key_store(requested_store, account)
        .map_err(|error| format!("--custom-key-store-id: {error}."))?;
    draft.custom_key_store_id = Some(store.custom_key_store_id.clone());
    Ok(())
}

/// Validates a draft with the rules of the wizard. Returns each error with its field; the messages name command-line
/// options.
fn validation_errors(draft: &KeyDraft, account: &AccountState) -> Vec<(Field, String)> {
    let option_of = |field| match field {
        Field::KeyPolicy if draft.edited_policy.is_some() => "--policy",
        _ => option_name(field),
    };
    let describe = |FieldError { field, message }| {
        let disconnected = disconnected_store_message(draft, account).filter(|_| field == Field::CustomKeyStore);
        (field, format!("{}: {}", option_of(field), disconnected.unwrap_or(message)))
    };
    validate(&Method::FromCustomerManagedKeys, Step::Review, draft, account).into_iter().map(describe).collect()
}

fn disconnected_store_message(draft: &KeyDraft, account: &AccountState) -> Option<String> {
    let store = account.key_store(draft.custom_key_store_id.as_deref()?)?;
    let (name, id) = (&store.custom_key_store_name, &store.custom_key_store_id);
    (store.connection_state != ConnectionState::Connected).then(|| {
        format!(
            "{name} ({id}) is {}. The key store must be connected. Connect it in the console, or use: \
             aws kms connect-custom-key-store --custom-key-store-id {id}",
            store.connection_state.label().to_lowercase()
        )
    })
}

/// Returns the remedy for an error whose remedy in the console mentions the screen.
fn command_line_remedy(code: &str) -> Option<&'static str> {
    match code {
        "ReadOnly" => Some(
            "Run the command without --read-only, XKS_CONSOLE_READ_ONLY, and `read-only` in config.toml, or ask someone \
             who has permission to create keys.",
        ),
        "NoCredentials" => Some(
            "Follow the instructions in the message, then try again. If the profile needs an MFA code, the command \
             asks for it on the terminal when it starts, even with --yes or --batch.",
        ),
        _ => None,
    }
}

/// Formats a failure in a few lines: the error message, what it means, and what to do.
fn describe_failure(failure: &SubmissionFailure) -> String {
    let guide = error_remedies::for_error(&failure.code, &failure.message);
    let remedy = command_line_remedy(&failure.code).unwrap_or(guide.action);
    let mut message = failure.code.clone();
    if !failure.message.is_empty() {
        message = format!("{message}: {}", failure.message);
    }
    if let Some(field) = guide.field {
        message = format!("{}: {message}", option_name(field));
    }
    message = format!("{message}\n  {}\n  What to do: {remedy}", guide.meaning);
    if !failure.request_id.is_empty() {
        message = format!("{message}\n  Request ID: {}", failure.request_id);
    }
    message
}

/// Formats a failed call, with the remedy.
fn describe_call_error(error: &CallError) -> String {
    let effect::CallFailure { code, message, request_id } = effect::CallFailure::from(error);
    describe_failure(&SubmissionFailure { code, message, request_id, outcome_unknown: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create_key::testing::key;

    #[test]
    fn command_line_remedies_do_not_mention_the_screen() {
        for (code, expected) in
            [("ReadOnly", "without --read-only"), ("NoCredentials", "on the terminal when it starts")]
        {
            let (message, request_id) = Default::default();
            let text = describe_failure(&SubmissionFailure {
                code: code.to_owned(),
                message,
                request_id,
                outcome_unknown: false,
            });
            assert!(text.contains(expected), "{text}");
            for screen in ["shown here", "Your input"] {
                assert!(!text.contains(screen), "{text}");
            }
        }
    }

    #[test]
    fn exit_code_reflects_what_was_created() {
        let new_key = || Box::new(key("k1", "payments-2026"));
        let some_key = || Some(new_key());
        let failure = || SubmissionFailure {
            code: "AlreadyExistsException".to_owned(),
            message: String::new(),
            request_id: String::new(),
            outcome_unknown: false,
        };
        let sending = |stage, key| Submission::Sending { stage, key, sent: Box::default() };
        let unknown = |stage, key| Submission::Unknown { stage, key, sent: Box::default(), failure: failure() };
        for (submission, exit) in [
            (Submission::NotSent, CreateKeyExit::Canceled),
            (Submission::Failed { failure: failure() }, CreateKeyExit::NotCreated),
            (Submission::Done { key: new_key() }, CreateKeyExit::Created),
            (Submission::KeyWithoutAlias { key: new_key(), failure: failure() }, CreateKeyExit::AliasNotCreated),
            (sending(Stage::CreateKey, None), CreateKeyExit::Unknown),
            (sending(Stage::FindKey, None), CreateKeyExit::Unknown),
            (sending(Stage::CreateAlias, some_key()), CreateKeyExit::AliasNotCreated),
            (sending(Stage::DescribeKey, some_key()), CreateKeyExit::Created),
            (unknown(Stage::CreateKey, None), CreateKeyExit::Unknown),
            (unknown(Stage::CreateAlias, some_key()), CreateKeyExit::AliasNotCreated),
        ] {
            let (actual, key) = CreateKeyExit::for_submission(Some(&submission));
            assert_eq!(actual, exit, "{submission:?}");
            assert_eq!(key.is_some(), matches!(exit, CreateKeyExit::Created | CreateKeyExit::AliasNotCreated));
        }
        assert_eq!(CreateKeyExit::for_submission(None), (CreateKeyExit::Canceled, None));
    }
}
