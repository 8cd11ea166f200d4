//! The bundled AWS: KMS, IAM, STS, CloudTrail, and CloudWatch, with an external key store proxy and an external key
//! manager behind them.
//!
//! No background task owns a pending change. A change that takes effect later (for example, a key store that connects)
//! is stored with its due time, and the first request after that time applies it.

mod authorization;
#[cfg(test)]
mod cache_tests;
mod cloudtrail;
mod cloudwatch;
mod copy;
#[cfg(test)]
mod failure_tests;
mod iam;
pub mod kms;
mod names;
mod pagination;
mod pending_records;
mod router;
mod scenario;
pub mod snapshot;
mod store;
mod stored_key;
mod workloads;
mod xks_console;
mod xray;

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use http::{Request, Response};
use zeroize::Zeroizing;

pub use iam::mfa::MfaDevice;
pub use names::Names;
pub use router::Unrecorded;
pub use scenario::{ScenarioExport, is_known as is_known_scenario, names as scenario_names};
pub use store::{ChangeFeed, DeleteAccountError, ExclusiveUseError, OpenError, delete_account};
pub use stored_key::{CiphertextKey, ExternalKeyStatus, KeyLookup, ReadKeyError, StoredKey};

use crate::aws::arn::{Arn, partition_of};
use crate::aws::iam::Tag;
use crate::aws::limits;
use crate::aws::policy::PolicyDocument;
use crate::aws::sigv4::{Credentials, SigningKeyCache};
use crate::environment::Environment;
use crate::storage::write_behind::Flusher;
use crate::xks::client::{RequestMetadata, XksClient};
use crate::xks::key_manager::{ExternalKeyManager, KeyManagerError, ProxyCredential};
use crate::xks::network::Network;
use crate::xks::proxy::Proxy;
use authorization::PolicyCache;
use cloudtrail::{EventBuffer, EventDraft};
use iam::sessions::SessionAttributes;
use store::Store;
use xray::FlowBuffer;

/// The response of an operation, or its error.
type ApiResult<T> = Result<T, store::StoreError>;

/// An AWS for one machine. Clones share the same state.
#[derive(Clone)]
pub struct BundledAws(Arc<Inner>);

struct Inner {
    store: Arc<Store>,
    xks_client: XksClient,
    proxy: Proxy,
    key_manager: ExternalKeyManager,
    credentials: RwLock<Credentials>,
    signing_keys: SigningKeyCache,
    policy_cache: PolicyCache,
    event_buffer: EventBuffer,
    flow_buffer: FlowBuffer,
    /// The thread that writes what the buffers contain.
    flusher: Arc<Flusher>,
}

impl Inner {
    fn console_credentials(&self) -> Credentials {
        self.credentials.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.write_pending_records();
        self.flusher.close();
    }
}

impl std::fmt::Debug for BundledAws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BundledAws")
    }
}

impl BundledAws {
    /// The Region in which scenarios create resources.
    pub const REGION: &'static str = "us-west-2";

    /// Opens the account in `dir`. If the directory is empty or missing, fills it from the scenario first.
    ///
    /// # Errors
    /// [`OpenError`]. A failed call never leaves a partly filled account behind.
    pub fn open(dir: &Path, scenario: Option<&str>) -> Result<Self, OpenError> {
        Self::open_with_network(dir, scenario, Network::default())
    }

    /// Opens the account as [`open`](Self::open) does, and reaches proxies outside of the bundled AWS over `network`.
    ///
    /// # Errors
    /// [`OpenError`]. A failed call never leaves a partly filled account behind.
    pub fn open_with_network(dir: &Path, scenario: Option<&str>, network: Network) -> Result<Self, OpenError> {
        let environment = Environment::system().for_account();
        let _opening = store::lock(dir)?;
        snapshot::discard_interrupted_import(dir)
            .map_err(|source| OpenError::Directory { path: dir.display().to_string(), source })?;
        let is_new = !Self::exists(dir);
        let opened = Self::open_locked(dir, scenario, network, environment);
        if is_new && opened.is_err() {
            // The error is more important than what is left of the account, which the next start would stumble over.
            let _ = store::delete_new_account(dir);
        }
        opened
    }

