//! CreateKey, with the checks of its request, the external key, and the quota.

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::key_stores::KeyStoreRecord;
use crate::aws::error::ServiceError;
use crate::aws::kms::{
    ConnectionState, CreateKey, CreateKeyOutput, KeyManagerType, KeyMetadata, KeyState, Origin, XksKeyConfiguration,
};
use crate::aws::scalar::EpochSeconds;
use crate::aws::{limits, policy};
use crate::bundled::authorization::AuthorizationRequest;
use crate::bundled::authorization::condition_keys::{KEY_SPEC_CONDITION_KEYS, KEY_USAGE_CONDITION_KEYS};
use crate::bundled::{ApiResult, Call};
use crate::xks::client::check_external_key;

/// The maximum number of KMS keys in an account and Region. Source: *KMS resource quotas*.
const MAX_KEYS: u32 = 100_000;

fn unsupported(message: &str) -> ServiceError {
    ServiceError::new("UnsupportedOperationException", message)
}

impl Call<'_> {
    /// Creates a KMS key. For a key in an external key store, checks the external key with the proxy first.
    ///
    /// A failed request changes nothing.
    pub async fn create_key(&self, request: &CreateKey) -> ApiResult<CreateKeyOutput> {
        let origin = check_request(request)?;
        self.authorize_create_key(request, origin)?;
        let default = policy::default_policy(self.partition(), &self.account);
        if let Some(text) = &request.policy {
            self.check_key_policy(text, request.bypass_policy_lockout_safety_check == Some(true))?;
        }
        if origin == Origin::ExternalKeyStore {
            self.check_external_key(request).await?;
        }
        let environment = self.store().environment();
        let (key_id, material_id) = (environment.random.uuid()?, environment.random.hex::<32>()?);
        let material = zeroize::Zeroizing::new(environment.random.bytes::<32>()?);
        let material =
            self.store().seal(&["key_material", &self.account, &self.region, &key_id, &material_id], &*material)?;
        let metadata = self.new_key_metadata(request, origin, key_id, &material_id);
        self.commit_with_event(|tx| {
            if origin == Origin::ExternalKeyStore {
                // Check again inside the transaction: since the first check, another request may have disconnected the
                // key store or used the external key.
                self.check_store_and_external_key(tx, request)?;
            }
            self.check_key_quota(tx)?;
            tx.prepare_cached("INSERT INTO keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL)")?.execute(params![
                self.account_region,
                metadata.key_id,
                serde_json::to_string(&metadata)?,
                request.policy.as_ref().unwrap_or(&default),
                material_id,
                material,
                request.custom_key_store_id,
                request.xks_key_id
            ])?;
            self.put_tags(tx, &metadata.key_id, request.tags.as_deref().unwrap_or_default())?;
            self.draft.add_key_resource(&metadata);
            Ok(CreateKeyOutput { key_metadata: metadata })
        })
    }

    /// Returns the metadata of the new key.
    fn new_key_metadata(&self, request: &CreateKey, origin: Origin, key_id: String, material_id: &str) -> KeyMetadata {
        KeyMetadata {
            aws_account_id: self.account.clone(),
            arn: self.key_arn(&key_id),
            creation_date: EpochSeconds(self.store().environment().clock.now()),
            enabled: true,
            description: request.description.clone().unwrap_or_default(),
            key_usage: "ENCRYPT_DECRYPT".to_owned(),
            key_state: KeyState::Enabled,
            deletion_date: None,
            origin,
            custom_key_store_id: request.custom_key_store_id.clone(),
            key_manager: KeyManagerType::Customer,
            customer_master_key_spec: Some("SYMMETRIC_DEFAULT".to_owned()),
            key_spec: "SYMMETRIC_DEFAULT".to_owned(),
            encryption_algorithms: Some(vec!["SYMMETRIC_DEFAULT".to_owned()]),
            multi_region: Some(false),
            xks_key_configuration: request.xks_key_id.clone().map(|id| XksKeyConfiguration { id }),
            current_key_material_id: (origin == Origin::AwsKms).then(|| material_id.to_owned()),
            problem: None,
            key_id,
        }
    }

    fn authorize_create_key(&self, request: &CreateKey, origin: Origin) -> ApiResult<()> {
        let tags = request.tags.as_deref().unwrap_or_default();
        let authorization = |action: &'static str| {
            let authorization = AuthorizationRequest::from(action)
                .with_condition_key("kms:KeyOrigin", origin.as_str())
                .with_condition_key("kms:MultiRegion", "false");
            let authorization = KEY_SPEC_CONDITION_KEYS
                .iter()
                .fold(authorization, |authorization, name| authorization.with_condition_key(name, "SYMMETRIC_DEFAULT"));
            let authorization = KEY_USAGE_CONDITION_KEYS
                .iter()
                .fold(authorization, |authorization, name| authorization.with_condition_key(name, "ENCRYPT_DECRYPT"));
            authorization
                .with_lockout_bypass(request.bypass_policy_lockout_safety_check)
                .with_tags(tags.iter().map(|tag| (tag.tag_key.as_str(), Some(tag.tag_value.as_str()))))
        };
        self.authorize(authorization("kms:CreateKey"), "*")?;
        // The key has no ID yet, so the caller needs the permission on all keys.
        if tags.is_empty() { Ok(()) } else { self.authorize(authorization("kms:TagResource"), &self.key_arn("*")) }
    }

    /// Checks the quota of KMS keys. AWS managed keys don't count toward it.
    fn check_key_quota(&self, tx: &Transaction) -> ApiResult<()> {
        let count = |sql| -> ApiResult<u32> {
            Ok(tx.prepare_cached(sql)?.query_row([&self.account_region], |row| row.get(0))?)
        };
        let all = count("SELECT coalesce((SELECT count FROM counts WHERE name = 'keys/' || ?1), 0)")?;
        let aws =
            count("SELECT count(*) FROM aliases WHERE world = ?1 AND name BETWEEN 'alias/aws/' AND 'alias/aws0'")?;
        if all - aws >= MAX_KEYS {
            let message = format!("An account can have at most {MAX_KEYS} KMS keys in a Region.");
            return Err(ServiceError::new("LimitExceededException", message).into());
        }
        Ok(())
    }

    /// Asks the proxy for the external key and checks that it can be used.
    async fn check_external_key(&self, request: &CreateKey) -> ApiResult<()> {
        let target = self.store().read(|tx| {
            let store = self.check_store_and_external_key(tx, request)?;
            self.proxy_target(&store)
        })?;
        let external = request.xks_key_id.as_deref().unwrap_or_default();
        let response =
            self.xks_client().get_key_metadata(&target, &self.request_metadata("CreateKey", None), external).await;
        let external_key = response.map_err(|failure| failure.create_key_error())?;
        Ok(check_external_key(&external_key)?)
    }

    /// Checks that the key store is connected and that the external key isn't used in it yet.
    fn check_store_and_external_key(&self, tx: &Transaction, request: &CreateKey) -> ApiResult<KeyStoreRecord> {
        let store = self.find_key_store(tx, request.custom_key_store_id.as_deref().unwrap_or_default())?;
        if store.entry.connection_state != ConnectionState::Connected {
            let message = "This KMS key is in a custom key store that is not connected to its external key store \
                           proxy. Connect the external key store and try the request again.";
            return Err(ServiceError::new("CustomKeyStoreInvalidStateException", message).into());
        }
        let existing: Option<String> = tx
            .query_row(
                "SELECT id FROM keys WHERE world = ?1 AND key_store = ?2 AND external_key = ?3",
                params![self.account_region, request.custom_key_store_id, request.xks_key_id],
                |row| row.get(0),
            )
            .optional()?;
        if existing.is_some() {
            let id = request.xks_key_id.as_deref().unwrap_or_default();
            let message =
                format!("The external key {id} is already associated with another KMS key in this external key store.");
            return Err(ServiceError::new("XksKeyAlreadyInUseException", message).into());
        }
        Ok(store)
    }
}

