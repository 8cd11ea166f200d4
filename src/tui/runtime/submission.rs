//! Performs the stages of creating a key.

use std::pin::pin;

use futures_util::future;
use futures_util::stream::TryStreamExt as _;

use super::keys::describe_all;
use crate::aws::kms::{GetKeyPolicy, KeyMetadata};
use crate::aws::policy::is_equivalent;
use crate::client::{CallError, Client};
use crate::create_key::submission::{self, SentRequest, SubmissionResponse};
use crate::tui::effect::CallFailure;

/// Performs one stage of creating a key.
pub async fn submit_stage(client: &Client, call: submission::SubmissionRequest) -> SubmissionResponse {
    perform_stage(client, call).await.unwrap_or_else(|error| failed_answer(&error))
}

pub(super) fn failed_answer(error: &CallError) -> SubmissionResponse {
    let CallFailure { code, message, request_id } = CallFailure::from(error);
    SubmissionResponse::Failed(submission::SubmissionFailure {
        code,
        message,
        request_id,
        outcome_unknown: error.outcome_unknown(),
    })
}

pub(super) async fn perform_stage(
    client: &Client,
    call: submission::SubmissionRequest,
) -> Result<SubmissionResponse, CallError> {
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
