//! The bundled AWS: KMS, IAM and STS with an external key store proxy and an external key manager behind them.
//!
//! Nothing is owned by a task: what comes true later (a store that connects) is stored with its due time, and whoever
//! reads after it does the work.

mod authorization;
mod cloudtrail;
mod cloudwatch;
#[cfg(test)]
mod failure_tests;
mod iam;
pub mod kms;
mod pagination;
mod router;
mod scenario;
mod store;
mod xks_console;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use zeroize::Zeroizing;

pub use iam::mfa::MfaDevice;
pub use store::OpenError;

use crate::aws::arn::{Arn, partition_of};
use crate::aws::iam::Tag;
use crate::aws::limits;
use crate::aws::policy::PolicyDocument;
use crate::aws::sigv4::{Credentials, SigningKeyCache};
use crate::environment::Environment;
use crate::xks::client::{RequestMetadata, XksClient};
use crate::xks::key_manager::{ExternalKeyManager, KeyManagerError, ProxyCredential};
use crate::xks::network::Network;
use crate::xks::proxy;
use authorization::PolicyCache;
use cloudtrail::{EventBuffer, EventDraft};
use iam::sessions::SessionAttributes;
use store::Store;

/// An operation's answer, or why it was refused.
type ApiResult<T> = Result<T, store::StoreError>;

/// A whole AWS for one machine. Clones share it.
#[derive(Clone)]
pub struct BundledAws(Arc<Inner>);

struct Inner {
    store: Store,
    xks_client: XksClient,
    proxy_router: axum::Router,
    key_manager: ExternalKeyManager,
    credentials: Credentials,
    signing_keys: SigningKeyCache,
    policy_cache: PolicyCache,
    event_buffer: EventBuffer,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.event_buffer.close(&self.store);
        cloudwatch::metric_store::close(self);
    }
}

impl std::fmt::Debug for BundledAws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bundled")
    }
}

impl BundledAws {
    /// The Region that scenarios fill.
    pub const REGION: &'static str = "us-west-2";

    /// Opens the account in `dir`; an empty or missing directory is filled from the scenario first.
    ///
    /// # Errors
    /// [`OpenError`]; nothing half-filled is left behind.
    pub fn open(dir: &Path, scenario: Option<&str>) -> Result<Self, OpenError> {
        Self::open_with_network(dir, scenario, Network::default())
    }

    /// As [`open`](Self::open), with proxies of others on this network.
    ///
    /// # Errors
    /// [`OpenError`]; nothing half-filled is left behind.
    pub fn open_with_network(dir: &Path, scenario: Option<&str>, network: Network) -> Result<Self, OpenError> {
        let environment = Environment::system();
        let _opening = store::lock(dir)?;
        let store = Store::open(dir, environment.clone())?;
        if scenario.is_some() && scenario::is_filled(&store)? {
            return Err(OpenError::AccountExists(dir.display().to_string()));
        }
        let manager = ExternalKeyManager::open(dir, environment)?;
        Self::start(store, manager, Some(network), scenario.unwrap_or("default"))
    }