    /// Opens the account in `dir`, on which the caller holds the lock.
    fn open_locked(
        dir: &Path,
        scenario: Option<&str>,
        network: Network,
        environment: Environment,
    ) -> Result<Self, OpenError> {
        let store = Store::open(dir, environment.clone())?;
        if scenario.is_some() && scenario::is_filled(&store)? {
            return Err(OpenError::AccountExists(dir.display().to_string()));
        }
        let key_manager = ExternalKeyManager::open(dir, environment)?;
        let aws = Self::start(store, key_manager, Some(network), scenario.unwrap_or("default"))?;
        aws.0.start_flusher();
        aws.0.key_manager.spawn_log_flusher();
        Ok(aws)
    }

    /// Returns whether `dir` contains an account.
    pub fn exists(dir: &Path) -> bool {
        dir.join(store::DATABASE_FILE).exists()
    }

    /// Creates an account in memory, for tests, tapes, and screenshots.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn in_memory(scenario: &str, environment: Environment) -> Result<Self, OpenError> {
        Self::in_memory_with_network(scenario, environment, None)
    }

    /// Creates an account in memory that reaches proxies outside of the bundled AWS over `network`.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn in_memory_with_network(
        scenario: &str,
        environment: Environment,
        network: Option<Network>,
    ) -> Result<Self, OpenError> {
        let environment = environment.for_account();
        let store = Store::in_memory(environment.clone())?;
        Self::start(store, ExternalKeyManager::in_memory(environment)?, network, scenario)
    }

    fn start(
        store: Store,
        key_manager: ExternalKeyManager,
        network: Option<Network>,
        scenario: &str,
    ) -> Result<Self, OpenError> {
        if !scenario::is_filled(&store)? {
            scenario::fill(scenario, &store, &key_manager)?;
        }
        let credentials = iam::principals::console_credentials(&store)?;
        let clock = store.environment().clock.clone();
        let proxy = Proxy::new(key_manager.clone(), clock.clone());
        let network = network.map(Arc::new);
        let xks_client = XksClient::new(proxy.clone(), network.clone(), clock);
        let store = Arc::new(store);
        let stored_faults = Arc::clone(&store);
        xks_client.faults().set_stored(move |call| stored_faults.next_fault(call));
        let inner = Arc::new(Inner {
            store,
            xks_client,
            proxy,
            key_manager,
            credentials: RwLock::new(credentials),
            signing_keys: SigningKeyCache::default(),
            policy_cache: PolicyCache::default(),
            event_buffer: EventBuffer::default(),
            flow_buffer: FlowBuffer::default(),
            flusher: Arc::default(),
        });
        if let Some(network) = network {
            let weak = Arc::downgrade(&inner);
            network.set_route_lookup(move |host| {
                let Some(inner) = weak.upgrade() else { return Ok(None) };
                xks_console::proxy_routes::find_route(&inner.store, host).map_err(|error| error.to_string())
            });
        }
        scenario::make_past(&inner)?;
        Ok(Self(inner))
    }

    /// Handles one signed request and returns the response.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        router::handle(&self.0, request).await
    }

    /// Returns the access key of the user `Admin`, which the console signs its requests with.
    pub fn console_credentials(&self) -> Credentials {
        self.0.console_credentials()
    }

    /// Replaces the access key of the user `Admin`, which the console signs its requests with.
    ///
    /// # Errors
    /// [`OpenError`] if another user has an access key with this ID, or if the account's database can't be written.
    pub fn set_console_credentials(&self, credentials: Credentials) -> Result<(), OpenError> {
        iam::principals::replace_console_credentials(&self.0.store, &credentials)?;
        *self.0.credentials.write().unwrap_or_else(PoisonError::into_inner) = credentials;
        Ok(())
    }

    /// Returns a feed of the changes that any process makes to keys and key stores from now on.
    ///
    /// # Errors
    /// [`OpenError`] if the account's database can't be read.
    pub fn change_feed(&self) -> Result<ChangeFeed, OpenError> {
        Ok(ChangeFeed::open(Arc::clone(&self.0.store))?)
    }

    /// Creates a credential for a partition and returns its proxy configuration file.
    ///
    /// The file has the format that vendors of external key store proxies provide: the URI path of the partition and
    /// the credential.
    ///
    /// # Errors
    /// The partition doesn't exist, or the external key manager's database fails.
    pub fn proxy_configuration(&self, partition: &str) -> Result<Zeroizing<String>, KeyManagerError> {
        Self::issue_proxy_configuration(&self.0, partition)
    }

    fn issue_proxy_configuration(inner: &Inner, partition: &str) -> Result<Zeroizing<String>, KeyManagerError> {
        let credential = ProxyCredential::generate(&inner.store.environment().random)?;
        inner.key_manager.add_credential(partition, &credential)?;
        Ok(Self::configuration_file(partition, &credential))
    }

    /// Creates a partition of the external key manager and returns its proxy configuration file.
    ///
    /// # Errors
    /// A partition with this name already exists, the name can't be part of a URI path, or the external key manager's
    /// database fails.
    pub fn create_partition(&self, partition: &str) -> Result<Zeroizing<String>, KeyManagerError> {
        Self::create_partition_with_credential(&self.0, partition)
    }

    fn create_partition_with_credential(inner: &Inner, partition: &str) -> Result<Zeroizing<String>, KeyManagerError> {
        let credential = ProxyCredential::generate(&inner.store.environment().random)?;
        inner.key_manager.create_partition(partition, &credential)?;
        Ok(Self::configuration_file(partition, &credential))
    }

    fn configuration_file(partition: &str, credential: &ProxyCredential) -> Zeroizing<String> {
        let ProxyCredential { access_key_id, secret_access_key } = credential;
        // Neither the path nor the credential has characters that JSON needs to escape.
        Zeroizing::new(format!(
            "{{\n  \"XksProxyUriPath\": \"/{partition}{}\",\n  \"XksProxyAuthenticationCredential\": {{\n    \
             \"AccessKeyId\": \"{access_key_id}\",\n    \"RawSecretAccessKey\": \"{}\"\n  }}\n}}",
            limits::XKS_PROXY_PATH_SUFFIX,
            secret_access_key.expose()
        ))
    }

    /// Returns the access keys of all users that have one, the console's first.
    ///
    /// # Errors
    /// [`OpenError`] if the account's database can't be read.
    pub fn access_keys(&self) -> Result<Vec<AccessKey>, OpenError> {
        iam::principals::access_keys(&self.0.store)
    }

    /// Returns the MFA device of the console's user. The first call creates it.
    ///
    /// # Errors
    /// [`OpenError`] if the account's database can't be read or written.
    pub fn mfa_device(&self) -> Result<MfaDevice, OpenError> {
        iam::mfa::get_or_create_device(&self.0.store, &iam::principals::console_user(&self.0.store)?)
    }

    /// Returns the KMS keys that use an external key of the bundled external key manager.
    ///
    /// Each KMS key is described by its key ID and, if it has one, an alias.
    ///
    /// # Errors
    /// [`OpenError`] if the account's database can't be read.
    pub fn kms_keys_using_external_key(&self, partition: &str, id: &str) -> Result<Vec<String>, OpenError> {
        xks_console::external_keys::kms_keys_using(&self.0.store, partition, id)
    }

    /// Returns the number of key stores that are connected.
    ///
    /// # Errors
    /// [`OpenError`] if the account's database can't be read.
    pub fn connected_key_stores(&self) -> Result<u64, OpenError> {
        let query = "SELECT count(*) FROM key_stores WHERE document ->> '$.ConnectionState' = 'CONNECTED'";
        let count: i64 = self.0.store.read(|tx| tx.query_row(query, [], |row| row.get(0)))?;
        Ok(count.unsigned_abs())
    }

    /// Returns the names and ARNs of all roles.
    ///
    /// # Errors
    /// [`OpenError`] if the account's database can't be read.
    pub fn roles(&self) -> Result<Vec<(String, String)>, OpenError> {
        iam::principals::roles(&self.0.store)
    }

    /// Returns the account as a scenario, without its secrets.
    ///
    /// # Errors
    /// [`OpenError`] if one of the databases can't be read.
    pub fn export_scenario(&self) -> Result<ScenarioExport, OpenError> {
        scenario::export(&self.0.store, &self.0.key_manager)
    }

    /// Returns the external key manager. It is outside of AWS, so no AWS API can reach it.
    pub fn key_manager(&self) -> &ExternalKeyManager {
        &self.0.key_manager
    }
}

