//! The runtime: performs the calls of the console.

mod changes;
mod files;
mod metrics;
mod permissions;
mod principals;

use std::collections::HashMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::pin::pin;

use futures_util::future;
use futures_util::stream::{self, Stream, StreamExt as _, TryStreamExt as _};
use zeroize::Zeroizing;

use super::effect::{Call, CallFailure, Response};
use super::path_input;
use crate::aws::cloudtrail::LookupEvents;
use crate::aws::iam::ListAccountAliases;
use crate::aws::kms::{
    ConnectCustomKeyStore, DescribeKey, DisconnectCustomKeyStore, GetKeyPolicy, KeyListEntry, KeyMetadata, ListKeys,
    Tag,
};
use crate::aws::lenient::{self, UNREADABLE};
use crate::aws::policy::is_equivalent;
use crate::aws::scalar::SecretString;
use crate::aws::sts::GetCallerIdentity;
use crate::aws::xks_console::{DescribeExternalKey, ListExternalKeys, ListProxyRequests};
use crate::client::credentials::LoadCredentialsError;
use crate::client::profile::OpenError;
use crate::client::{CallError, Client};
use crate::create_key::key_summary::KeySummary;
use crate::create_key::submission::{self, SentRequest, SubmissionResponse};

/// The maximum number of concurrent DescribeKey calls.
const MAX_CONCURRENT_DESCRIBES: usize = 8;

/// Performs a call.
///
/// # Errors
/// The failure of the call. Missing credentials are not an error, but [`Response::NoCredentials`].
pub async fn perform(client: &Client, call: Call) -> Result<Response, CallFailure> {
    match try_perform(client, call).await {
        Err(PerformError::NoCredentials(none)) => Ok(Response::NoCredentials(none)),
        Err(PerformError::Failed(failure)) => Err(failure),
        Ok(reply) => Ok(reply),
    }
}

/// Why a call failed.
enum PerformError {
    /// There are no credentials.
    NoCredentials(LoadCredentialsError),
    /// Another failure.
    Failed(CallFailure),
}

impl From<CallError> for PerformError {
    fn from(error: CallError) -> Self {
        if let CallError::Credentials(none) = error { Self::NoCredentials(none) } else { Self::Failed((&error).into()) }
    }
}

impl From<CallFailure> for PerformError {
    fn from(failure: CallFailure) -> Self {
        Self::Failed(failure)
    }
}

async fn try_perform(client: &Client, call: Call) -> Result<Response, PerformError> {
    Ok(match call {
        Call::Submission(call) => match perform_stage(client, call).await {
            Ok(answer) => Response::Submission(answer),
            Err(CallError::Credentials(none)) => return Err(PerformError::NoCredentials(none)),
            Err(error) => Response::Submission(failed_answer(&error)),
        },
        Call::ReadFile(path) => Response::FileRead(decode_text(&read_file(&path).await?)),
        Call::WriteFile { name, text } => Response::FileWritten(files::write_new(name, text).await?),
        Call::Change(change) => Response::Changed(changes::perform(client, *change).await?),
        Call::Profiles => Response::Profiles(client.profiles().await.map_err(|error| open_failure(&error))?),
        Call::OpenClient(place) => {
            Response::ClientOpened(client.switch_to(&place).await.map_err(|error| open_failure(&error))?)
        }
        Call::LogIn(code) => {
            client.log_in(code).await.map_err(PerformError::NoCredentials)?;
            Response::LoggedIn
        }
        other => call_aws(client, other).await?,
    })
}

fn open_failure(error: &OpenError) -> CallFailure {
    CallFailure { code: "NotOpened".to_owned(), message: error.to_string(), request_id: String::new() }
}