    /// An account in memory, for tests, tapes and pictures.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn in_memory(scenario: &str, environment: Environment) -> Result<Self, OpenError> {
        let store = Store::in_memory(environment.clone())?;
        Self::start(store, ExternalKeyManager::in_memory(environment)?, None, scenario)
    }

    fn start(
        store: Store,
        manager: ExternalKeyManager,
        network: Option<Network>,
        scenario: &str,
    ) -> Result<Self, OpenError> {
        if !scenario::is_filled(&store)? {
            scenario::fill(scenario, &store, &manager)?;
        }
        let credentials = iam::principals::console_credentials(&store)?;
        let clock = store.environment().clock.clone();
        let proxy = proxy::router(manager.clone(), clock.clone());
        let network = network.map(Arc::new);
        let proxies = XksClient::new(proxy.clone(), network.clone(), clock);
        let (signing_keys, policies, trail) =
            (SigningKeyCache::default(), PolicyCache::default(), EventBuffer::default());
        let inner = Arc::new(Inner {
            store,
            xks_client: proxies,
            proxy_router: proxy,
            key_manager: manager,
            credentials,
            signing_keys,
            policy_cache: policies,
            event_buffer: trail,
        });
        if let Some(network) = network {
            let account = Arc::downgrade(&inner);
            network.set_route_lookup(move |host| {
                let Some(account) = account.upgrade() else { return Ok(None) };
                xks_console::proxy_routes::find_route(&account.store, host).map_err(|error| error.to_string())
            });
            inner.event_buffer.spawn_flusher(Arc::downgrade(&inner));
            cloudwatch::metric_store::spawn_flusher(&inner);
            inner.key_manager.spawn_log_flusher();
        }
        Ok(Self(inner))
    }

    /// Answers one signed request.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        router::handle(&self.0, request).await
    }

    /// What the console signs with: the access key of the user `Admin`.
    pub fn console_credentials(&self) -> Credentials {
        self.0.credentials.clone()
    }

    /// A proxy configuration file, as vendors of external key store proxies hand it out: the URI path of a partition, and
    /// a new credential for it.
    ///
    /// # Errors
    /// No such partition; what the external key manager's database says.
    pub fn proxy_configuration(&self, partition: &str) -> Result<Zeroizing<String>, KeyManagerError> {
        Self::issue_proxy_configuration(&self.0, partition)
    }

    fn issue_proxy_configuration(inner: &Inner, partition: &str) -> Result<Zeroizing<String>, KeyManagerError> {
        let credential = ProxyCredential::generate(&inner.store.environment().random)?;
        inner.key_manager.add_credential(partition, &credential)?;
        Ok(Self::configuration_file(partition, &credential))
    }

    /// Makes a partition of the external key manager; gives its proxy configuration file.
    ///
    /// # Errors
    /// There is such a partition, or its name can't be part of a URI path; what the external key manager's database says.
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
        // Neither the path nor the credential has a character that JSON escapes.
        Zeroizing::new(format!(
            "{{\n  \"XksProxyUriPath\": \"/{partition}{}\",\n  \"XksProxyAuthenticationCredential\": {{\n    \
             \"AccessKeyId\": \"{access_key_id}\",\n    \"RawSecretAccessKey\": \"{}\"\n  }}\n}}",
            limits::XKS_PROXY_PATH_SUFFIX,
            secret_access_key.expose()
        ))
    }

    /// The external key store proxy for all partitions of the external key manager, as it is served to others.
    pub fn proxy_router(&self) -> axum::Router {
        self.0.proxy_router.clone()
    }

    /// The access keys of all users that have one; the console's first.
    ///
    /// # Errors
    /// What the account's database says.
    pub fn access_keys(&self) -> Result<Vec<AccessKey>, OpenError> {
        iam::principals::access_keys(&self.0.store)
    }

    /// The MFA device of the console's user, which is made when it is first asked for.
    ///
    /// # Errors
    /// What the account's database says.
    pub fn mfa_device(&self) -> Result<MfaDevice, OpenError> {
        iam::mfa::get_or_create_device(&self.0.store, &iam::principals::console_user(&self.0.store)?)
    }

    /// The KMS keys whose external key has this ID in a partition of the bundled external key manager: key IDs, with an alias
    /// where there is one.
    ///
    /// # Errors
    /// What the account's database says.
    pub fn kms_keys_using_external_key(&self, partition: &str, id: &str) -> Result<Vec<String>, OpenError> {
        xks_console::external_keys::kms_keys_using(&self.0.store, partition, id)
    }

    /// The names and ARNs of all roles.
    ///
    /// # Errors
    /// What the account's database says.
    pub fn roles(&self) -> Result<Vec<(String, String)>, OpenError> {
        iam::principals::roles(&self.0.store)
    }

    /// The external key manager, which lives outside of AWS and which no AWS API reaches.
    pub fn key_manager(&self) -> &ExternalKeyManager {
        &self.0.key_manager
    }
}

/// Where a request came from, for those that came over a network: an extension of the request.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionInfo {
    /// The caller's address.
    pub address: std::net::IpAddr,
    /// Whether nobody could read it on the way.
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

/// Who calls: a user, or a role in a session.
#[derive(Clone, Debug)]
struct Caller {
    account: String,
    /// The ARN of the user, or of the session of the role.
    arn: String,
    /// The ARN of the user or role.
    issuer_arn: String,
    user_id: String,
    /// What it signed with.
    access_key_id: String,
    /// Its IAM policies.
    policies: Vec<Arc<PolicyDocument>>,
    /// What its session is narrowed down to.
    session_policy: Option<Arc<PolicyDocument>>,
    /// The tags of the user or role, with those of the session in place of others of the same key.
    tags: Vec<Tag>,
    /// What conditions look at in the session of a role.
    session: Option<SessionAttributes>,
}

impl Caller {
    fn is_role(&self) -> bool {
        self.arn != self.issuer_arn
    }

    /// The name of a user; a role has none.
    fn user_name(&self) -> Option<&str> {
        if self.is_role() { None } else { self.arn.rsplit('/').next() }
    }
}

/// One call: who makes it, where, and on what.
#[derive(Clone)]
struct Call<'a> {
    aws: &'a Inner,
    caller: Arc<Caller>,
    /// Whose keys and stores it is about.
    account: String,
    region: String,
    /// Account and Region, as records name them.
    account_region: String,
    request_id: String,
    /// What it will leave in CloudTrail.
    draft: &'a EventDraft<'a>,
    /// The caller's address, when it came over a network.
    source_ip: Option<String>,
    is_over_tls: bool,
}

/// What records of an account in a Region are kept under.
fn account_region(account: &str, region: &str) -> String {
    format!("{account}/{region}")
}

/// When something comes true the next time, in milliseconds since 1970: a store connects, a key is deleted.
struct NextDueTimes {
    key_store: Option<i64>,
    key: Option<i64>,
    rotation: Option<i64>,
}

impl Call<'_> {
    /// Makes true what has come due.
    async fn apply_due_changes(&self) -> ApiResult<()> {
        let next = self.store().get_or_load("", |tx| -> ApiResult<NextDueTimes> {
            let least = |query| tx.query_row(query, [], |row| row.get(0));
            Ok(NextDueTimes {
                key_store: least("SELECT min(due) FROM key_stores")?,
                key: least("SELECT min(due) FROM keys WHERE due IS NOT NULL")?,
                rotation: least("SELECT min(next) FROM rotation_schedules")?,
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

    /// The same call, about keys and stores of another account.
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

    fn key_arn(&self, key_id: &str) -> String {
        Arn::kms_key(&self.region, &self.account, key_id).to_string()
    }

    fn partition(&self) -> &'static str {
        partition_of(&self.region)
    }

    /// What the external key store proxy is told of this call.
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
