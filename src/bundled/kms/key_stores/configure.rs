//! CreateCustomKeyStore, UpdateCustomKeyStore, DeleteCustomKeyStore for external key stores.

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::KeyStoreRecord;
use crate::aws::error::ServiceError;
use crate::aws::kms::{
    ConnectionState, CreateCustomKeyStore, CreateCustomKeyStoreOutput, CustomKeyStore, CustomKeyStoreType,
    DeleteCustomKeyStore, UpdateCustomKeyStore, XksProxyConfiguration, XksProxyConnectivity,
};
use crate::aws::operation::Empty;
use crate::aws::scalar::{EpochSeconds, SecretString};
use crate::bundled::kms::vpc_endpoint_service::VpcEndpointService;
use crate::bundled::{ApiResult, Call};
use crate::xks::client::ProxyTarget;

/// The maximum number of custom key stores in an account and Region. Source: *KMS resource quotas*.
const MAX_KEY_STORES: i64 = 10;

fn service_error(code: &str, message: impl Into<String>) -> ServiceError {
    ServiceError::new(code, message)
}

fn required<T>(value: Option<T>, member: &str) -> Result<T, ServiceError> {
    value.ok_or_else(|| ServiceError::validation(format!("{member} is required for an external key store.")))
}

/// Checks that a VPC endpoint service is specified for VPC connectivity, and only for it.
fn check_connectivity(proxy: &XksProxyConfiguration) -> Result<(), ServiceError> {
    match (proxy.connectivity, &proxy.vpc_endpoint_service_name) {
        (XksProxyConnectivity::VpcEndpointService, None) => Err(ServiceError::validation(
            "XksProxyVpcEndpointServiceName is required when XksProxyConnectivity is VPC_ENDPOINT_SERVICE.",
        )),
        (XksProxyConnectivity::PublicEndpoint, Some(_)) => Err(ServiceError::validation(
            "XksProxyVpcEndpointServiceName is valid only when XksProxyConnectivity is VPC_ENDPOINT_SERVICE.",
        )),
        _ => Ok(()),
    }
}

