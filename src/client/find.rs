//! Finds a KMS key or a custom key store by any of its names.

use super::{CallError, Client};
use crate::aws::kms::{DescribeCustomKeyStores, DescribeKey, KeyMetadata, key_identifier};

/// What has a name.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// A KMS key.
    Key(Box<KeyMetadata>),
    /// A custom key store, by its ID.
    KeyStore(String),
}

/// Nothing has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "There is no KMS key with the ID, ARN, or alias \"{0}\" in this account and Region, and no key store with this ID or \
     name."
)]
pub struct NothingFound(pub String);

/// Finds a KMS key by its ID, ARN, or alias, which can lack its prefix, or a custom key store by its ID or name. A key
/// takes precedence over a key store with the same name.
///
/// # Errors
/// Errors of the calls, except that AWS knows nothing with this name.
pub async fn find(client: &Client, name: &str) -> Result<Option<Found>, CallError> {
    if !is_key_store_id(name)
        && let Some(key) = find_key(client, name).await?
    {
        return Ok(Some(Found::Key(Box::new(key))));
    }
    Ok(find_key_store(client, name).await?.map(Found::KeyStore))
}

/// Whether a name has the form of a custom key store ID.
fn is_key_store_id(name: &str) -> bool {
    name.starts_with("cks-")
}

async fn find_key(client: &Client, name: &str) -> Result<Option<KeyMetadata>, CallError> {
    let output = client.call(&DescribeKey::new(key_identifier(name))).await;
    // A name with characters that no alias has can be that of a key store.
    Ok(unless_refused(output, &["NotFound", "Validation", "InvalidArn"])?.map(|output| output.key_metadata))
}

async fn find_key_store(client: &Client, name: &str) -> Result<Option<String>, CallError> {
    let is_id = is_key_store_id(name);
    let name = Some(name.to_owned());
    let request = if is_id {
        DescribeCustomKeyStores { custom_key_store_id: name, ..DescribeCustomKeyStores::default() }
    } else {
        DescribeCustomKeyStores { custom_key_store_name: name, ..DescribeCustomKeyStores::default() }
    };
    let output = unless_refused(client.call(&request).await, &["CustomKeyStoreNotFound", "Validation"])?;
    let store = output.and_then(|output| output.custom_key_stores.into_iter().next());
    Ok(store.map(|store| store.custom_key_store_id))
}

/// Returns the output of a call, or `None` if AWS refused it with one of these codes.
fn unless_refused<T>(result: Result<T, CallError>, codes: &[&str]) -> Result<Option<T>, CallError> {
    match result {
        Ok(output) => Ok(Some(output)),
        Err(CallError::Service(error)) if codes.iter().any(|code| error.has_code(code)) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundled::BundledAws;
    use crate::environment::{Clock, Environment};
    use crate::in_process;

    #[tokio::test]
    async fn keys_and_key_stores_are_found_by_every_name() {
        let aws = BundledAws::in_memory("default", Environment::system()).unwrap();
        let client = in_process::client(&aws, Clock::System);
        let key = client.call(&DescribeKey::new("alias/customer-db".to_owned())).await.unwrap().key_metadata;
        let alias_arn = key.arn.replace(&format!("key/{}", key.key_id), "alias/customer-db");
        for name in ["alias/customer-db", "customer-db", &key.key_id, &key.arn, &alias_arn] {
            assert_eq!(find(&client, name).await.unwrap(), Some(Found::Key(Box::new(key.clone()))), "{name}");
        }
        for store in client.collect_key_stores().await.unwrap() {
            for name in [&store.custom_key_store_id, &store.custom_key_store_name] {
                let found = Found::KeyStore(store.custom_key_store_id.clone());
                assert_eq!(find(&client, name).await.unwrap(), Some(found), "{name}");
            }
        }
        let arn = "arn:aws:kms:us-west-2:111122223333:key/00000000-0000-0000-0000-000000000000";
        for name in ["missing", "alias/missing", "cks-00000000000000000", "No such HSM!", "mrk-x", arn, "arn:x", ""] {
            assert_eq!(find(&client, name).await.unwrap(), None, "{name}");
        }
    }
}
