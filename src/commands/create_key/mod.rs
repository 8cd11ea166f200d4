//! `create-key`: what is said beforehand is read, and keys are made without a screen.

pub mod batch;
pub mod files;
pub mod log_in;
pub mod one;
mod stop;
mod submit;

pub use stop::Stop;

use std::process::ExitCode;

use crate::aws::kms::{ConnectionState, KeyMetadata, Origin};
use crate::aws::operation::Service;
use crate::aws::sts::GetCallerIdentity;
use crate::client::{CallError, Client};
use crate::create_key::answers::{Answers, option_of};
use crate::create_key::draft::KeyDraft;
use crate::create_key::field::Field;
use crate::create_key::guide;
use crate::create_key::key_summary::KeySummary;
use crate::create_key::known::{Known, Loaded};
use crate::create_key::method::{Method, Step};
use crate::create_key::submission::{Failure, Stage, Submission};
use crate::create_key::validate::{FieldError, validate};
use crate::create_key::wanted;
use crate::tui::effect::{self, Call, Reply};
use crate::tui::runtime;

/// What the command ends with. Others are 128 and the number of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The key, or each key of a list, was made.
    Made = 0,
    /// It was refused or failed; nothing was made.
    NotMade = 1,
    /// What was asked for is not right, so AWS was not asked; nothing was made.
    NotRight = 2,
    /// The wizard was left; nothing was made.
    Left = 3,
    /// The key was made, its alias was not.
    WithoutAlias = 4,
    /// Nobody can tell whether the key was made.
    Unknown = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// What a submission that goes on no further comes to, and the key, if there is one.
    pub fn of(submission: Option<&Submission>) -> (Self, Option<&KeyMetadata>) {
        let key = submission.and_then(Submission::key);
        let exit = match (submission, key) {
            (Some(Submission::Done { .. } | Submission::Sending { stage: Stage::DescribeKey, .. }), _) => Self::Made,
            (_, Some(_)) => Self::WithoutAlias,
            (Some(Submission::Sending { .. } | Submission::Unknown { .. }), None) => Self::Unknown,
            (Some(Submission::Failed { .. }), None) => Self::NotMade,
            (Some(_) | None, None) => Self::Left,
        };
        (exit, key)
    }
}

/// Asks AWS who is calling and what the rules need to know for a key of this origin.
///
/// # Errors
/// Without the account no key can be made, and none in an external key store without the key stores.
async fn learn(client: &Client, origin: Origin) -> Result<Known, CallError> {
    let mut known = Known {
        region: client.region().to_owned(),
        endpoint_url: client.endpoints().address(Service::Kms).map(str::to_owned),
        is_read_only: client.is_read_only(),
        ..Known::default()
    };
    known.identify(client.call(&GetCallerIdentity {}).await?);
    if origin == Origin::ExternalKeyStore {
        known.key_stores = Loaded::Ready(client.collect_key_stores().await?);
    } else {
        // No external key tells such a key from others: it is known again by being new. Who may not list keys can't look for
        // it either.
        let keys = client.collect_keys().await.ok();
        known.key_ids = keys.map(|keys| keys.into_iter().map(|key| key.key_id).collect());
    }
    // Without permission to list them, CreateAlias tells whether an alias is taken.
    known.aliases = match client.collect_aliases().await {
        Ok(aliases) => Loaded::Ready(aliases),
        Err(error) => Loaded::Failed(error.to_string()),
    };
    Ok(known)
}

/// All keys, described; without permission to list them, CreateKey tells whether an external key is in use.
async fn keys(client: &Client) -> Loaded<Vec<KeySummary>> {
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        match runtime::perform(client, Call::Keys(marker)).await {
            Ok(Reply::Keys { page, next }) => {
                all.extend(page);
                marker = next;
            }
            Ok(_) => return Loaded::Idle,
            Err(failure) => return Loaded::Failed(failure.message),
        }
        if marker.is_none() {
            return Loaded::Ready(all);
        }
    }
}

/// Puts the draft into the external key store that is wanted, if it is for one.
fn place(draft: &mut KeyDraft, answers: &Answers, known: &Known) -> Result<(), String> {
    if !draft.is_external() {
        return Ok(());
    }
    let wanted = answers.custom_key_store_id.as_deref();
    let store = wanted::key_store(wanted, known).map_err(|error| format!("--custom-key-store-id: {error}."))?;
    draft.custom_key_store_id = Some(store.custom_key_store_id.clone());
    Ok(())
}