impl Call<'_> {
    pub async fn create_custom_key_store(
        &self,
        request: &CreateCustomKeyStore,
    ) -> ApiResult<CreateCustomKeyStoreOutput> {
        self.authorize("kms:CreateCustomKeyStore", "*")?;
        let name = &request.custom_key_store_name;
        if request.custom_key_store_type != Some(CustomKeyStoreType::ExternalKeyStore) {
            let message = "The bundled AWS has no AWS CloudHSM clusters. Set CustomKeyStoreType to EXTERNAL_KEY_STORE.";
            return Err(service_error("CloudHsmClusterNotFoundException", message).into());
        }
        let credential =
            required(request.xks_proxy_authentication_credential.as_ref(), "XksProxyAuthenticationCredential")?;
        let proxy = XksProxyConfiguration {
            connectivity: required(request.xks_proxy_connectivity, "XksProxyConnectivity")?,
            access_key_id: Some(credential.access_key_id.clone()),
            uri_endpoint: required(request.xks_proxy_uri_endpoint.clone(), "XksProxyUriEndpoint")?,
            uri_path: required(request.xks_proxy_uri_path.clone(), "XksProxyUriPath")?,
            vpc_endpoint_service_name: request.xks_proxy_vpc_endpoint_service_name.clone(),
            vpc_endpoint_service_owner: request.xks_proxy_vpc_endpoint_service_owner.clone(),
        };
        check_connectivity(&proxy)?;
        let environment = self.store().environment();
        let hex = environment.random.hex::<9>()?;
        let id = format!("cks-{}", hex.get(..17).unwrap_or(&hex));
        let entry = CustomKeyStore {
            custom_key_store_id: id.clone(),
            custom_key_store_name: name.clone(),
            connection_state: ConnectionState::Disconnected,
            connection_error_code: None,
            creation_date: EpochSeconds(environment.clock.now()),
            custom_key_store_type: CustomKeyStoreType::ExternalKeyStore,
            xks_proxy_configuration: Some(proxy.clone()),
            problem: None,
        };
        self.store().read(|tx| self.check_new_key_store(tx, &entry))?;
        self.check_proxy(
            &proxy,
            &credential.raw_secret_access_key,
            "CreateCustomKeyStore",
            (String::new(), &entry.custom_key_store_name),
        )
        .await?;
        self.commit_with_event(|tx| {
            // Check again inside the transaction, where no other request can change the key stores.
            self.check_new_key_store(tx, &entry)?;
            let secret = credential.raw_secret_access_key.expose().as_bytes();
            let sealed = self.store().seal(&["key_stores", &self.region, &id], secret)?;
            let document = serde_json::to_string(&entry)?;
            tx.execute(
                "INSERT INTO key_stores (world, id, document, secret) VALUES (?1, ?2, ?3, ?4)",
                params![self.account_region, id, document, sealed],
            )?;
            Ok(CreateCustomKeyStoreOutput { custom_key_store_id: id })
        })
    }

    pub async fn update_custom_key_store(&self, request: &UpdateCustomKeyStore) -> ApiResult<Empty> {
        self.authorize("kms:UpdateCustomKeyStore", "*")?;
        let credential = request.xks_proxy_authentication_credential.as_ref();
        let (before, updated, target) = self.store().read(|tx| -> ApiResult<_> {
            let store = self.find_key_store(tx, &request.custom_key_store_id)?;
            let (before, target) = (store.entry.xks_proxy_configuration.clone(), self.proxy_target(&store)?);
            Ok((before, self.updated_entry(tx, store, request)?, target))
        })?;
        let needs_proxy_check = updated.xks_proxy_configuration != before || credential.is_some();
        if let Some(proxy) = updated.xks_proxy_configuration.as_ref().filter(|_| needs_proxy_check) {
            let secret = credential.map_or(&target.secret_access_key, |new| &new.raw_secret_access_key);
            self.check_proxy(proxy, secret, "UpdateCustomKeyStore", (target.key_store.clone(), &target.key_store_name))
                .await?;
        }
        self.commit_with_event(|tx| {
            let store = self.find_key_store(tx, &request.custom_key_store_id)?;
            let entry = self.updated_entry(tx, store, request)?;
            tx.execute(
                "UPDATE key_stores SET document = ?3 WHERE world = ?1 AND id = ?2",
                params![self.account_region, entry.custom_key_store_id, serde_json::to_string(&entry)?],
            )?;
            if let Some(credential) = credential {
                let secret = credential.raw_secret_access_key.expose().as_bytes();
                let sealed = self.store().seal(&["key_stores", &self.region, &entry.custom_key_store_id], secret)?;
                let now = self.store().environment().clock.now().as_millisecond();
                tx.execute(
                    "UPDATE key_stores SET secret = ?3, credential_since = ?4 WHERE world = ?1 AND id = ?2",
                    params![self.account_region, entry.custom_key_store_id, sealed, now],
                )?;
            }
            Ok(Empty {})
        })
    }

    pub fn delete_custom_key_store(&self, request: &DeleteCustomKeyStore) -> ApiResult<Empty> {
        self.authorize("kms:DeleteCustomKeyStore", "*")?;
        self.commit_with_event(|tx| {
            let store = self.find_key_store(tx, &request.custom_key_store_id)?.entry;
            let id = &store.custom_key_store_id;
            if store.connection_state != ConnectionState::Disconnected {
                let state = store.connection_state.label().to_uppercase();
                let message = format!("The custom key store {id} is {state}. Disconnect it first, then delete it.");
                return Err(service_error("CustomKeyStoreInvalidStateException", message).into());
            }
            let query = "SELECT count(*) FROM keys WHERE world = ?1 AND key_store = ?2";
            let keys: i64 = tx.query_row(query, [&self.account_region, id], |row| row.get(0))?;
            if keys > 0 {
                let message = format!(
                    "The custom key store {id} contains KMS keys ({keys}). Schedule their deletion and wait until they \
                     are deleted."
                );
                return Err(service_error("CustomKeyStoreHasCMKsException", message).into());
            }
            tx.execute("DELETE FROM key_stores WHERE world = ?1 AND id = ?2", [&self.account_region, id])?;
            Ok(Empty {})
        })
    }

    /// Returns the key store with the requested changes, after checking that its state and the other key stores allow
    /// them.
    fn updated_entry(
        &self,
        tx: &Transaction,
        store: KeyStoreRecord,
        request: &UpdateCustomKeyStore,
    ) -> ApiResult<CustomKeyStore> {
        let mut entry = store.entry;
        let needs_disconnected = request.xks_proxy_connectivity.is_some()
            || request.xks_proxy_uri_endpoint.is_some()
            || request.xks_proxy_vpc_endpoint_service_name.is_some()
            || request.xks_proxy_vpc_endpoint_service_owner.is_some();
        if needs_disconnected && entry.connection_state != ConnectionState::Disconnected {
            let (id, state) = (&entry.custom_key_store_id, entry.connection_state.label().to_uppercase());
            let message = format!(
                "The custom key store {id} is {state}. The connectivity, proxy URI endpoint, and VPC endpoint service \
                 can be changed only while it is DISCONNECTED."
            );
            return Err(service_error("CustomKeyStoreInvalidStateException", message).into());
        }
        if let Some(name) = &request.new_custom_key_store_name {
            entry.custom_key_store_name.clone_from(name);
        }
        if let Some(proxy) = &mut entry.xks_proxy_configuration {
            if let Some(connectivity) = request.xks_proxy_connectivity {
                proxy.connectivity = connectivity;
                if connectivity == XksProxyConnectivity::PublicEndpoint {
                    (proxy.vpc_endpoint_service_name, proxy.vpc_endpoint_service_owner) = (None, None);
                }
            }
            let take = |new: &Option<String>, old: &mut String| new.clone().into_iter().for_each(|new| *old = new);
            take(&request.xks_proxy_uri_endpoint, &mut proxy.uri_endpoint);
            take(&request.xks_proxy_uri_path, &mut proxy.uri_path);
            let or = |new: &Option<String>, old: &mut Option<String>| *old = new.clone().or(old.take());
            or(&request.xks_proxy_vpc_endpoint_service_name, &mut proxy.vpc_endpoint_service_name);
            or(&request.xks_proxy_vpc_endpoint_service_owner, &mut proxy.vpc_endpoint_service_owner);
            if let Some(credential) = &request.xks_proxy_authentication_credential {
                proxy.access_key_id = Some(credential.access_key_id.clone());
            }
            check_connectivity(proxy)?;
        }
        self.check_unique(tx, &entry)?;
        Ok(entry)
    }

    fn check_new_key_store(&self, tx: &Transaction, entry: &CustomKeyStore) -> ApiResult<()> {
        let query = "SELECT count(*) FROM key_stores WHERE world = ?1";
        let count: i64 = tx.query_row(query, [&self.account_region], |row| row.get(0))?;
        if count >= MAX_KEY_STORES {
            let message = format!("An account can have at most {MAX_KEY_STORES} custom key stores in a Region.");
            return Err(service_error("LimitExceededException", message).into());
        }
        self.check_unique(tx, entry)
    }

    /// Checks that no other key store uses the name, proxy URI, endpoint, or VPC endpoint service.
    ///
    /// Only key stores with public endpoint connectivity can share an endpoint.
    fn check_unique(&self, tx: &Transaction, entry: &CustomKeyStore) -> ApiResult<()> {
        let Some(proxy) = &entry.xks_proxy_configuration else { return Ok(()) };
        for other in self.all_key_stores(tx)? {
            if other.custom_key_store_id == entry.custom_key_store_id {
                continue;
            }
            if other.custom_key_store_name == entry.custom_key_store_name {
                let message =
                    format!("The name {} is in use by another custom key store.", entry.custom_key_store_name);
                return Err(service_error("CustomKeyStoreNameInUseException", message).into());
            }
            let Some(theirs) = &other.xks_proxy_configuration else { continue };
            let same_endpoint = theirs.uri_endpoint.eq_ignore_ascii_case(&proxy.uri_endpoint);
            if same_endpoint && theirs.uri_path == proxy.uri_path {
                let message = "Another external key store uses this proxy URI endpoint and path.";
                return Err(service_error("XksProxyUriInUseException", message).into());
            }
            let both_public =
                [theirs, proxy].iter().all(|one| one.connectivity == XksProxyConnectivity::PublicEndpoint);
            if same_endpoint && !both_public {
                let message = "Another external key store uses this proxy URI endpoint. Only key stores with public \
                               endpoint connectivity can share one.";
                return Err(service_error("XksProxyUriEndpointInUseException", message).into());
            }
            if proxy.vpc_endpoint_service_name.is_some()
                && proxy.vpc_endpoint_service_name == theirs.vpc_endpoint_service_name
            {
                let message = "Another external key store uses this VPC endpoint service.";
                return Err(service_error("XksProxyVpcEndpointServiceInUseException", message).into());
            }
        }
        Ok(())
    }

    /// Checks the health of a proxy with a public endpoint.
    ///
    /// A proxy behind a VPC endpoint service is contacted only when the key store is connected, but the VPC endpoint
    /// service must already meet the requirements.
    async fn check_proxy(
        &self,
        proxy: &XksProxyConfiguration,
        secret: &SecretString,
        operation: &str,
        (key_store, name): (String, &str),
    ) -> ApiResult<()> {
        if let Some(name) = &proxy.vpc_endpoint_service_name {
            let service = self.store().read(|tx| self.vpc_endpoint_service(tx, name))?;
            return Ok(check_vpc_endpoint_service(service.as_ref(), proxy)
                .map_err(|(code, message)| service_error(code, message))?);
        }
        let target = ProxyTarget {
            key_store,
            key_store_name: name.to_owned(),
            uri_endpoint: proxy.uri_endpoint.clone(),
            uri_path: proxy.uri_path.clone(),
            access_key_id: proxy.access_key_id.clone().unwrap_or_default(),
            secret_access_key: secret.clone(),
            region: self.region.clone(),
        };
        let health = self.xks_client().get_health_status(&target, &self.request_metadata(operation, None)).await;
        health.map_err(|failure| failure.key_store_error())?;
        Ok(())
    }

    fn vpc_endpoint_service(&self, tx: &Transaction, name: &str) -> ApiResult<Option<VpcEndpointService>> {
        let query = "SELECT document FROM vpc_endpoint_services WHERE world = ?1 AND name = ?2";
        let document: Option<String> =
            tx.query_row(query, [&self.account_region, name], |row| row.get(0)).optional()?;
        Ok(document.map(|document| serde_json::from_str(&document)).transpose()?)
    }

    /// Returns the ConnectionErrorCode if the VPC endpoint service of a key store prevents it from connecting.
    pub fn vpc_connection_error_code(&self, proxy: &XksProxyConfiguration) -> ApiResult<Option<&'static str>> {
        let Some(name) = &proxy.vpc_endpoint_service_name else { return Ok(None) };
        let service = self.store().read(|tx| self.vpc_endpoint_service(tx, name))?;
        Ok(check_vpc_endpoint_service(service.as_ref(), proxy).err().map(|(code, _)| match code {
            SERVICE_NOT_FOUND => "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND",
            _ => "XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION",
        }))
    }
}

