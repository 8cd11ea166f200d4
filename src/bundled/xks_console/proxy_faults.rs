//! Proxy faults: simulated failures of the requests to external key store proxies.

use crate::aws::error::ServiceError;
use crate::aws::operation::Empty;
use crate::aws::scalar::EpochSeconds;
use crate::aws::xks_console::{
    DeleteProxyFault, DeleteProxyFaults, ListProxyFaults, ListProxyFaultsOutput, ProxyFault, PutProxyFault,
};
use crate::bundled::store::Store;
use crate::bundled::store::proxy_faults::{MAX_FAULTS, StoredFault, all_faults, insert_fault};
use crate::bundled::{ApiResult, BundledAws, Call};
use crate::xks::faults::{self, FaultScope, is_in_partition};

fn describe(stored: StoredFault, store: &Store) -> ProxyFault {
    let StoredFault { id, created, state } = stored;
    ProxyFault {
        id,
        fault: state.fault.to_string(),
        target: state.fault.target(),
        failure: state.fault.kind.to_string(),
        effect: state.fault.kind.meaning(),
        schedule: state.fault.when(),
        is_active: state.is_active(store.environment().clock.now()),
        matched_requests: state.matched.into(),
        failed_requests: state.hits.into(),
        creation_date: EpochSeconds(created),
        end_date: state.end.map(EpochSeconds),
    }
}

impl Call<'_> {
    pub fn put_proxy_fault(&self, request: &PutProxyFault) -> ApiResult<ProxyFault> {
        self.authorize("xks-console:PutProxyFault", "*")?;
        let words = faults::split_words(&request.fault);
        let fault = faults::parse(&words).map_err(|error| {
            ServiceError::new("ValidationException", format!("Couldn't add the proxy fault: {error}."))
        })?;
        self.check_fault_scope(&fault.scope)?;
        let now = self.store().environment().clock.now();
        let (id, stored) =
            self.store().write(|tx| -> ApiResult<_> { Ok((insert_fault(tx, fault, now)?, all_faults(tx)?)) })?;
        let added = id.and_then(|id| stored.into_iter().find(|stored| stored.id == id));
        let added = added.ok_or_else(|| {
            let message = format!("Couldn't add the proxy fault: {MAX_FAULTS} faults are active. Remove one first.");
            ServiceError::new("LimitExceededException", message)
        })?;
        Ok(describe(added, self.store()))
    }

    /// Checks that a fault can apply to a proxy of this account, so that a misspelled name is noticed.
    fn check_fault_scope(&self, scope: &FaultScope) -> ApiResult<()> {
        let stores = || self.store().read(|tx| self.all_key_stores(tx));
        let (kind, name, known) = match scope {
            FaultScope::All => return Ok(()),
            FaultScope::Partition(name) => {
                let partitions = self.aws.key_manager.partitions().map_err(|error| {
                    ServiceError::new("KMSInternalException", format!("Couldn't read the partitions: {error}"))
                })?;
                let paths = stores()?.into_iter().filter_map(|store| store.xks_proxy_configuration);
                if partitions.contains(name) || paths.into_iter().any(|proxy| is_in_partition(&proxy.uri_path, name)) {
                    return Ok(());
                }
                ("partition", name, partitions)
            }
            FaultScope::KeyStore(name) => {
                let stores = stores()?;
                if stores.iter().any(|store| [&store.custom_key_store_id, &store.custom_key_store_name].contains(&name))
                {
                    return Ok(());
                }
                ("key store", name, stores.into_iter().map(|store| store.custom_key_store_name).collect())
            }
        };
        let message = format!(
            "Couldn't add the proxy fault: there is no {kind} \"{name}\". The {kind}s are {}.",
            known.join(", ")
        );
        Err(ServiceError::new("ValidationException", message).into())
    }

    pub fn list_proxy_faults(&self, _: &ListProxyFaults) -> ApiResult<ListProxyFaultsOutput> {
        self.authorize("xks-console:ListProxyFaults", "*")?;
        let stored = self.store().read(|tx| all_faults(tx))?;
        Ok(ListProxyFaultsOutput { faults: stored.into_iter().map(|stored| describe(stored, self.store())).collect() })
    }

    pub fn delete_proxy_fault(&self, request: &DeleteProxyFault) -> ApiResult<Empty> {
        self.authorize("xks-console:DeleteProxyFault", "*")?;
        let sql = "DELETE FROM proxy_faults WHERE id = ?1";
        if self.store().write(|tx| tx.execute(sql, [request.id]))? > 0 {
            return Ok(Empty {});
        }
        let message = format!("There is no proxy fault with the ID {}.", request.id);
        Err(ServiceError::new("NotFoundException", message).into())
    }

    pub fn delete_proxy_faults(&self, _: &DeleteProxyFaults) -> ApiResult<Empty> {
        self.authorize("xks-console:DeleteProxyFaults", "*")?;
        self.store().write(|tx| tx.execute("DELETE FROM proxy_faults", []))?;
        Ok(Empty {})
    }
}

impl BundledAws {
    /// Adds a proxy fault that only this process knows, and that no console shows. Tapes use it.
    pub fn add_proxy_fault(&self, fault: faults::ProxyFault) {
        self.0.xks_client.faults().add(fault, self.0.store.environment().clock.now());
    }

    /// Removes the proxy faults that only this process knows.
    pub fn clear_proxy_faults(&self) {
        self.0.xks_client.faults().clear();
    }
}
