//! DescribeCustomKeyStores, ConnectCustomKeyStore, DisconnectCustomKeyStore, and the records of key stores.

mod configure;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::aws::error::ServiceError;
use crate::aws::kms::{
    ConnectCustomKeyStore, ConnectionState, CustomKeyStore, DescribeCustomKeyStores, DescribeCustomKeyStoresOutput,
    DisconnectCustomKeyStore,
};
use crate::aws::operation::Empty;
use crate::aws::scalar::SecretString;
use crate::bundled::pagination::paginate;
use crate::bundled::{ApiResult, Call};
use crate::xks::client::ProxyTarget;

/// How long connecting takes. On AWS, it takes about five minutes.
const CONNECT_DURATION: SignedDuration = SignedDuration::from_secs(5);
/// How long disconnecting takes.
const DISCONNECT_DURATION: SignedDuration = SignedDuration::from_secs(2);

/// A key store, with the encrypted secret of its proxy credential.
pub struct KeyStoreRecord {
    /// The key store as DescribeCustomKeyStores returns it.
    pub entry: CustomKeyStore,
    sealed_secret: Vec<u8>,
}

impl Call<'_> {
    /// Finds a key store by its ID.
    pub fn find_key_store(&self, tx: &Transaction, id: &str) -> ApiResult<KeyStoreRecord> {
        let found = tx
            .query_row(
                "SELECT document, secret FROM key_stores WHERE world = ?1 AND id = ?2",
                [&self.account_region, id],
                |row| Ok((row.get::<_, String>(0)?, row.get(1)?)),
            )
            .optional()?;
        let (document, secret) = found.ok_or_else(|| {
            let message = format!("The custom key store {id} does not exist.");
            ServiceError::new("CustomKeyStoreNotFoundException", message)
        })?;
        Ok(KeyStoreRecord { entry: serde_json::from_str(&document)?, sealed_secret: secret })
    }

    /// Returns how to reach the proxy of the key store with this ID, from the cache if possible.
    pub fn find_cached_proxy_target(&self, id: &str) -> ApiResult<Arc<ProxyTarget>> {
        let name = format!("{}/{id}", self.account_region);
        self.store().get_or_load(&name, |tx, sources| {
            sources.add_row("key_stores", &[&self.account_region, id]);
            self.proxy_target(&self.find_key_store(tx, id)?)
        })
    }

    /// Returns how to reach the proxy of a key store.
    pub fn proxy_target(&self, store: &KeyStoreRecord) -> ApiResult<ProxyTarget> {
        let id = &store.entry.custom_key_store_id;
        let proxy = store.entry.xks_proxy_configuration.as_ref().ok_or_else(|| {
            ServiceError::new("UnsupportedOperationException", format!("{id} is not an external key store."))
        })?;
        let secret = self.store().unseal(&["key_stores", &self.region, id], &store.sealed_secret)?;
        Ok(ProxyTarget {
            key_store: format!("{}/{id}", self.account_region),
            key_store_name: store.entry.custom_key_store_name.clone(),
            uri_endpoint: proxy.uri_endpoint.clone(),
            uri_path: proxy.uri_path.clone(),
            access_key_id: proxy.access_key_id.clone().unwrap_or_default(),
            secret_access_key: SecretString::new(String::from_utf8_lossy(&secret).into_owned()),
            region: self.region.clone(),
        })
    }

    pub fn describe_custom_key_stores(
        &self,
        request: &DescribeCustomKeyStores,
    ) -> ApiResult<DescribeCustomKeyStoresOutput> {
        let (id, name) = (&request.custom_key_store_id, &request.custom_key_store_name);
        if id.is_some() && name.is_some() {
            return Err(ServiceError::validation(
                "Specify either CustomKeyStoreId or CustomKeyStoreName, but not both.",
            )
            .into());
        }
        self.authorize("kms:DescribeCustomKeyStores", "*")?;
        let mut all: Vec<CustomKeyStore> = self.store().read(|tx| self.all_key_stores(tx))?;
        all.retain(|store| {
            id.as_ref().is_none_or(|id| *id == store.custom_key_store_id)
                && name.as_ref().is_none_or(|name| *name == store.custom_key_store_name)
        });
        if all.is_empty() && (id.is_some() || name.is_some()) {
            let requested = id.as_deref().or(name.as_deref()).unwrap_or_default();
            let message = format!("The custom key store {requested} does not exist.");
            return Err(ServiceError::new("CustomKeyStoreNotFoundException", message).into());
        }
        let page =
            paginate(all, |store| &store.custom_key_store_id, request.limit, 1000, 1000, request.marker.as_deref())?;
        Ok(DescribeCustomKeyStoresOutput {
            custom_key_stores: page.items,
            truncated: page.next_marker.is_some(),
            next_marker: page.next_marker,
        })
    }

    pub fn all_key_stores(&self, tx: &Transaction) -> ApiResult<Vec<CustomKeyStore>> {
        let mut query = tx.prepare("SELECT document FROM key_stores WHERE world = ?1 ORDER BY id")?;
        let rows = query.query_map([&self.account_region], |row| row.get::<_, String>(0))?;
        rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
    }

    pub fn connect_custom_key_store(&self, request: &ConnectCustomKeyStore) -> ApiResult<Empty> {
        self.authorize("kms:ConnectCustomKeyStore", "*")?;
        self.begin_transition(&request.custom_key_store_id, |state| match state {
            ConnectionState::Disconnected => Ok(Some((ConnectionState::Connecting, CONNECT_DURATION))),
            ConnectionState::Connected | ConnectionState::Connecting => Ok(None),
            ConnectionState::Failed => Err("Its last connection attempt failed. Disconnect it first, then connect it."),
            ConnectionState::Disconnecting => {
                Err("It is disconnecting. Wait until it is disconnected, then connect it.")
            }
            ConnectionState::Other(_) => {
                Err("This version of xks-console doesn't recognize its connection state. Use a newer version.")
            }
        })
    }

    pub fn disconnect_custom_key_store(&self, request: &DisconnectCustomKeyStore) -> ApiResult<Empty> {
        self.authorize("kms:DisconnectCustomKeyStore", "*")?;
        self.begin_transition(&request.custom_key_store_id, |state| match state {
            ConnectionState::Disconnected => Err("It is already disconnected."),
            ConnectionState::Disconnecting => Err("It is already disconnecting."),
            _ => Ok(Some((ConnectionState::Disconnecting, DISCONNECT_DURATION))),
        })
    }

    /// Starts a change of the connection state that takes some time, if the current state allows it.
    fn begin_transition(
        &self,
        id: &str,
        next: impl FnOnce(ConnectionState) -> Result<Option<(ConnectionState, SignedDuration)>, &'static str>,
    ) -> ApiResult<Empty> {
        let now = self.store().environment().clock.now();
        self.commit_with_event(|tx| {
            let mut store = self.find_key_store(tx, id)?;
            let change = next(store.entry.connection_state).map_err(|reason| {
                let state = store.entry.connection_state.label().to_uppercase();
                let message = format!("The custom key store {id} is {state}. {reason}");
                ServiceError::new("CustomKeyStoreInvalidStateException", message)
            })?;
            if let Some((state, duration)) = change {
                store.entry.connection_state = state;
                store.entry.connection_error_code = None;
                self.save_key_store(tx, &store.entry, Some(now.saturating_add(duration).unwrap_or(Timestamp::MAX)))?;
            }
            Ok(Empty {})
        })
    }

    fn save_key_store(&self, tx: &Transaction, entry: &CustomKeyStore, due: Option<Timestamp>) -> ApiResult<()> {
        let (document, due) = (serde_json::to_string(entry)?, due.map(Timestamp::as_millisecond));
        tx.execute(
            "UPDATE key_stores SET document = ?3, due = ?4 WHERE world = ?1 AND id = ?2",
            params![self.account_region, entry.custom_key_store_id, document, due],
        )?;
        Ok(())
    }

    /// Completes the changes of connection states that are due. For each key store, only one process succeeds.
    pub async fn complete_due_transitions(&self, now: i64) -> ApiResult<()> {
        let due: Vec<(String, String, i64)> = self.store().read(|tx| -> ApiResult<_> {
            let mut query = tx.prepare_cached("SELECT world, id, due FROM key_stores WHERE due <= ?1")?;
            let rows = query.query_map([now], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })?;
        for (account_region, id, due) in due {
            let (account, region) = account_region.split_once('/').unwrap_or_default();
            let call = Self {
                account: account.to_owned(),
                region: region.to_owned(),
                account_region: account_region.clone(),
                ..self.clone()
            };
            call.complete_transition(&id, due).await?;
        }
        Ok(())
    }

    /// Checks the health of the proxy. Returns the ConnectionErrorCode if the key store can't be connected.
    async fn probe_proxy(&self, entry: &CustomKeyStore, target: &ProxyTarget) -> ApiResult<Option<&'static str>> {
        if let Some(proxy) = &entry.xks_proxy_configuration
            && let Some(code) = self.vpc_connection_error_code(proxy)?
        {
            return Ok(Some(code));
        }
        let health =
            self.xks_client().get_health_status(target, &self.request_metadata("ConnectCustomKeyStore", None)).await;
        Ok(health.err().map(|failure| failure.connection_error_code()))
    }

    async fn complete_transition(&self, id: &str, due: i64) -> ApiResult<()> {
        let (mut entry, target) = self.store().read(|tx| -> ApiResult<_> {
            let store = self.find_key_store(tx, id)?;
            let target = self.proxy_target(&store)?;
            Ok((store.entry, target))
        })?;
        (entry.connection_state, entry.connection_error_code) = match entry.connection_state {
            ConnectionState::Connecting => {
                let code = self.probe_proxy(&entry, &target).await?;
                let state = if code.is_some() { ConnectionState::Failed } else { ConnectionState::Connected };
                (state, code.map(str::to_owned))
            }
            ConnectionState::Disconnecting => (ConnectionState::Disconnected, None),
            settled => (settled, entry.connection_error_code.take()),
        };
        self.store().write(|tx| {
            let is_still_due: bool = tx.query_row(
                "SELECT EXISTS (SELECT 1 FROM key_stores WHERE world = ?1 AND id = ?2 AND due = ?3)",
                params![self.account_region, id, due],
                |row| row.get(0),
            )?;
            if is_still_due { self.save_key_store(tx, &entry, None) } else { Ok(()) }
        })
    }
}