/// Where a request came from. An extension of requests that arrive over a network.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionInfo {
    /// The caller's address.
    pub address: std::net::IpAddr,
    /// Whether the connection is encrypted with TLS.
    pub is_over_tls: bool,
}

/// A user's access key.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// The user's name.
    pub user_name: String,
    /// The key.
    pub credentials: Credentials,
}

/// The principal that makes a request: a user, or a role in a session.
#[derive(Clone, Debug)]
struct Caller {
    account: String,
    /// The ARN of the user, or of the role's session.
    arn: String,
    /// The ARN of the user or role.
    issuer_arn: String,
    user_id: String,
    /// The access key that signed the request.
    access_key_id: String,
    /// The IAM policies of the user or role.
    policies: Vec<Arc<PolicyDocument>>,
    /// The session policy, which limits the permissions of the session.
    session_policy: Option<Arc<PolicyDocument>>,
    /// The tags of the user or role. Session tags replace tags with the same key.
    tags: Vec<Tag>,
    /// The attributes of a role's session that policy conditions refer to.
    session: Option<SessionAttributes>,
}

impl Caller {
    fn is_role(&self) -> bool {
        self.arn != self.issuer_arn
    }

    /// Returns the name of a user, or `None` for a role.
    fn user_name(&self) -> Option<&str> {
        if self.is_role() { None } else { self.arn.rsplit('/').next() }
    }
}

