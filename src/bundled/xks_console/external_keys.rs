//! Operations for the external key manager and the proxy's request log, which the console shows.

use zeroize::Zeroizing;

use crate::aws::error::ServiceError;
use crate::aws::limits;
use crate::aws::operation::Empty;
use crate::aws::scalar::SecretString;
use crate::aws::xks_console::{
    CreateExternalKey, CreatePartition, DeleteExternalKey, DescribeExternalKey, DescribeExternalKeyOutput,
    DisableExternalKey, EnableExternalKey, ExternalKey, ListExternalKeys, ListExternalKeysOutput, ListProxyRequests,
    ListProxyRequestsOutput, Partition, ProxyConfiguration, RevokeProxyCredential, RotateExternalKey,
    RotateProxyCredential,
};
use crate::bundled::store::Store;
use crate::bundled::{ApiResult, BundledAws, Call, OpenError};
use crate::xks::key_manager::{KeyManagerError, NewExternalKey};
use crate::xks::proxy::{BUNDLED_HOST, BUNDLED_VPC_HOST};

fn to_service_error(error: &KeyManagerError) -> ServiceError {
    let code = match error {
        KeyManagerError::Invalid { .. } => "ValidationException",
        KeyManagerError::AlreadyExists { .. } => "AlreadyExistsException",
        KeyManagerError::PartitionNotFound(_) | KeyManagerError::KeyNotFound => "NotFoundException",
        _ => "KMSInternalException",
    };
    ServiceError::new(code, error.to_string())
}

fn empty_output<T>(result: Result<T, KeyManagerError>) -> ApiResult<Empty> {
    result.map_err(|error| to_service_error(&error))?;
    Ok(Empty {})
}

fn proxy_configuration_output(result: Result<Zeroizing<String>, KeyManagerError>) -> ApiResult<ProxyConfiguration> {
    let text = result.map_err(|error| to_service_error(&error))?;
    Ok(ProxyConfiguration { configuration: SecretString::new(text.to_string()) })
}

