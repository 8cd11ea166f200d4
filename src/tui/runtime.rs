//! Who performs effects: the event loop of a terminal, and the single calls that everything else shares.

mod changes;
mod files;
mod metrics;
mod permissions;
mod principals;

use std::collections::HashMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use futures_util::future;
use futures_util::stream::{self, Stream, StreamExt as _, TryStreamExt as _};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::app::App;
use super::chrome;
use super::effect::{Call, Effect, Failure, Msg, Reply};
use super::preferences::Preferences;
use super::terminal::signals::{Signal, Signals};
use super::terminal::{Input, Surroundings, Terminal};
use super::typed_path;
use crate::aws::cloudtrail::LookupEvents;
use crate::aws::iam::ListAccountAliases;
use crate::aws::kms::{
    ConnectCustomKeyStore, DescribeKey, DisconnectCustomKeyStore, GetKeyPolicy, KeyListEntry, KeyMetadata, ListKeys,
    Tag,
};
use crate::aws::mend::{self, UNREADABLE};
use crate::aws::policy::is_equivalent;
use crate::aws::scalar::SecretString;
use crate::aws::sts::GetCallerIdentity;
use crate::aws::xks_console::{DescribeExternalKey, ListExternalKeys, ListProxyRequests};
use crate::client::credentials::LoadCredentialsError;
use crate::client::log::ApiCall;
use crate::client::profile::OpenError;
use crate::client::{CallError, Client};
use crate::create_key::key_summary::KeySummary;
use crate::create_key::submission::{self, SentRequest, SubmissionResponse};
use crate::drafts::DraftWriter;

/// DescribeKey calls that run at the same time while a list fills.
const PARALLEL_DESCRIBES: usize = 8;

/// Asks AWS one thing.
///
/// # Errors
/// What the service refused or the transport lost, in words.
pub async fn perform(client: &Client, call: Call) -> Result<Reply, Failure> {
    match answer(client, call).await {
        Err(Stopped::LoggedOut(none)) => Ok(Reply::NoCredentials(none)),
        Err(Stopped::Failed(failure)) => Err(failure),
        Ok(reply) => Ok(reply),
    }
}

/// Why there is no answer.
enum Stopped {
    /// There is nothing to sign with.
    LoggedOut(LoadCredentialsError),
    /// Something else went wrong.
    Failed(Failure),
}

