//! DescribeKey, ListKeys, and the lookup of keys.

use std::borrow::Borrow;
use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::grants::check_grant_tokens;
use super::key_record::KeyRecord;
use super::key_states::current_state;
use crate::aws::arn::Arn;
use crate::aws::error::ServiceError;
use crate::aws::kms::{
    DescribeKey, DescribeKeyOutput, KeyListEntry, KeyManagerType, KeyMetadata, KeyState, ListKeys, ListKeysOutput,
};
use crate::aws::limits;
use crate::bundled::authorization::AuthorizationRequest;
use crate::bundled::pagination::PageRequest;
use crate::bundled::store::RecordReader;
use crate::bundled::{ApiResult, Call};

fn not_found(message: String) -> ServiceError {
    ServiceError::new("NotFoundException", message)
}

impl Call<'_> {
    /// Finds a key by key ID, key ARN, alias name, or alias ARN, and checks that the caller has the permission.
    pub fn find_key(
        &self,
        tx: &Transaction,
        id: &str,
        authorization: impl Into<AuthorizationRequest>,
    ) -> ApiResult<KeyRecord> {
        self.find_and_authorize(tx, id, authorization.into(), |call| call.load_key(tx, id))
    }

    /// Finds a key as [`find_key`](Self::find_key) does, from the cache if possible.
    ///
    /// Use it only for operations that don't change the key.
    pub fn find_cached_key(
        &self,
        id: &str,
        authorization: impl Into<AuthorizationRequest>,
    ) -> ApiResult<Arc<KeyRecord>> {
        self.find_and_authorize(self.store(), id, authorization.into(), |call| call.load_cached_key(id))
    }

    /// Finds a key as [`load_key`](Self::load_key) does, from the cache if possible.
    pub fn load_cached_key(&self, id: &str) -> ApiResult<Arc<KeyRecord>> {
        self.store().get_or_load(&format!("{}/{id}", self.account_region), |tx, sources| {
            let key = self.load_key(tx, id)?;
            sources.add_row("keys", &[&self.account_region, &key.metadata.key_id]);
            if let Some(at) = id.find(limits::ALIAS_PREFIX) {
                sources.add_row("aliases", &[&self.account_region, &id[at..]]);
            }
            if let Some(store) = &key.metadata.custom_key_store_id {
                sources.add_row("key_stores", &[&self.account_region, store]);
            }
            Ok(key)
        })
    }

    fn find_and_authorize<K: Borrow<KeyRecord>>(
        &self,
        records: &impl RecordReader,
        id: &str,
        mut authorization: AuthorizationRequest,
        look_up: impl FnOnce(&Call) -> ApiResult<K>,
    ) -> ApiResult<K> {
        if id.contains(limits::ALIAS_PREFIX) {
            let name = id.rsplit_once(':').map_or(id, |(_, name)| name);
            authorization = authorization.with_condition_key("kms:RequestAlias", name);
        }
        let account = id.parse::<Arn>().ok().map(|arn| arn.account).filter(|account| *account != self.account);
        let key = match &account {
            None => look_up(self)?,
            Some(account) => match look_up(&self.for_account(account)) {
                // In another account, a missing key gets the same error as a key without permission.
                Err(error) if error.0.has_code("NotFound") && !error.0.message.starts_with("Invalid") => {
                    return Err(self.cross_account_access_denied(authorization.action).into());
                }
                other => other?,
            },
        };
        self.draft.add_key_resource(&key.borrow().metadata);
        self.authorize_key(records, &authorization, key.borrow())?;
        Ok(key)
    }

    /// Finds a key of [`account`](Call::account), without checking permissions.
    pub fn load_key(&self, tx: &Transaction, id: &str) -> ApiResult<KeyRecord> {
        limits::key_id(id).map_err(|violation| violation.to_service_error(id))?;
        let resource = match id.parse::<Arn>() {
            Ok(arn) if arn.region != self.region => return Err(not_found(format!("Invalid arn {}", arn.region)).into()),
            Ok(arn) if arn.service != "kms" || arn.account != self.account => {
                return Err(not_found(format!("Key '{id}' does not exist")).into());
            }
            Ok(arn) => arn.resource.strip_prefix("key/").map_or(arn.resource.clone(), ToOwned::to_owned),
            Err(_) if id.starts_with("arn:") => {
                return Err(ServiceError::new("InvalidArnException", format!("{id} is not a valid ARN")).into());
            }
            Err(_) => id.to_owned(),
        };
        let key_id = if resource.starts_with(limits::ALIAS_PREFIX) {
            let found = tx.query_row(
                "SELECT key_id FROM aliases WHERE world = ?1 AND name = ?2",
                [&self.account_region, &resource],
                |row| row.get::<_, String>(0),
            );
            let arn = Arn::kms_alias(&self.region, &self.account, &resource);
            found.optional()?.ok_or_else(|| not_found(format!("Alias {arn} is not found.")))?
        } else if uuid::Uuid::try_parse(&resource).is_err() {
            return Err(not_found(format!("Invalid keyId '{resource}'")).into());
        } else {
            resource
        };
        let found = tx
            .query_row(
                "SELECT document, policy, material_id, material FROM keys WHERE world = ?1 AND id = ?2",
                [&self.account_region, &key_id],
                |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .optional()?;
        let (document, policy, material_id, material) =
            found.ok_or_else(|| not_found(format!("Key '{}' does not exist", self.key_arn(&key_id))))?;
        let metadata: KeyMetadata = serde_json::from_str(&document)?;
        let stored_state = metadata.key_state;
        Ok(KeyRecord { metadata: self.with_current_state(tx, metadata)?, stored_state, policy, material_id, material })
    }

    /// Finds a key by key ID or key ARN, for operations that don't accept aliases.
    pub fn find_key_by_id(
        &self,
        tx: &Transaction,
        id: &str,
        authorization: impl Into<AuthorizationRequest>,
    ) -> ApiResult<KeyRecord> {
        let is_alias = |text: &str| text.starts_with(limits::ALIAS_PREFIX);
        if is_alias(id) || id.parse::<Arn>().is_ok_and(|arn| is_alias(&arn.resource)) {
            return Err(not_found(format!("Invalid keyId '{id}'")).into());
        }
        self.find_key(tx, id, authorization)
    }

    /// Finds a key as [`find_key_by_id`](Self::find_key_by_id) does, and checks that it can be changed.
    ///
    /// Rejects AWS managed keys and keys pending deletion.
    pub fn find_changeable_key(
        &self,
        tx: &Transaction,
        id: &str,
        authorization: impl Into<AuthorizationRequest>,
    ) -> ApiResult<KeyRecord> {
        let key = self.find_key_by_id(tx, id, authorization)?;
        if key.metadata.key_manager == KeyManagerType::Aws {
            let message = format!("{} is an AWS managed key. Only AWS can change it.", key.metadata.arn);
            return Err(ServiceError::new("AccessDeniedException", message).into());
        }
        if key.metadata.key_state == KeyState::PendingDeletion {
            let message = format!("{} is pending deletion.", key.metadata.arn);
            return Err(ServiceError::new("KMSInvalidStateException", message).into());
        }
        Ok(key)
    }

    /// Sets the current key state.
    fn with_current_state(&self, tx: &Transaction, mut key: KeyMetadata) -> ApiResult<KeyMetadata> {
        if let Some(store) = &key.custom_key_store_id {
            let store = self.for_account(&key.aws_account_id).find_key_store(tx, store)?;
            key.key_state = current_state(key.key_state, Some(store.entry.connection_state));
        }
        key.enabled = key.key_state == KeyState::Enabled;
        Ok(key)
    }

    pub fn describe_key(&self, request: &DescribeKey) -> ApiResult<DescribeKeyOutput> {
        let authorization =
            AuthorizationRequest::from("kms:DescribeKey").with_grant_tokens(request.grant_tokens.as_ref());
        if !authorization.grant_tokens.is_empty() {
            self.store().read(|tx| check_grant_tokens(tx, &authorization.grant_tokens))?;
        }
        let key = self.find_cached_key(&request.key_id, authorization)?;
        Ok(DescribeKeyOutput { key_metadata: key.metadata.clone() })
    }

    pub fn list_keys(&self, request: &ListKeys) -> ApiResult<ListKeysOutput> {
        self.authorize("kms:ListKeys", "*")?;
        let page_request = PageRequest::new(request.limit, 100, 1000, request.marker.as_deref())?;
        // No keys are shared through AWS RAM.
        if request.resource_owners.as_ref().is_some_and(|owners| owners.iter().all(|owner| owner != "SELF")) {
            return Ok(ListKeysOutput::default());
        }
        let keys: Vec<KeyListEntry> = self.store().read(|tx| -> ApiResult<_> {
            let mut query =
                tx.prepare_cached("SELECT id FROM keys WHERE world = ?1 AND id > ?2 ORDER BY id LIMIT ?3")?;
            let ids = query
                .query_map(params![self.account_region, page_request.after, page_request.fetch_limit()], |row| {
                    row.get::<_, String>(0)
                })?;
            ids.map(|id| {
                let key_id = id?;
                Ok(KeyListEntry { key_arn: self.key_arn(&key_id), key_id })
            })
            .collect()
        })?;
        let page = page_request.build_page(keys, |key| &key.key_id);
        Ok(ListKeysOutput { keys: page.items, truncated: page.next_marker.is_some(), next_marker: page.next_marker })
    }
}