/// Checks the members of a request and returns the key origin.
fn check_request(request: &CreateKey) -> Result<Origin, ServiceError> {
    let origin = request.origin.unwrap_or(Origin::AwsKms);
    limits::tags(request.tags.as_deref().unwrap_or_default())?;
    if matches!(origin, Origin::External | Origin::AwsCloudHsm) {
        return Err(unsupported(
            "The bundled AWS doesn't support keys with imported key material or keys in an AWS CloudHSM key store.",
        ));
    }
    check_spec_and_usage(request)?;
    if request.multi_region == Some(true) {
        return Err(unsupported("Multi-Region keys are not supported in a custom key store."));
    }
    match (origin, &request.custom_key_store_id, &request.xks_key_id) {
        (Origin::ExternalKeyStore, None, _) => {
            return Err(ServiceError::validation("CustomKeyStoreId is required when Origin is EXTERNAL_KEY_STORE."));
        }
        (Origin::ExternalKeyStore, _, None) => {
            return Err(ServiceError::validation("XksKeyId is required when Origin is EXTERNAL_KEY_STORE."));
        }
        (Origin::ExternalKeyStore, ..) | (_, None, None) => {}
        _ => {
            let message = "CustomKeyStoreId and XksKeyId are valid only when Origin is EXTERNAL_KEY_STORE.";
            return Err(ServiceError::validation(message));
        }
    }
    Ok(origin)
}