impl From<CallError> for Stopped {
    fn from(error: CallError) -> Self {
        if let CallError::Credentials(none) = error { Self::LoggedOut(none) } else { Self::Failed((&error).into()) }
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

async fn answer(client: &Client, call: Call) -> Result<Reply, Stopped> {
    Ok(match call {
        Call::Submission(call) => match stage(client, call).await {
            Ok(answer) => Reply::Submission(answer),
            Err(CallError::Credentials(none)) => return Err(Stopped::LoggedOut(none)),
            Err(error) => Reply::Submission(failed(&error)),
        },
        Call::ReadFile(path) => Reply::File(text_of(&read_file(&path).await?)),
        Call::WriteFile { name, text } => Reply::Written(files::write(name, text).await?),
        Call::Change(change) => Reply::Changed(changes::perform(client, *change).await?),
        Call::Profiles => Reply::Profiles(client.profiles().await.map_err(|error| not_opened(&error))?),
        Call::Open(place) => Reply::Opened(client.switch_to(&place).await.map_err(|error| not_opened(&error))?),
        Call::LogIn(code) => {
            client.log_in(code).await.map_err(Stopped::LoggedOut)?;
            Reply::LoggedIn
        }
        other => ask(client, other).await?,
    })
}

fn not_opened(error: &OpenError) -> Failure {
    Failure { code: "NotOpened".to_owned(), message: error.to_string(), request_id: String::new() }
}

async fn ask(client: &Client, call: Call) -> Result<Reply, CallError> {
    Ok(match call {
        Call::Identity => {
            let caller = client.call(&GetCallerIdentity {}).await?;
            // The alias is a nicety: without permission to list it the account number has to do.
            let aliases = client.call(&ListAccountAliases {}).await.unwrap_or_default();
            Reply::Identity { caller, account_alias: aliases.account_aliases.member.into_iter().next() }
        }
        Call::KeyStores => Reply::KeyStores(client.collect_key_stores().await?),
        Call::Aliases => Reply::Aliases(client.collect_aliases().await?),
        Call::Keys(marker) => keys_page(client, marker).await?,
        Call::Key(key_id) => Reply::Key(Box::new(client.call(&DescribeKey::new(key_id)).await?.key_metadata.into())),
        Call::Users(marker) => principals::users(client, marker).await?,
        Call::Roles(marker) => principals::roles(client, marker).await?,
        Call::Permissions(demand) => Reply::Permissions(permissions::lacks(client, &demand).await?),
        Call::KeyPolicy(key_id) => Reply::KeyPolicy(client.call(&GetKeyPolicy::new(key_id)).await?.policy),
        Call::KeyTags(key_id) => Reply::KeyTags(client.collect_tags(&key_id).await?),
        Call::AllTags(keys) => Reply::AllTags(all_tags(client, keys).await?),
        Call::ExternalKey { custom_key_store_id, xks_key_id } => {
            Reply::ExternalKey(client.call(&DescribeExternalKey { custom_key_store_id, xks_key_id }).await?)
        }
        Call::ExternalKeys => Reply::ExternalKeys(client.call(&ListExternalKeys {}).await?.partitions),
        Call::Events(next_token) => {
            let told = client.call(&LookupEvents { next_token, ..LookupEvents::default() }).await?;
            Reply::Events { page: told.events, next: told.next_token }
        }
        Call::ProxyRequests(id) => {
            let wanted = ListProxyRequests { kms_request_id: Some(id), ..ListProxyRequests::default() };
            Reply::ProxyRequests(client.call(&wanted).await?.requests)
        }
        Call::Metrics { custom_key_store_id, range } => {
            Reply::Metrics(Box::new(metrics::told(client, &custom_key_store_id, range).await?))
        }
        Call::Connect(custom_key_store_id) => {
            client.call(&ConnectCustomKeyStore { custom_key_store_id }).await?;
            Reply::Accepted
        }
        Call::Disconnect(custom_key_store_id) => {
            client.call(&DisconnectCustomKeyStore { custom_key_store_id }).await?;
            Reply::Accepted
        }
        // Performed above: they fail in ways of their own.
        Call::Submission(_)
        | Call::Change(_)
        | Call::ReadFile(_)
        | Call::WriteFile { .. }
        | Call::Profiles
        | Call::Open(_)
        | Call::LogIn(_) => {
            return Err(CallError::NotAvailable);
        }
    })
}

/// The longest file that is read, in bytes.
const MOST_FILE_BYTES: u64 = 64 * 1024;

/// Reads a file that the person named.
async fn read_file(entered: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let path = typed_path::resolve(entered, home.as_deref());
    let failed = |reason: String| Failure {
        code: "FileNotRead".to_owned(),
        message: format!("{}: {reason}", path.display()),
        request_id: String::new(),
    };
    let place = path.clone();
    let read = tokio::task::spawn_blocking(move || {
        // A pipe or a device may never end.
        if !std::fs::metadata(&place)?.is_file() {
            return Err(std::io::Error::other("it is not a file"));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(8192));
        std::fs::File::open(&place)?.take(MOST_FILE_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    let bytes = read.await.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > MOST_FILE_BYTES {
        return Err(failed(format!("it is longer than {MOST_FILE_BYTES} bytes")));
    }
    Ok(bytes)
}

fn text_of(bytes: &[u8]) -> SecretString {
    SecretString::new(crate::text::strip_byte_order_mark(&String::from_utf8_lossy(bytes)).to_owned())
}

/// Keys on the first page, which is to be seen at once.
const FIRST_PAGE: u32 = 100;
/// Keys on each page after it from the AWS in this process, which takes no time.
const LATER_PAGES: u32 = 1000;
/// ... and from one that takes a while for each key: one sees how the list grows.
const SLOW_PAGES: u32 = 200;

/// A page of the keys, described. There is no list that tells more than IDs.
async fn keys_page(client: &Client, marker: Option<String>) -> Result<Reply, CallError> {
    let limit = match (&marker, client.is_bundled()) {
        (None, _) => FIRST_PAGE,
        (Some(_), true) => LATER_PAGES,
        (Some(_), false) => SLOW_PAGES,
    };
    let answer = client.call(&ListKeys { limit: Some(limit), marker: marker.clone(), ..ListKeys::default() }).await?;
    // A marker that comes again would never end.
    let next = answer.next_marker.filter(|next| answer.truncated && marker.as_ref() != Some(next));
    let page = stream::iter(answer.keys)
        .map(|entry| async move { described_or_not(client, entry).await })
        .buffered(PARALLEL_DESCRIBES)
        .try_filter_map(|key| future::ok(key.map(KeySummary::from)))
        .try_collect()
        .await?;
    Ok(Reply::Keys { page, next })
}

/// The keys in the order of the list, as they are described.
fn described(client: &Client, entries: Vec<KeyListEntry>) -> impl Stream<Item = Result<KeyMetadata, CallError>> {
    stream::iter(entries)
        .map(move |entry| async move { describe(client, &entry).await })
        .buffered(PARALLEL_DESCRIBES)
        .try_filter_map(future::ok)
}

/// A key of a list; nothing when it is gone since then.
async fn describe(client: &Client, entry: &KeyListEntry) -> Result<Option<KeyMetadata>, CallError> {
    let Some(key_id) = [&entry.key_arn, &entry.key_id].into_iter().find(|id| *id != UNREADABLE) else {
        let reason = "it names neither the key ID nor the key ARN".to_owned();
        return Err(CallError::Malformed { operation: "ListKeys", reason });
    };
    match client.call(&DescribeKey::new(key_id.clone())).await {
        Ok(output) => Ok(Some(output.key_metadata)),
        Err(CallError::Service(error)) if error.has_code("NotFound") => Ok(None),
        Err(error) => Err(error),
    }
}

/// A key of a list. One that can't be read leaves the others: it says so in its row.
async fn described_or_not(client: &Client, entry: KeyListEntry) -> Result<Option<KeyMetadata>, CallError> {
    match describe(client, &entry).await {
        Err(CallError::Malformed { operation, reason }) => {
            let unreadable = mend::placeholder::<KeyMetadata>(&reason);
            let unreadable =
                unreadable.map_err(|error| CallError::Malformed { operation, reason: error.to_string() })?;
            let KeyListEntry { key_id, key_arn } = entry;
            Ok(Some(KeyMetadata { key_id, arn: key_arn, ..unreadable }))
        }
        described => described,
    }
}

/// The tags of keys, which only one call for each key tells.
async fn all_tags(client: &Client, keys: Vec<String>) -> Result<HashMap<String, Vec<Tag>>, CallError> {
    stream::iter(keys)
        .map(|key_id| async move {
            match client.collect_tags(&key_id).await {
                Err(CallError::Service(error)) if error.has_code("NotFound") => Ok((key_id, Vec::new())),
                tags => Ok((key_id, tags?)),
            }
        })
        .buffered(PARALLEL_DESCRIBES)
        .try_collect()
        .await
}

/// Performs one stage of creating a key.
pub async fn submit(client: &Client, call: submission::SubmissionRequest) -> SubmissionResponse {
    stage(client, call).await.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &CallError) -> SubmissionResponse {
    let Failure { code, message, request_id } = Failure::from(error);
    SubmissionResponse::Failed(submission::SubmissionFailure {
        code,
        message,
        request_id,
        outcome_unknown: error.outcome_unknown(),
    })
}

async fn stage(client: &Client, call: submission::SubmissionRequest) -> Result<SubmissionResponse, CallError> {
    match call {
        submission::SubmissionRequest::CreateKey(request) => {
            client.call(&*request).await.map(|output| SubmissionResponse::KeyCreated(Box::new(output.key_metadata)))
        }
        submission::SubmissionRequest::CreateAlias(request) => {
            client.call(&request).await.map(|_| SubmissionResponse::AliasCreated)
        }
        submission::SubmissionRequest::DescribeKey(request) => {
            client.call(&request).await.map(|output| SubmissionResponse::KeyDescribed(Box::new(output.key_metadata)))
        }
        submission::SubmissionRequest::FindKey(sent) => find_keys(client, &sent).await.map(|found| sent.resolve(found)),
        submission::SubmissionRequest::FindAlias { alias_name } => client.collect_aliases().await.map(|aliases| {
            let found = aliases.into_iter().find(|alias| alias.alias_name == alias_name);
            SubmissionResponse::AliasTarget(found.and_then(|alias| alias.target_key_id))
        }),
    }
}

/// The keys that a CreateKey without an answer may have made.
async fn find_keys(client: &Client, sent: &SentRequest) -> Result<Vec<KeyMetadata>, CallError> {
    let keys = client.collect_keys().await?;
    let mut candidates = pin!(described(client, keys).try_filter(|key| future::ready(sent.matches(key))));
    let mut found = Vec::new();
    while let Some(key) = candidates.try_next().await? {
        if !sent.requires_policy_match() {
            return Ok(vec![key]);
        }
        let policy = client.call(&GetKeyPolicy::new(key.key_id.clone())).await?.policy;
        if sent.request.policy.as_ref().is_some_and(|asked| is_equivalent(asked, &policy)) {
            found.push(key);
        }
    }
    Ok(found)
}

/// What the outside said.
enum Happened {
    Msg(Msg),
    Suspend,
    Resume,
    Redraw,
    End(ExitCode),
    Nothing,
}

/// Runs the console in this terminal until it is left or a signal ends it; `app` is then as it was left.
///
/// # Errors
/// When the terminal can't be taken over, read or written.
///
/// `changes` tells that something was changed by others; `drafts` keeps what is typed, `remember` what the person prefers.
pub async fn run(
    client: Client,
    app: &mut App,
    first: Vec<Effect>,
    changes: impl Stream<Item = ()>,
    drafts: &mut DraftWriter,
    remember: impl Fn(&Preferences) -> std::io::Result<()>,
) -> std::io::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let mut screen = Terminal::enter()?;
    let mut input = Input::open()?;
    // While the program is stopped the terminal belongs to the shell.
    let mut is_suspended = false;
    let mut changes = pin!(changes);
    let (sender, mut inbox) = mpsc::unbounded_channel();
    let (clipboard, mut taken_up) = mpsc::unbounded_channel();
    let mut client = watched(client, &sender);
    let mut effects = first;
    if let Happened::Msg(size) = resized() {
        effects.extend(app.update(size));
    }
    loop {
        for effect in effects.drain(..) {
            match effect {
                Effect::Quit => return Ok(ExitCode::SUCCESS),
                Effect::Copy(text) => {
                    let sender = clipboard.clone();
                    tokio::spawn(async move {
                        let taken = Surroundings::of_environment().give(&text).await;
                        // Nobody listens any more when the console is closing.
                        let _ = sender.send((text, taken));
                    });
                }
                Effect::Draft(ask) => drafts.send(ask),
                // It was made of the one before, and is watched like it.
                Effect::Use(next) => client = next,
                Effect::Remember(preferences) => {
                    if let Err(error) = remember(&preferences) {
                        app.tell("Not remembered", &format!("The preferences hold for this run only: {error}."));
                    }
                }
                other => spawn(&client, other, &sender),
            }
        }
        if !is_suspended {
            screen.draw(|frame| chrome::draw(app, frame))?;
        }
        let happened = tokio::select! {
            event = input.next() => match event {
                Some(event) => translate(event),
                None => Happened::End(ExitCode::from(129)),
            },
            Some(msg) = inbox.recv() => Happened::Msg(msg),
            Some((text, taken)) = taken_up.recv() => {
                let what = taken.map_or_else(|| screen.copy(&text), Ok)?;
                Happened::Msg(Msg::Copied(what))
            }
            Some(told) = drafts.next_response() => Happened::Msg(Msg::Draft(told)),
            Some(()) = changes.next() => Happened::Msg(Msg::Changed),
            signal = signals.next() => match signal {
                Signal::End { exit_code } => Happened::End(ExitCode::from(exit_code)),
                Signal::Suspend => Happened::Suspend,
                Signal::Resume => Happened::Resume,
                Signal::Resize => resized(),
            },
        };
        match happened {
            Happened::Msg(msg) => effects.extend(app.update(msg)),
            Happened::Suspend => {
                is_suspended = true;
                screen.suspend()?;
            }
            Happened::Resume => {
                screen.resume()?;
                is_suspended = false;
            }
            Happened::Redraw => screen.forget()?,
            Happened::End(code) => return Ok(code),
            Happened::Nothing => {}
        }
        // Whatever has come in the meantime is taken before the next frame: pasting a page draws once.
        while let Ok(msg) = inbox.try_recv() {
            effects.extend(app.update(msg));
        }
    }
}

/// The same caller, whose calls the console is told of.
fn watched(client: Client, sender: &mpsc::UnboundedSender<Msg>) -> Client {
    let sender = sender.clone();
    client.with_observer(Arc::new(move |call: &ApiCall| {
        // Nobody listens any more when the console is closing.
        let _ = sender.send(Msg::Called(Box::new(call.clone())));
    }))
}

fn translate(event: Event) -> Happened {
    match event {
        Event::Key(KeyEvent { code: KeyCode::Char('z'), modifiers: KeyModifiers::CONTROL, .. }) => Happened::Suspend,
        Event::Key(KeyEvent { code: KeyCode::Char('l'), modifiers: KeyModifiers::CONTROL, .. }) => Happened::Redraw,
        Event::Key(key) => Happened::Msg(Msg::Key(key)),
        Event::Paste(text) => Happened::Msg(Msg::Paste(text)),
        Event::Resize(..) | Event::FocusGained | Event::FocusLost | Event::Mouse(_) => Happened::Nothing,
    }
}

/// The size of the terminal, if it tells.
fn resized() -> Happened {
    let size = crossterm::terminal::size();
    size.map_or(Happened::Nothing, |(width, height)| Happened::Msg(Msg::Resize { width, height }))
}

fn spawn(client: &Client, effect: Effect, sender: &mpsc::UnboundedSender<Msg>) {
    let (client, sender) = (client.clone(), sender.clone());
    tokio::spawn(async move {
        let msg = match effect {
            Effect::Call(id, call) => Msg::Answered(id, perform(&client, call).await),
            Effect::After(timer, milliseconds) => {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                Msg::Elapsed(timer)
            }
            Effect::Copy(_) | Effect::Draft(_) | Effect::Remember(_) | Effect::Use(_) | Effect::Quit => return,
        };
        // Nobody listens any more when the console is closing.
        let _ = sender.send(msg);
    });
}
