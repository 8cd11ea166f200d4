//! Loads what lists show, with the same calls as the console.

use std::fmt::Display;
use std::io::{self, Write};

use crate::aws::kms::KeyManagerType;
use crate::client::Client;
use crate::create_key::account_state::{AccountState, Loadable};
use crate::error_remedies;
use crate::text::escape_controls_in_lines;
use crate::tui::effect::{Call, CallFailure, Response};
use crate::tui::runtime::perform;

/// Why something couldn't be loaded.
#[derive(Debug, thiserror::Error)]
#[error("Couldn't load {what}: {why}")]
pub(super) struct LoadError {
    what: String,
    why: String,
}

impl LoadError {
    pub(super) fn new(what: impl Display, failure: &CallFailure) -> Self {
        Self { what: what.to_string(), why: describe(failure) }
    }
}

/// Describes a failure: what AWS returned, what it means, and what to do.
fn describe(failure: &CallFailure) -> String {
    if failure.code == CallFailure::NO_CREDENTIALS {
        return failure.message.clone();
    }
    let remedy = error_remedies::for_error(&failure.code, &failure.message);
    let request =
        if failure.request_id.is_empty() { String::new() } else { format!("\n  Request ID: {}", failure.request_id) };
    let text = format!(
        "{}: {}\n  {}\n  What to do: {}{request}",
        failure.code, failure.message, remedy.meaning, remedy.action
    );
    escape_controls_in_lines(&text)
}

/// Performs a call. Missing credentials are a failure.
pub(super) async fn call(client: &Client, call: Call) -> Result<Response, CallFailure> {
    match Box::pin(perform(client, call)).await? {
        Response::NoCredentials(none) => Err(CallFailure::from(&none)),
        response => Ok(response),
    }
}

/// Loads the caller, the key stores, and the aliases. Each part that fails has its reason.
pub(super) async fn account_state(client: &Client) -> AccountState {
    let mut account = AccountState { region: client.region().to_owned(), ..AccountState::default() };
    let (caller, key_stores, aliases) =
        tokio::join!(call(client, Call::Identity), call(client, Call::KeyStores), call(client, Call::Aliases));
    // Only messages use the account ID.
    if let Ok(Response::Identity { caller, .. }) = caller {
        account.set_caller(caller);
    }
    account.key_stores =
        loadable(key_stores, |response| if let Response::KeyStores(stores) = response { Some(stores) } else { None });
    account.aliases =
        loadable(aliases, |response| if let Response::Aliases(aliases) = response { Some(aliases) } else { None });
    account.index_aliases();
    account
}

/// Returns the data of a response, or the reason why it couldn't be loaded.
pub(super) fn loadable<T>(
    result: Result<Response, CallFailure>,
    data: impl FnOnce(Response) -> Option<T>,
) -> Loadable<T> {
    match result {
        Ok(response) => data(response).map_or(Loadable::Idle, Loadable::Ready),
        Err(failure) => Loadable::Failed(describe(&failure)),
    }
}

/// Loads all keys into `account`.
///
/// # Errors
/// [`LoadError`] if a page can't be loaded.
pub(super) async fn keys(client: &Client, account: &mut AccountState) -> Result<(), LoadError> {
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let response = call(client, Call::Keys(marker)).await;
        let response = response.map_err(|failure| LoadError::new("the KMS keys", &failure))?;
        let Response::Keys { page, next } = response else { break };
        all.extend(page);
        marker = next;
        if marker.is_none() {
            break;
        }
    }
    let (aws, ours) = all.into_iter().partition(|key| key.key_manager == KeyManagerType::Aws);
    (account.aws_managed_keys, account.keys) = (aws, Loadable::Ready(ours));
    account.has_all_keys = true;
    Ok(())
}

/// Loads the tags of keys into `account`.
///
/// # Errors
/// [`LoadError`] if the tags of a key can't be loaded.
pub(super) async fn tags(client: &Client, account: &mut AccountState, key_ids: Vec<String>) -> Result<(), LoadError> {
    let response = call(client, Call::AllTags(key_ids)).await;
    if let Response::AllTags(tags) = response.map_err(|failure| LoadError::new("the tags", &failure))? {
        account.tags = Loadable::Ready(tags);
    }
    Ok(())
}

/// Writes why `data` is missing in the output, if it is. Returns whether it is there.
pub(super) fn report_missing<T>(data: &Loadable<T>, what: &str, notes: &mut impl Write) -> io::Result<bool> {
    match data.error() {
        Some(why) => {
            writeln!(notes, "xks-console: The output isn't complete. Couldn't load {what}: {why}").map(|()| false)
        }
        None => Ok(true),
    }
}