/// Checks that the key spec and the key usage are compatible, and that the bundled AWS supports the key spec.
///
/// Source: *CreateKey*, `KeyUsage`.
fn check_spec_and_usage(request: &CreateKey) -> Result<(), ServiceError> {
    let spec = match (&request.key_spec, &request.customer_master_key_spec) {
        (Some(_), Some(_)) => {
            let message = "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. \
                           CustomerMasterKeySpec is deprecated; specify KeySpec.";
            return Err(ServiceError::validation(message));
        }
        (spec, old_name) => spec.as_deref().or(old_name.as_deref()).unwrap_or("SYMMETRIC_DEFAULT"),
    };
    let usages: &[&str] = match spec {
        "SYMMETRIC_DEFAULT" => &["ENCRYPT_DECRYPT"],
        spec if spec.starts_with("RSA_") => &["ENCRYPT_DECRYPT", "SIGN_VERIFY"],
        spec if spec.starts_with("HMAC_") => &["GENERATE_VERIFY_MAC"],
        "ECC_NIST_P256" | "ECC_NIST_P384" | "ECC_NIST_P521" => &["SIGN_VERIFY", "KEY_AGREEMENT"],
        "SM2" => &["ENCRYPT_DECRYPT", "SIGN_VERIFY", "KEY_AGREEMENT"],
        _ => &["SIGN_VERIFY"],
    };
    let usage = request.key_usage.as_deref().unwrap_or("ENCRYPT_DECRYPT");
    if request.key_usage.is_none() && spec != "SYMMETRIC_DEFAULT" {
        let message = format!(
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys; {spec} supports \
             {}.",
            usages.join(" or ")
        );
        return Err(ServiceError::validation(message));
    }
    if !usages.contains(&usage) {
        let message =
            format!("KeyUsage {usage} is not compatible with KeySpec {spec}, which supports {}.", usages.join(" or "));
        return Err(ServiceError::validation(message));
    }
    if spec == "SYMMETRIC_DEFAULT" { Ok(()) } else { Err(unsupported("The key spec must be SYMMETRIC_DEFAULT.")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundled::BundledAws;
    use crate::environment::{Clock, Environment};
    use crate::in_process;

    #[tokio::test]
    async fn create_key_fails_when_the_key_quota_is_reached() {
        let start = "2026-03-02T10:15:00Z".parse().unwrap();
        let bundled = BundledAws::in_memory("default", Environment::replayable(start, 1)).unwrap();
        let client = in_process::client(&bundled, Clock::manual(start));
        let fill = "INSERT INTO keys SELECT keys.world, format('%d', n.value), document, policy, material_id, material,
                        NULL, NULL, NULL
                    FROM (SELECT * FROM keys WHERE key_store IS NULL LIMIT 1) keys, generate AS n";
        let numbers = "WITH RECURSIVE generate(value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM generate
                       WHERE value < ?1) ";
        let customer_keys = bundled.0.store.read(|tx| -> ApiResult<u32> {
            let customer = "SELECT count(*) FROM keys WHERE document LIKE '%\"CUSTOMER\"%'";
            Ok(tx.query_row(customer, [], |row| row.get(0))?)
        });
        let missing = MAX_KEYS - 1 - customer_keys.unwrap();
        bundled
            .0
            .store
            .write(|tx| -> ApiResult<usize> { Ok(tx.execute(&(numbers.to_owned() + fill), [missing])?) })
            .unwrap();
        client.call(&CreateKey::default()).await.unwrap();
        let error = client.call(&CreateKey::default()).await.unwrap_err().to_string();
        assert!(error.starts_with("LimitExceededException"), "{error}");
    }
}
