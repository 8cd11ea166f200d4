//! Copies of an account on disk, from which it can be restored.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use super::store;
use super::{BundledAws, OpenError, cloudwatch};
use crate::xks::key_manager;

/// The files of an account that never change.
const ROOT_KEY_FILES: [&str; 2] = [store::ROOT_KEY_FILE, key_manager::ROOT_KEY_FILE];

impl BundledAws {
    /// Copies the account, which is in the directory `from`, to `to`, a new directory that only the owner can access.
    ///
    /// Each database is copied in a consistent state. A request that is in progress can be in one copy and not yet in the
    /// other.
    ///
    /// # Errors
    /// [`OpenError`] if `to` exists, or if a file can't be read or written.
    pub fn copy_account(&self, from: &Path, to: &Path) -> Result<(), OpenError> {
        let failed = |source: io::Error| OpenError::Directory { path: to.display().to_string(), source };
        std::fs::DirBuilder::new().mode(0o700).create(to).map_err(failed)?;
        self.0.event_buffer.flush(&self.0.store);
        cloudwatch::metric_store::flush(&self.0);
        self.0.store.copy_database(&to.join(store::DATABASE_FILE))?;
        self.0.key_manager.copy_database(&to.join(key_manager::DATABASE_FILE))?;
        for name in ROOT_KEY_FILES {
            std::fs::copy(from.join(name), to.join(name)).map_err(failed)?;
        }
        for file in std::fs::read_dir(to).map_err(failed)? {
            let path = file.map_err(failed)?.path();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client::named_call::NamedOperation;
    use crate::environment::Clock;
    use crate::in_process;

    #[tokio::test]
    async fn copy_of_an_account_has_its_keys_events_and_external_keys_at_that_time() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("account"), dir.path().join("copy"));
        let aws = BundledAws::open(&from, Some("default")).unwrap();
        let client = in_process::client(&aws, Clock::System);
        let call = async |client: &crate::client::Client, name: &str, input| {
            NamedOperation::find(name).unwrap().call(client, input).await.unwrap()
        };
        call(&client, "kms:CreateAlias", json!({"AliasName": "alias/before", "TargetKeyId": key_id(&client).await}))
            .await;
        let sealed = call(&client, "kms:Encrypt", json!({"KeyId": "alias/customer-db", "Plaintext": "c2VjcmV0"})).await;
        aws.copy_account(&from, &to).unwrap();
        call(&client, "kms:DeleteAlias", json!({"AliasName": "alias/before"})).await;
        assert!(matches!(aws.copy_account(&from, &to), Err(OpenError::Directory { .. })));
        assert_eq!(std::fs::metadata(to.join(store::DATABASE_FILE)).unwrap().permissions().mode() & 0o777, 0o600);

        let copy = BundledAws::open(&to, None).unwrap();
        let client = in_process::client(&copy, Clock::System);
        let key = call(&client, "kms:DescribeKey", json!({"KeyId": "alias/before"})).await;
        assert_eq!(key["KeyMetadata"]["Enabled"], true);
        let opened = call(&client, "kms:Decrypt", json!({"CiphertextBlob": sealed["CiphertextBlob"]})).await;
        assert_eq!(opened["Plaintext"], "c2VjcmV0");
        let events = call(&client, "cloudtrail:LookupEvents", json!({})).await;
        assert!(events.to_string().contains("\"Encrypt\""), "{events}");
    }

    async fn key_id(client: &crate::client::Client) -> String {
        let describe = NamedOperation::find("kms:DescribeKey").unwrap();
        let key = describe.call(client, json!({"KeyId": "alias/customer-db"})).await.unwrap();
        key["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
    }
}
