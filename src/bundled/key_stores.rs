//! DescribeCustomKeyStores, ConnectCustomKeyStore, DisconnectCustomKeyStore, and what a store is.

mod configure;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::paging::page;
use super::{Answer, Call};
use crate::aws::error::ServiceError;
use crate::aws::kms::{
    ConnectCustomKeyStore, ConnectionState, CustomKeyStore, DescribeCustomKeyStores, DescribeCustomKeyStoresOutput,
    DisconnectCustomKeyStore,
};
use crate::aws::operation::Empty;
use crate::aws::scalar::SecretString;
use crate::xks::client::ProxyTarget;

/// How long connecting takes. AWS takes about five minutes; nobody learns anything from waiting that long.
const CONNECTING_TAKES: SignedDuration = SignedDuration::from_secs(5);
/// How long disconnecting takes.
const DISCONNECTING_TAKES: SignedDuration = SignedDuration::from_secs(2);

/// A store, and its proxy's secret, wrapped.
pub struct StoredKeyStore {
    /// What DescribeCustomKeyStores tells.
    pub entry: CustomKeyStore,
    secret: Vec<u8>,
}

impl Call<'_> {
    /// Finds a store by its ID.
    pub fn find_key_store(&self, tx: &Transaction, id: &str) -> Answer<StoredKeyStore> {
        let found = tx
            .query_row(
                "SELECT document, secret FROM key_stores WHERE world = ?1 AND id = ?2",
                [&self.world, id],
                |row| Ok((row.get::<_, String>(0)?, row.get(1)?)),
            )
            .optional()?;
        let (document, secret) = found.ok_or_else(|| {
            let message = format!("The custom key store {id} does not exist.");
            ServiceError::new("CustomKeyStoreNotFoundException", message)
        })?;
        Ok(StoredKeyStore { entry: serde_json::from_str(&document)?, secret })
    }

    /// How to reach the proxy of the store with this ID.
    pub fn recall_proxy_target(&self, id: &str) -> Answer<Arc<ProxyTarget>> {
        let name = format!("{}/{id}", self.world);
        self.store().remember(&name, |tx| self.proxy_target(&self.find_key_store(tx, id)?))
    }

    /// How to reach the proxy of a store.
    pub fn proxy_target(&self, store: &StoredKeyStore) -> Answer<ProxyTarget> {
        let id = &store.entry.custom_key_store_id;
        let proxy = store.entry.xks_proxy_configuration.as_ref().ok_or_else(|| {
            ServiceError::new("UnsupportedOperationException", format!("{id} is not an external key store."))
        })?;
        let secret = self.store().unseal(&["key_stores", &self.region, id], &store.secret)?;
        Ok(ProxyTarget {
            key_store: format!("{}/{id}", self.world),
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
    ) -> Answer<DescribeCustomKeyStoresOutput> {
        let (id, name) = (&request.custom_key_store_id, &request.custom_key_store_name);
        if id.is_some() && name.is_some() {
            return Err(
                ServiceError::validation("Name either CustomKeyStoreId or CustomKeyStoreName, not both.").into()
            );
        }
        self.permit_on("kms:DescribeCustomKeyStores", "*")?;
        let mut all: Vec<CustomKeyStore> = self.store().read(|tx| self.all_key_stores(tx))?;
        all.retain(|store| {
            id.as_ref().is_none_or(|id| *id == store.custom_key_store_id)
                && name.as_ref().is_none_or(|name| *name == store.custom_key_store_name)
        });
        if all.is_empty() && (id.is_some() || name.is_some()) {
            let asked = id.as_deref().or(name.as_deref()).unwrap_or_default();
            let message = format!("The custom key store {asked} does not exist.");
            return Err(ServiceError::new("CustomKeyStoreNotFoundException", message).into());
        }
        let page = page(all, |store| &store.custom_key_store_id, request.limit, 1000, 1000, request.marker.as_deref())?;
        Ok(DescribeCustomKeyStoresOutput {
            custom_key_stores: page.items,
            truncated: page.next.is_some(),
            next_marker: page.next,
        })
    }

    fn all_key_stores(&self, tx: &Transaction) -> Answer<Vec<CustomKeyStore>> {
        let mut query = tx.prepare("SELECT document FROM key_stores WHERE world = ?1 ORDER BY id")?;
        let rows = query.query_map([&self.world], |row| row.get::<_, String>(0))?;
        rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
    }

    pub fn connect_custom_key_store(&self, request: &ConnectCustomKeyStore) -> Answer<Empty> {
        self.permit_on("kms:ConnectCustomKeyStore", "*")?;
        self.set_out(&request.custom_key_store_id, |state| match state {
            ConnectionState::Disconnected => Ok(Some((ConnectionState::Connecting, CONNECTING_TAKES))),
            ConnectionState::Connected | ConnectionState::Connecting => Ok(None),
            ConnectionState::Failed => Err("Its last connection attempt failed. Disconnect it first, then connect it."),
            ConnectionState::Disconnecting => {
                Err("It is disconnecting. Wait until it is disconnected, then connect it.")
            }
            ConnectionState::Other(_) => Err("Its connection state is not one that this version knows."),
        })
    }

    pub fn disconnect_custom_key_store(&self, request: &DisconnectCustomKeyStore) -> Answer<Empty> {
        self.permit_on("kms:DisconnectCustomKeyStore", "*")?;
        self.set_out(&request.custom_key_store_id, |state| match state {
            ConnectionState::Disconnected => Err("It is disconnected already."),
            ConnectionState::Disconnecting => Err("It is disconnecting already."),
            _ => Ok(Some((ConnectionState::Disconnecting, DISCONNECTING_TAKES))),
        })
    }

    /// Begins a change of state that takes a while, if the state allows it.
    fn set_out(
        &self,
        id: &str,
        next: impl FnOnce(ConnectionState) -> Result<Option<(ConnectionState, SignedDuration)>, &'static str>,
    ) -> Answer<Empty> {
        let now = self.store().world().clock.now();
        self.change(|tx| {
            let mut store = self.find_key_store(tx, id)?;
            let change = next(store.entry.connection_state).map_err(|why| {
                let state = store.entry.connection_state.label().to_uppercase();
                let message = format!("The custom key store {id} is {state}. {why}");
                ServiceError::new("CustomKeyStoreInvalidStateException", message)
            })?;
            if let Some((state, takes)) = change {
                store.entry.connection_state = state;
                store.entry.connection_error_code = None;
                self.save(tx, &store.entry, Some(now.saturating_add(takes).unwrap_or(Timestamp::MAX)))?;
            }
            Ok(Empty {})
        })
    }

    fn save(&self, tx: &Transaction, entry: &CustomKeyStore, due: Option<Timestamp>) -> Answer<()> {
        let (document, due) = (serde_json::to_string(entry)?, due.map(Timestamp::as_millisecond));
        tx.execute(
            "UPDATE key_stores SET document = ?3, due = ?4 WHERE world = ?1 AND id = ?2",
            params![self.world, entry.custom_key_store_id, document, due],
        )?;
        Ok(())
    }

    /// Brings every store whose time has come to where it was going. Only one process succeeds with each.
    pub async fn settle_key_stores(&self, now: i64) -> Answer<()> {
        let due: Vec<(String, String, i64)> = self.store().read(|tx| -> Answer<_> {
            let mut query = tx.prepare_cached("SELECT world, id, due FROM key_stores WHERE due <= ?1")?;
            let rows = query.query_map([now], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })?;
        for (world, id, due) in due {
            let (account, region) = world.split_once('/').unwrap_or_default();
            let there =
                Self { account: account.to_owned(), region: region.to_owned(), world: world.clone(), ..self.clone() };
            there.settle_key_store(&id, due).await?;
        }
        Ok(())
    }

    /// Asks the proxy whether it is well; the ConnectionErrorCode when the store can't be connected.
    async fn connect(&self, entry: &CustomKeyStore, target: &ProxyTarget) -> Answer<Option<&'static str>> {
        if let Some(proxy) = &entry.xks_proxy_configuration
            && let Some(code) = self.check_vpc(proxy)?
        {
            return Ok(Some(code));
        }
        let health = self.aws.proxies.get_health_status(target, &self.metadata("ConnectCustomKeyStore", None)).await;
        Ok(health.err().map(|failure| failure.connection_error_code()))
    }

    async fn settle_key_store(&self, id: &str, due: i64) -> Answer<()> {
        let (mut entry, target) = self.store().read(|tx| -> Answer<_> {
            let store = self.find_key_store(tx, id)?;
            let target = self.proxy_target(&store)?;
            Ok((store.entry, target))
        })?;
        (entry.connection_state, entry.connection_error_code) = match entry.connection_state {
            ConnectionState::Connecting => {
                let code = self.connect(&entry, &target).await?;
                let state = if code.is_some() { ConnectionState::Failed } else { ConnectionState::Connected };
                (state, code.map(str::to_owned))
            }
            ConnectionState::Disconnecting => (ConnectionState::Disconnected, None),
            settled => (settled, entry.connection_error_code.take()),
        };
        self.store().write(|tx| {
            let is_mine: bool = tx.query_row(
                "SELECT EXISTS (SELECT 1 FROM key_stores WHERE world = ?1 AND id = ?2 AND due = ?3)",
                params![self.world, id, due],
                |row| row.get(0),
            )?;
            if is_mine { self.save(tx, &entry, None) } else { Ok(()) }
        })
    }
}