async fn call_aws(client: &Client, call: Call) -> Result<Response, CallError> {
    Ok(match call {
        Call::Identity => {
            let caller = client.call(&GetCallerIdentity {}).await?;
            // The alias is optional: without permission to list it, the account ID is enough.
            let aliases = client.call(&ListAccountAliases {}).await.unwrap_or_default();
            Response::Identity { caller, account_alias: aliases.account_aliases.member.into_iter().next() }
        }
        Call::KeyStores => Response::KeyStores(client.collect_key_stores().await?),
        Call::Aliases => Response::Aliases(client.collect_aliases().await?),
        Call::Keys(marker) => keys_page(client, marker).await?,
        Call::Key(key_id) => Response::Key(Box::new(client.call(&DescribeKey::new(key_id)).await?.key_metadata.into())),
        Call::Users(marker) => principals::users(client, marker).await?,
        Call::Roles(marker) => principals::roles(client, marker).await?,
        Call::Permissions(demand) => Response::Permissions(permissions::missing_permissions(client, &demand).await?),
        Call::KeyPolicy(key_id) => Response::KeyPolicy(client.call(&GetKeyPolicy::new(key_id)).await?.policy),
        Call::KeyTags(key_id) => Response::KeyTags(client.collect_tags(&key_id).await?),
        Call::AllTags(keys) => Response::AllTags(all_tags(client, keys).await?),
        Call::ExternalKey { custom_key_store_id, xks_key_id } => {
            Response::ExternalKey(client.call(&DescribeExternalKey { custom_key_store_id, xks_key_id }).await?)
        }
        Call::ExternalKeys => Response::ExternalKeys(client.call(&ListExternalKeys {}).await?.partitions),
        Call::Events(next_token) => {
            let output = client.call(&LookupEvents { next_token, ..LookupEvents::default() }).await?;
            Response::Events { page: output.events, next: output.next_token }
        }
        Call::ProxyRequests(id) => {
            let request = ListProxyRequests { kms_request_id: Some(id), ..ListProxyRequests::default() };
            Response::ProxyRequests(client.call(&request).await?.requests)
        }
        Call::Metrics { custom_key_store_id, range } => {
            Response::Metrics(Box::new(metrics::load_monitoring(client, &custom_key_store_id, range).await?))
        }
        Call::Connect(custom_key_store_id) => {
            client.call(&ConnectCustomKeyStore { custom_key_store_id }).await?;
            Response::Accepted
        }
        Call::Disconnect(custom_key_store_id) => {
            client.call(&DisconnectCustomKeyStore { custom_key_store_id }).await?;
            Response::Accepted
        }
        // `try_perform` handles these, because their errors differ.
        Call::Submission(_)
        | Call::Change(_)
        | Call::ReadFile(_)
        | Call::WriteFile { .. }
        | Call::Profiles
        | Call::OpenClient(_)
        | Call::LogIn(_) => {
            return Err(CallError::NotAvailable);
        }
    })
}

/// The maximum size of a file, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Reads a file whose path the user entered.
async fn read_file(entered: &str) -> Result<Zeroizing<Vec<u8>>, CallFailure> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let path = path_input::resolve(entered, home.as_deref());
    let failed = |reason: String| CallFailure {
        code: "FileNotRead".to_owned(),
        message: format!("{}: {reason}", path.display()),
        request_id: String::new(),
    };
    let place = path.clone();
    let read = tokio::task::spawn_blocking(move || {
        // Reading a pipe or a device might never end.
        if !std::fs::metadata(&place)?.is_file() {
            return Err(std::io::Error::other("it is not a regular file"));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(8192));
        std::fs::File::open(&place)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    let bytes = read.await.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(failed(format!("it is larger than {MAX_FILE_BYTES} bytes")));
    }
    Ok(bytes)
}

fn decode_text(bytes: &[u8]) -> SecretString {
    SecretString::new(crate::text::strip_byte_order_mark(&String::from_utf8_lossy(bytes)).to_owned())
}

/// The size of the first page of keys. It is small, so that the list appears quickly.
const FIRST_PAGE_SIZE: u32 = 100;
/// The size of later pages from the bundled AWS, which responds at once.
const BUNDLED_PAGE_SIZE: u32 = 1000;
/// The size of later pages from real AWS, where each key takes time. Small pages show the progress.
const AWS_PAGE_SIZE: u32 = 200;

/// Loads a page of keys with their metadata. ListKeys returns only IDs and ARNs.
async fn keys_page(client: &Client, marker: Option<String>) -> Result<Response, CallError> {
    let limit = match (&marker, client.is_bundled()) {
        (None, _) => FIRST_PAGE_SIZE,
        (Some(_), true) => BUNDLED_PAGE_SIZE,
        (Some(_), false) => AWS_PAGE_SIZE,
    };
    let answer = client.call(&ListKeys { limit: Some(limit), marker: marker.clone(), ..ListKeys::default() }).await?;
    // A repeated marker would loop forever.
    let next = answer.next_marker.filter(|next| answer.truncated && marker.as_ref() != Some(next));
    let page = stream::iter(answer.keys)
        .map(|entry| async move { describe_or_placeholder(client, entry).await })
        .buffered(MAX_CONCURRENT_DESCRIBES)
        .try_filter_map(|key| future::ok(key.map(KeySummary::from)))
        .try_collect()
        .await?;
    Ok(Response::Keys { page, next })
}