/// What the rules of the wizard say against a draft, each with its field, in words for a command line.
fn wrong(draft: &KeyDraft, known: &Known) -> Vec<(Field, String)> {
    let option_of = |field| match field {
        Field::KeyPolicy if draft.edited_policy.is_some() => "--policy",
        _ => option_of(field),
    };
    let in_words = |FieldError { field, message }| {
        let unconnected = unconnected(draft, known).filter(|_| field == Field::CustomKeyStore);
        (field, format!("{}: {}", option_of(field), unconnected.unwrap_or(message)))
    };
    validate(&Method::FromCustomerManagedKeys, Step::Review, draft, known).into_iter().map(in_words).collect()
}

fn unconnected(draft: &KeyDraft, known: &Known) -> Option<String> {
    let store = known.key_store(draft.custom_key_store_id.as_deref()?)?;
    let (name, id) = (&store.custom_key_store_name, &store.custom_key_store_id);
    (store.connection_state != ConnectionState::Connected).then(|| {
        format!(
            "{name} ({id}) is {}, and keys are made in a connected store. Connect it in the console, or: \
             aws kms connect-custom-key-store --custom-key-store-id {id}",
            store.connection_state.label().to_lowercase()
        )
    })
}

/// What to do, where the console's advice speaks of what is on its screen.
fn remedy_without_screen(code: &str) -> Option<&'static str> {
    match code {
        "ReadOnly" => Some(
            "Run it without --read-only, and where config.toml has no `read-only`, or hand it to somebody who may make keys.",
        ),
        "NoCredentials" => Some(
            "Do what the message says before you try again. If the profile needs an MFA code, the command asks for it on the \
             terminal when it starts, with --yes and --batch, too.",
        ),
        _ => None,
    }
}

/// A failure in a few lines: what AWS said, what it means, what to do.
fn in_words(failure: &Failure) -> String {
    let guide = guide::for_error(&failure.code, &failure.message);
    let remedy = remedy_without_screen(&failure.code).unwrap_or(guide.remedy);
    let mut words = failure.code.clone();
    if !failure.message.is_empty() {
        words = format!("{words}: {}", failure.message);
    }
    if let Some(field) = guide.mended_by {
        words = format!("{}: {words}", option_of(field));
    }
    words = format!("{words}\n  {}\n  What to do: {remedy}", guide.meaning);
    if !failure.request_id.is_empty() {
        words = format!("{words}\n  Request ID: {}", failure.request_id);
    }
    words
}

/// A call that failed, with what to do about it.
fn call_in_words(error: &CallError) -> String {
    let effect::Failure { code, message, request_id } = effect::Failure::from(error);
    in_words(&Failure { code, message, request_id, outcome_unknown: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create_key::testing::key;

    #[test]
    fn without_a_screen_nothing_is_said_of_one() {
        for (code, words) in
            [("ReadOnly", "without --read-only"), ("NoCredentials", "asks for it on the terminal when it starts")]
        {
            let (message, request_id) = Default::default();
            let told = in_words(&Failure { code: code.to_owned(), message, request_id, outcome_unknown: false });
            assert!(told.contains(words), "{told}");
            for screen in ["given here", "you have typed"] {
                assert!(!told.contains(screen), "{told}");
            }
        }
    }

    #[test]
    fn the_exit_tells_what_there_is() {
        let made = || Box::new(key("k1", "payments-2026"));
        let some = || Some(made());
        let failure = || Failure {
            code: "AlreadyExistsException".to_owned(),
            message: String::new(),
            request_id: String::new(),
            outcome_unknown: false,
        };
        let sending = |stage, key| Submission::Sending { stage, key, sent: Box::default() };
        let unknown = |stage, key| Submission::Unknown { stage, key, sent: Box::default(), failure: failure() };
        for (submission, exit) in [
            (Submission::NotSent, Exit::Left),
            (Submission::Failed { failure: failure() }, Exit::NotMade),
            (Submission::Done { key: made() }, Exit::Made),
            (Submission::KeyWithoutAlias { key: made(), failure: failure() }, Exit::WithoutAlias),
            (sending(Stage::CreateKey, None), Exit::Unknown),
            (sending(Stage::FindKey, None), Exit::Unknown),
            (sending(Stage::CreateAlias, some()), Exit::WithoutAlias),
            (sending(Stage::DescribeKey, some()), Exit::Made),
            (unknown(Stage::CreateKey, None), Exit::Unknown),
            (unknown(Stage::CreateAlias, some()), Exit::WithoutAlias),
        ] {
            let (told, key) = Exit::of(Some(&submission));
            assert_eq!(told, exit, "{submission:?}");
            assert_eq!(key.is_some(), matches!(exit, Exit::Made | Exit::WithoutAlias));
        }
        assert_eq!(Exit::of(None), (Exit::Left, None));
    }
}