/// Returns the KMS keys that use an external key of the bundled external key manager, with an alias if they have one.
pub fn kms_keys_using(store: &Store, partition: &str, id: &str) -> Result<Vec<String>, OpenError> {
    let path =
        if partition.is_empty() { String::new() } else { format!("/{partition}") } + limits::XKS_PROXY_PATH_SUFFIX;
    let hosts = [BUNDLED_HOST, BUNDLED_VPC_HOST].map(|host| format!("https://{host}"));
    let sql = "SELECT k.id, (SELECT min(name) FROM aliases a WHERE a.world = k.world AND a.key_id = k.id)
        FROM key_stores s CROSS JOIN keys k ON k.world = s.world AND k.key_store = s.id AND k.external_key = ?1
        WHERE json_extract(s.document, '$.XksProxyConfiguration.UriPath') = ?2
        AND json_extract(s.document, '$.XksProxyConfiguration.UriEndpoint') IN (?3, ?4) ORDER BY k.id";
    store.read(|tx| {
        let mut query = tx.prepare(sql)?;
        let rows = query.query_map([id, &path, &hosts[0], &hosts[1]], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let describe = |(id, alias): (String, Option<String>)| match alias {
            Some(alias) => format!("{id} ({alias})"),
            None => id,
        };
        rows.map(|row| Ok(describe(row?))).collect()
    })
}

impl Call<'_> {
    pub async fn describe_external_key(&self, request: &DescribeExternalKey) -> ApiResult<DescribeExternalKeyOutput> {
        let target = self.store().read(|tx| {
            let store = self.find_key_store(tx, &request.custom_key_store_id)?;
            self.proxy_target(&store)
        })?;
        let metadata = self.request_metadata("DescribeKey", None);
        let response = self.aws.xks_client.get_key_metadata(&target, &metadata, &request.xks_key_id).await;
        let key = response.map_err(|failure| failure.create_key_error())?;
        Ok(DescribeExternalKeyOutput { key_spec: key.key_spec, key_usage: key.key_usage, key_status: key.key_status })
    }

    pub fn list_external_keys(&self, _: &ListExternalKeys) -> ApiResult<ListExternalKeysOutput> {
        self.authorize("xks-console:ListExternalKeys", "*")?;
        let manager = &self.aws.key_manager;
        let partition = |name: String| -> Result<Partition, KeyManagerError> {
            let prefix = if name.is_empty() { String::new() } else { format!("/{name}") };
            let keys = manager.keys(&name)?.into_iter().map(|key| ExternalKey {
                id: key.id,
                manager_id: key.manager_id,
                spec: key.spec,
                usage: key.usage,
                enabled: key.enabled,
                version: key.version,
                encryptions: key.encryptions,
                callers: key.callers,
            });
            Ok(Partition {
                keys: keys.collect(),
                access_key_ids: manager.access_key_ids(&name)?,
                uri_path: format!("{prefix}{}", limits::XKS_PROXY_PATH_SUFFIX),
                name,
            })
        };
        let names = manager.partitions().map_err(|error| to_service_error(&error))?;
        let partitions =
            names.into_iter().map(partition).collect::<Result<_, _>>().map_err(|error| to_service_error(&error))?;
        Ok(ListExternalKeysOutput { partitions })
    }

    pub fn create_external_key(&self, request: &CreateExternalKey) -> ApiResult<Empty> {
        self.authorize("xks-console:CreateExternalKey", "*")?;
        let key = NewExternalKey {
            id: request.id.clone(),
            manager_id: None,
            spec: "AES_256".to_owned(),
            usage: request.usage.clone(),
            enabled: request.enabled,
            callers: Vec::new(),
        };
        empty_output(self.aws.key_manager.create_key(&request.partition, &key))
    }

    pub fn enable_external_key(&self, EnableExternalKey(key): &EnableExternalKey) -> ApiResult<Empty> {
        self.authorize("xks-console:EnableExternalKey", "*")?;
        empty_output(self.aws.key_manager.set_enabled(&key.partition, &key.id, true))
    }

    pub fn disable_external_key(&self, DisableExternalKey(key): &DisableExternalKey) -> ApiResult<Empty> {
        self.authorize("xks-console:DisableExternalKey", "*")?;
        empty_output(self.aws.key_manager.set_enabled(&key.partition, &key.id, false))
    }

    pub fn rotate_external_key(&self, RotateExternalKey(key): &RotateExternalKey) -> ApiResult<Empty> {
        self.authorize("xks-console:RotateExternalKey", "*")?;
        empty_output(self.aws.key_manager.rotate_key(&key.partition, &key.id))
    }

    pub fn delete_external_key(&self, DeleteExternalKey(key): &DeleteExternalKey) -> ApiResult<Empty> {
        self.authorize("xks-console:DeleteExternalKey", "*")?;
        empty_output(self.aws.key_manager.delete_key(&key.partition, &key.id))
    }

    pub fn create_partition(&self, request: &CreatePartition) -> ApiResult<ProxyConfiguration> {
        self.authorize("xks-console:CreatePartition", "*")?;
        proxy_configuration_output(BundledAws::create_partition_with_credential(self.aws, &request.name))
    }

    pub fn rotate_proxy_credential(&self, request: &RotateProxyCredential) -> ApiResult<ProxyConfiguration> {
        self.authorize("xks-console:RotateProxyCredential", "*")?;
        proxy_configuration_output(BundledAws::issue_proxy_configuration(self.aws, &request.partition))
    }

    pub fn revoke_proxy_credential(&self, request: &RevokeProxyCredential) -> ApiResult<Empty> {
        self.authorize("xks-console:RevokeProxyCredential", "*")?;
        let RevokeProxyCredential { partition, access_key_id } = request;
        if self.aws.key_manager.remove_credential(partition, access_key_id).map_err(|error| to_service_error(&error))? {
            return Ok(Empty {});
        }
        let message = format!("The partition \"{partition}\" has no credential {access_key_id}.");
        Err(ServiceError::new("NotFoundException", message).into())
    }

    pub fn list_proxy_requests(&self, request: &ListProxyRequests) -> ApiResult<ListProxyRequestsOutput> {
        self.authorize("xks-console:ListProxyRequests", "*")?;
        Ok(ListProxyRequestsOutput {
            requests: self.aws.key_manager.requests(request).map_err(|error| to_service_error(&error))?,
        })
    }
}