/// A request that is being handled, with its caller and Region.
#[derive(Clone)]
struct Call<'a> {
    aws: &'a Inner,
    caller: Arc<Caller>,
    /// The account whose keys and key stores the request is about.
    account: String,
    region: String,
    /// The account and Region in the form that the database uses. See [`account_region`].
    account_region: String,
    request_id: String,
    /// The draft of its CloudTrail event.
    draft: &'a EventDraft<'a>,
    /// The caller's address, if the request arrived over a network.
    source_ip: Option<String>,
    is_over_tls: bool,
}

/// Returns the value that identifies an account and Region in the database.
fn account_region(account: &str, region: &str) -> String {
    format!("{account}/{region}")
}

/// The times of the next scheduled changes, in milliseconds since 1970-01-01 UTC.
struct NextDueTimes {
    /// A key store connects or disconnects.
    key_store: Option<i64>,
    /// A key is deleted.
    key: Option<i64>,
    /// A key is rotated.
    rotation: Option<i64>,
}

impl Call<'_> {
    /// Applies the scheduled changes whose time has come.
    async fn apply_due_changes(&self) -> ApiResult<()> {
        let next = self.store().get_or_load("", |tx, sources| -> ApiResult<NextDueTimes> {
            sources.add_due_times();
            let earliest = |query| tx.query_row(query, [], |row| row.get(0));
            Ok(NextDueTimes {
                key_store: earliest("SELECT min(due) FROM key_stores")?,
                key: earliest("SELECT min(due) FROM keys WHERE due IS NOT NULL")?,
                rotation: earliest("SELECT min(next) FROM rotation_schedules")?,
            })
        })?;
        let now = self.store().environment().clock.now().as_millisecond();
        if next.key_store.is_some_and(|due| due <= now) {
            self.complete_due_transitions(now).await?;
        }
        if next.key.is_some_and(|due| due <= now) {
            self.delete_due_keys(now)?;
        }
        if next.rotation.is_some_and(|due| due <= now) {
            self.rotate_due_keys(now)?;
        }
        Ok(())
    }

    /// Returns this call for the keys and key stores of another account.
    fn for_account(&self, account: &str) -> Cow<'_, Self> {
        if account == self.account {
            return Cow::Borrowed(self);
        }
        Cow::Owned(Self {
            account: account.to_owned(),
            account_region: account_region(account, &self.region),
            ..self.clone()
        })
    }

    fn store(&self) -> &Store {
        &self.aws.store
    }

    /// Returns the client for external key store proxies, which records its requests in the flow of this request.
    fn xks_client(&self) -> XksClient {
        self.aws.xks_client.recording(self.draft.flow.exchanges())
    }

    fn key_arn(&self, key_id: &str) -> String {
        Arn::kms_key(&self.region, &self.account, key_id).to_string()
    }

    fn partition(&self) -> &'static str {
        partition_of(&self.region)
    }

    /// Returns the request metadata that AWS KMS sends to the external key store proxy.
    fn request_metadata(&self, operation: &str, kms_key_arn: Option<String>) -> RequestMetadata {
        RequestMetadata {
            aws_principal_arn: self.caller.arn.clone(),
            aws_source_vpc: None,
            aws_source_vpce: None,
            kms_key_arn,
            kms_operation: operation.to_owned(),
            kms_request_id: self.request_id.clone(),
            kms_via_service: None,
        }
    }
}
