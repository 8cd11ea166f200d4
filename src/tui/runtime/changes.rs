//! Performs changes.

use super::files::read_file;
use super::perform_error::PerformError;
use crate::aws::kms::{DescribeKey, UpdateAlias};
use crate::aws::scalar::{Blob, SecretBlob};
use crate::aws::xks_console::PutProxyRoute;
use crate::client::{CallError, Client};
use crate::tui::effect::{CallFailure, Change, ChangeOutcome};

/// Performs a change.
///
/// # Errors
/// The failure of the request, or of reading a file.
pub(super) async fn perform(client: &Client, change: Change) -> Result<ChangeOutcome, PerformError> {
    let change = load_file(change).await?;
    Ok(execute(client, change).await?)
}

/// Loads the file that a change names, if any, into the request.
async fn load_file(change: Change) -> Result<Change, CallFailure> {
    Ok(match change {
        Change::Encrypt(mut request, Some(path)) => {
            request.plaintext = SecretBlob::new(read_file(&path).await?.to_vec());
            Change::Encrypt(request, None)
        }
        Change::Decrypt(mut request, Some(path)) => {
            request.ciphertext_blob = Blob(read_file(&path).await?.to_vec());
            Change::Decrypt(request, None)
        }
        Change::PutProxyRoute(PutProxyRoute(mut route), Some(path)) => {
            let pem = String::from_utf8_lossy(&read_file(&path).await?).into_owned();
            route.certificate_authorities = Some(pem);
            Change::PutProxyRoute(PutProxyRoute(route), None)
        }
        other => other,
    })
}

async fn execute(client: &Client, change: Change) -> Result<ChangeOutcome, CallError> {
    match change {
        Change::Enable(request) => client.call(&request).await.map(drop),
        Change::Disable(request) => client.call(&request).await.map(drop),
        Change::ScheduleDeletion(request) => client.call(&request).await.map(drop),
        Change::CancelDeletion(request) => client.call(&request).await.map(drop),
        Change::UpdateDescription(request) => client.call(&request).await.map(drop),
        Change::Tag(request) => client.call(&request).await.map(drop),
        Change::Untag(request) => client.call(&request).await.map(drop),
        Change::PutPolicy(request) => client.call(&request).await.map(drop),
        Change::CreateAlias(request) => client.call(&request).await.map(drop),
        Change::UpdateAlias(request) => move_alias(client, request).await,
        Change::DeleteAlias(request) => client.call(&request).await.map(drop),
        Change::CreateKeyStore(request) => client.call(&request).await.map(drop),
        Change::UpdateKeyStore(request) => client.call(&request).await.map(drop),
        Change::DeleteKeyStore(request) => client.call(&request).await.map(drop),
        Change::CreateExternalKey(request) => client.call(&request).await.map(drop),
        Change::EnableExternalKey(request) => client.call(&request).await.map(drop),
        Change::DisableExternalKey(request) => client.call(&request).await.map(drop),
        Change::RotateExternalKey(request) => client.call(&request).await.map(drop),
        Change::DeleteExternalKey(request) => client.call(&request).await.map(drop),
        Change::RevokeProxyCredential(request) => client.call(&request).await.map(drop),
        Change::PutProxyFault(request) => client.call(&request).await.map(drop),
        Change::DeleteProxyFault(request) => client.call(&request).await.map(drop),
        Change::AdvanceClock(request) => client.call(&request).await.map(drop),
        Change::DeleteProxyFaults(request) => client.call(&request).await.map(drop),
        Change::PutProxyRoute(request, _) => client.call(&request).await.map(drop),
        Change::CreatePartition(request) => {
            return Ok(ChangeOutcome::Configuration(client.call(&request).await?.configuration));
        }
        Change::RotateProxyCredential(request) => {
            return Ok(ChangeOutcome::Configuration(client.call(&request).await?.configuration));
        }
        Change::Encrypt(request, _) => {
            return Ok(ChangeOutcome::Ciphertext(client.call(&request).await?.ciphertext_blob));
        }
        Change::Decrypt(request, _) => return Ok(ChangeOutcome::Plaintext(client.call(&request).await?.plaintext)),
    }?;
    Ok(ChangeOutcome::Done)
}

/// Moves an alias to another key. UpdateAlias doesn't accept an alias as its target, so DescribeKey resolves it first.
async fn move_alias(client: &Client, mut request: UpdateAlias) -> Result<(), CallError> {
    let named = &request.target_key_id;
    let is_id =
        named.starts_with("arn:") || named.len() == 36 && named.bytes().filter(|byte| *byte == b'-').count() == 4;
    if !is_id {
        let key_id = if named.starts_with("alias/") { named.clone() } else { format!("alias/{named}") };
        request.target_key_id = client.call(&DescribeKey::new(key_id)).await?.key_metadata.key_id;
    }
    client.call(&request).await.map(drop)
}
