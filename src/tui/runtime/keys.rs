//! Loads keys, their metadata, and their tags.

use std::collections::HashMap;

use futures_util::future;
use futures_util::stream::{self, Stream, StreamExt as _, TryStreamExt as _};
use tokio::task::JoinError;

use crate::aws::kms::{DescribeKey, KeyListEntry, KeyMetadata, ListKeys, Tag};
use crate::aws::lenient::{self, UNREADABLE};
use crate::client::{CallError, Client};
use crate::create_key::changed_keys::ChangedKey;
use crate::create_key::key_summary::KeySummary;
use crate::tui::effect::Response;

/// The maximum number of concurrent DescribeKey calls.
const MAX_CONCURRENT_DESCRIBES: usize = 8;

/// The size of the first page of keys. It is small, so that the list appears quickly.
const FIRST_PAGE_SIZE: u32 = 100;
/// The size of later pages from the bundled AWS, which responds at once. The rows of a page are added to a list of any length
/// in about a millisecond.
const BUNDLED_PAGE_SIZE: u32 = 500;
/// How many keys of a page one task describes. The tasks of a page run on different threads.
const KEYS_PER_TASK: usize = 250;
/// The size of later pages from real AWS, where each key takes time. Small pages show the progress.
const AWS_PAGE_SIZE: u32 = 200;

/// Loads a page of keys with their metadata. ListKeys returns only IDs and ARNs.
pub(super) async fn keys_page(client: &Client, marker: Option<String>) -> Result<Response, CallError> {
    let limit = match (&marker, client.is_bundled()) {
        (None, _) => FIRST_PAGE_SIZE,
        (Some(_), true) => BUNDLED_PAGE_SIZE,
        (Some(_), false) => AWS_PAGE_SIZE,
    };
    let answer = client.call(&ListKeys { limit: Some(limit), marker: marker.clone(), ..ListKeys::default() }).await?;
    // A repeated marker would loop forever.
    let next = answer.next_marker.filter(|next| answer.truncated && marker.as_ref() != Some(next));
    let tasks: Vec<_> = answer
        .keys
        .chunks(KEYS_PER_TASK)
        .map(|entries| tokio::spawn(summarize_all(client.clone(), entries.to_vec())))
        .collect();
    let mut page = Vec::with_capacity(answer.keys.len());
    for task in tasks {
        let failed = |error: JoinError| CallError::Malformed { operation: "DescribeKey", reason: error.to_string() };
        page.append(&mut task.await.map_err(failed)??);
    }
    Ok(Response::Keys { page, next })
}

/// Describes the keys for a list, in the order of the entries.
async fn summarize_all(client: Client, entries: Vec<KeyListEntry>) -> Result<Vec<KeySummary>, CallError> {
    stream::iter(entries)
        .map(|entry| describe_or_placeholder(&client, entry))
        .buffered(MAX_CONCURRENT_DESCRIBES)
        .try_filter_map(|key| future::ok(key.map(KeySummary::from)))
        .try_collect()
        .await
}

/// Describes the keys, in the order of the list.
pub(super) fn describe_all(
    client: &Client,
    entries: Vec<KeyListEntry>,
) -> impl Stream<Item = Result<KeyMetadata, CallError>> {
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

/// Loads keys that changed, with their aliases and possibly their tags.
pub(super) async fn changed_keys(
    client: &Client,
    key_ids: Vec<String>,
    with_tags: bool,
) -> Result<Vec<ChangedKey>, CallError> {
    stream::iter(key_ids)
        .map(|key_id| async move { changed_key(client, key_id, with_tags).await })
        .buffered(MAX_CONCURRENT_DESCRIBES)
        .try_collect()
        .await
}

async fn changed_key(client: &Client, key_id: String, with_tags: bool) -> Result<ChangedKey, CallError> {
    let entry = KeyListEntry { key_id: key_id.clone(), key_arn: key_id.clone() };
    let key = describe_or_placeholder(client, entry).await?.map(KeySummary::from);
    let aliases = unless_not_found(client.collect_aliases_of(&key_id).await)?;
    let tags = if with_tags { Some(unless_not_found(client.collect_tags(&key_id).await)?) } else { None };
    Ok(ChangedKey { key_id, key, aliases, tags })
}

/// Returns an empty list for a key that no longer exists.
fn unless_not_found<T>(list: Result<Vec<T>, CallError>) -> Result<Vec<T>, CallError> {
    match list {
        Err(CallError::Service(error)) if error.has_code("NotFound") => Ok(Vec::new()),
        list => list,
    }
}

/// Loads the tags of keys, with one call for each key.
pub(super) async fn all_tags(client: &Client, keys: Vec<String>) -> Result<HashMap<String, Vec<Tag>>, CallError> {
    stream::iter(keys)
        .map(|key_id| async move {
            let tags = unless_not_found(client.collect_tags(&key_id).await)?;
            Ok((key_id, tags))
        })
        .buffered(MAX_CONCURRENT_DESCRIBES)
        .try_collect()
        .await
}