const SERVICE_NOT_FOUND: &str = "XksProxyVpcEndpointServiceNotFoundException";
const SERVICE_INVALID_CONFIGURATION: &str = "XksProxyVpcEndpointServiceInvalidConfigurationException";

fn check_vpc_endpoint_service(
    service: Option<&VpcEndpointService>,
    proxy: &XksProxyConfiguration,
) -> Result<(), (&'static str, String)> {
    let name = proxy.vpc_endpoint_service_name.as_deref().unwrap_or_default();
    let Some(service) = service else {
        return Err((
            SERVICE_NOT_FOUND,
            format!("The VPC endpoint service {name} was not found, or AWS KMS has no permission to use it."),
        ));
    };
    if let Some(problem) = &service.problem {
        return Err((
            SERVICE_INVALID_CONFIGURATION,
            format!("The VPC endpoint service {name} does not meet the requirements. {problem}"),
        ));
    }
    let expected = format!("https://{}", service.private_dns_name);
    if !proxy.uri_endpoint.eq_ignore_ascii_case(&expected) {
        let message = format!(
            "The private DNS name of {name} is {}; the proxy URI endpoint must be {expected}.",
            service.private_dns_name
        );
        return Err((SERVICE_INVALID_CONFIGURATION, message));
    }
    Ok(())
}