/// Describes the keys, in the order of the list.
fn describe_all(client: &Client, entries: Vec<KeyListEntry>) -> impl Stream<Item = Result<KeyMetadata, CallError>> {
    stream::iter(entries)
        .map(move |entry| async move { describe(client, &entry).await })
        .buffered(MAX_CONCURRENT_DESCRIBES)
        .try_filter_map(future::ok)
}

/// Describes a key. Returns `None` if it no longer exists.
async fn describe(client: &Client, entry: &KeyListEntry) -> Result<Option<KeyMetadata>, CallError> {
    let Some(key_id) = [&entry.key_arn, &entry.key_id].into_iter().find(|id| *id != UNREADABLE) else {
        let reason = "an entry has neither a key ID nor a key ARN".to_owned();
        return Err(CallError::Malformed { operation: "ListKeys", reason });
    };
    match client.call(&DescribeKey::new(key_id.clone())).await {
        Ok(output) => Ok(Some(output.key_metadata)),
        Err(CallError::Service(error)) if error.has_code("NotFound") => Ok(None),
        Err(error) => Err(error),
    }
}

/// Describes a key. Returns a placeholder for a key that can't be read, so that the other keys are still shown.
async fn describe_or_placeholder(client: &Client, entry: KeyListEntry) -> Result<Option<KeyMetadata>, CallError> {
    match describe(client, &entry).await {
        Err(CallError::Malformed { operation, reason }) => {
            let unreadable = lenient::placeholder::<KeyMetadata>(&reason);
            let unreadable =
                unreadable.map_err(|error| CallError::Malformed { operation, reason: error.to_string() })?;
            let KeyListEntry { key_id, key_arn } = entry;
            Ok(Some(KeyMetadata { key_id, arn: key_arn, ..unreadable }))
        }
        described => described,
    }
}

/// Loads the tags of keys, with one call for each key.
async fn all_tags(client: &Client, keys: Vec<String>) -> Result<HashMap<String, Vec<Tag>>, CallError> {
    stream::iter(keys)
        .map(|key_id| async move {
            match client.collect_tags(&key_id).await {
                Err(CallError::Service(error)) if error.has_code("NotFound") => Ok((key_id, Vec::new())),
                tags => Ok((key_id, tags?)),
            }
        })
        .buffered(MAX_CONCURRENT_DESCRIBES)
        .try_collect()
        .await
}

/// Performs one stage of creating a key.
pub async fn submit_stage(client: &Client, call: submission::SubmissionRequest) -> SubmissionResponse {
    perform_stage(client, call).await.unwrap_or_else(|error| failed_answer(&error))
}

fn failed_answer(error: &CallError) -> SubmissionResponse {
    let CallFailure { code, message, request_id } = CallFailure::from(error);
    SubmissionResponse::Failed(submission::SubmissionFailure {
        code,
        message,
        request_id,
        outcome_unknown: error.outcome_unknown(),
    })
}

async fn perform_stage(client: &Client, call: submission::SubmissionRequest) -> Result<SubmissionResponse, CallError> {
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

/// Finds the keys that a CreateKey request without a response may have created.
async fn find_keys(client: &Client, sent: &SentRequest) -> Result<Vec<KeyMetadata>, CallError> {
    let keys = client.collect_keys().await?;
    let mut candidates = pin!(describe_all(client, keys).try_filter(|key| future::ready(sent.matches(key))));
    let mut found = Vec::new();
    while let Some(key) = candidates.try_next().await? {
        if !sent.requires_policy_match() {
            return Ok(vec![key]);
        }
        let policy = client.call(&GetKeyPolicy::new(key.key_id.clone())).await?.policy;
        if sent.request.policy.as_ref().is_some_and(|sent_policy| is_equivalent(sent_policy, &policy)) {
            found.push(key);
        }
    }
    Ok(found)
}
