//! `xks-console open`: opens the console on the page of a key or a key store.

use std::error::Error;
use std::process::ExitCode;

use super::aws::AwsConnection;
use super::{console, note, runtime};
use crate::aws::kms::{DescribeCustomKeyStores, DescribeKey, KeyMetadata, key_identifier};
use crate::cli::{Arguments, Open};
use crate::client::{CallError, Client};
use crate::tui::pages::Location;
use crate::tui::terminal;

/// Opens the page that the command line names.
pub(super) fn run(arguments: &Arguments, options: &Open) -> Result<ExitCode, Box<dyn Error>> {
    if let Err(error) = terminal::require() {
        note(error);
        return Ok(ExitCode::from(terminal::TerminalError::EXIT_CODE));
    }
    let runtime = runtime()?;
    let aws = AwsConnection::open(arguments, &runtime)?;
    let location = match runtime.block_on(find_page(&aws.client, &options.name)) {
        Ok(location) => location,
        Err(error) => {
            note(error);
            return Ok(ExitCode::FAILURE);
        }
    };
    let (mut app, mut effects) = aws.app();
    effects.extend(app.open(location));
    console::show(aws, &mut app, effects, runtime)
}

/// The page can't be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    /// Nothing has this name.
    #[error(
        "There is no KMS key with the ID, ARN, or alias \"{0}\" in this account and Region, and no key store with this ID or \
         name."
    )]
    NotFound(String),
    /// AWS couldn't be asked.
    #[error("Couldn't find \"{name}\": {error}")]
    Call { name: String, error: CallError },
}

/// Finds the page of a key by its ID, ARN, or alias, or of a key store by its ID or name.
async fn find_page(client: &Client, name: &str) -> Result<Location, OpenError> {
    let failed = |error| OpenError::Call { name: name.to_owned(), error };
    if !is_key_store_id(name)
        && let Some(key) = find_key(client, name).await.map_err(failed)?
    {
        return Ok(Location::Key(key.key_id));
    }
    match find_key_store(client, name).await.map_err(failed)? {
        Some(key_store_id) => Ok(Location::KeyStore(key_store_id)),
        None => Err(OpenError::NotFound(name.to_owned())),
    }
}

/// Whether a name has the form of a key store ID.
pub(super) fn is_key_store_id(name: &str) -> bool {
    name.starts_with("cks-")
}

/// Finds a key by its ID, ARN, or alias, which can lack its prefix.
pub(super) async fn find_key(client: &Client, name: &str) -> Result<Option<KeyMetadata>, CallError> {
    match client.call(&DescribeKey::new(key_identifier(name))).await {
        Ok(output) => Ok(Some(output.key_metadata)),
        // A name with characters that no alias has can be that of a key store.
        Err(CallError::Service(error))
            if ["NotFound", "Validation", "InvalidArn"].iter().any(|code| error.has_code(code)) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Finds the ID of a key store by its ID or name.
pub(super) async fn find_key_store(client: &Client, name: &str) -> Result<Option<String>, CallError> {
    let is_id = is_key_store_id(name);
    let name = Some(name.to_owned());
    let request = if is_id {
        DescribeCustomKeyStores { custom_key_store_id: name, ..DescribeCustomKeyStores::default() }
    } else {
        DescribeCustomKeyStores { custom_key_store_name: name, ..DescribeCustomKeyStores::default() }
    };
    match client.call(&request).await {
        Ok(output) => Ok(output.custom_key_stores.into_iter().next().map(|store| store.custom_key_store_id)),
        Err(CallError::Service(error))
            if ["CustomKeyStoreNotFound", "Validation"].iter().any(|code| error.has_code(code)) =>
        {
            Ok(None)
        }
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
            assert_eq!(find_page(&client, name).await.unwrap(), Location::Key(key.key_id.clone()), "{name}");
        }
        let stores = client.collect_key_stores().await.unwrap();
        for store in stores {
            for name in [&store.custom_key_store_id, &store.custom_key_store_name] {
                let page = find_page(&client, name).await.unwrap();
                assert_eq!(page, Location::KeyStore(store.custom_key_store_id.clone()), "{name}");
            }
        }
        let arn = "arn:aws:kms:us-west-2:111122223333:key/00000000-0000-0000-0000-000000000000";
        for name in ["nobody", "alias/nobody", "cks-00000000000000000", "No such HSM!", "mrk-x", arn, "arn:x", ""] {
            let error = find_page(&client, name).await.unwrap_err().to_string();
            assert!(error.contains("no key store with this ID"), "{name}: {error}");
        }
    }
}
